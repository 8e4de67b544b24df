"""Render faces, and pictures that show none, on demand and on all cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from ..errors import LabError
from .asset import load_head
from .faceset import FaceSet
from .nonfaces import KINDS, render_nonface
from .person import ATTRIBUTES, check_attributes, draw_person, person_rng
from .records import NUMBERS, TEXTS
from .render import SIZE, render_person

FACE_STREAM, NONFACE_STREAM = 0, 1


def render_faces(n: int, seed: int = 0, *, same_person: bool = False, size: int = SIZE,
                 progress: bool = True, stream: int = FACE_STREAM, first: int = 0,
                 **attributes: Any) -> FaceSet:
    """Render ``n`` faces; any attribute is fixed, or drawn when it is not given.

    The same seed gives the same pictures on any machine, and fixing an attribute changes nothing
    else: ``render_faces(10, seed=3, same_person=True, skin_tone=range(1, 11))`` is one person in
    ten skin tones.

    Args:
        n: how many.
        seed: of all random draws; picture ``i`` depends only on the seed and ``i``.
        same_person: draw one person for all ``n`` pictures.
        size: pixels on a side, 16 to 512.
        progress: show a progress bar.
        stream, first: another sequence of persons for the same seed, and where to start in it.
        **attributes: one value for all pictures or a sequence of ``n``: ``skin_tone`` 1..10,
            ``gender``, ``age`` (years), ``yaw``, ``pitch``, ``roll`` (degrees), ``hair``,
            ``hair_color``, ``beard``, ``glasses``, ``hat``, ``expression``, ``light`` (a named
            light) or ``light_azimuth``, ``light_elevation``, ``light_key``, ``light_ambient``,
            ``background``, ``scale``. ``None`` means drawn.

    Raises:
        LabError: for an unknown attribute, a value out of range or a sequence of another length.
    """
    _check_count(n, size)
    rows = [{} for _ in range(n)]
    for name, value in attributes.items():
        if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
            if len(value) != n:
                raise LabError(f"{name} has {len(value)} values for {n} faces: give one value or "
                               f"{n}.")
            values = list(value)
        else:
            values = [value] * n
        for row, item in zip(rows, values, strict=True):
            row[name] = item
    rows = [check_attributes(row) for row in rows]

    def one(i: int) -> tuple[np.ndarray, dict[str, Any]]:
        index = first if same_person else first + i
        person = draw_person(person_rng(seed, index, stream), index, **rows[i])
        row = {name: getattr(person, name) for name in (*NUMBERS, *TEXTS, "skin_tone")
               if name in ATTRIBUTES and hasattr(person, name)}
        return render_person(person, size), row | {"kind": "face", "label": 1, "stream": stream,
                                                   "index": index}

    return _gather(_on_all_cores(one, n, "faces", progress), n, size)


def render_nonfaces(n: int, seed: int = 0, *, kind: str | None = None, size: int = SIZE,
                    progress: bool = True, stream: int = NONFACE_STREAM,
                    first: int = 0) -> FaceSet:
    """Render ``n`` pictures that show no face, of one kind or of drawn kinds.

    Raises:
        LabError: for an unknown kind.
    """
    _check_count(n, size)
    if kind is not None and kind not in KINDS:
        raise LabError(f"kind={kind!r} is unknown: choose one of {', '.join(KINDS)}.")

    def one(i: int) -> tuple[np.ndarray, dict[str, Any]]:
        drawn, picture = render_nonface(person_rng(seed, first + i, stream), kind, size)
        return picture, {"kind": drawn, "label": 0, "stream": stream, "index": first + i}

    return _gather(_on_all_cores(one, n, "non-faces", progress), n, size)


def _check_count(n: int, size: int) -> None:
    if n < 0:
        raise LabError(f"n={n}: ask for 0 pictures or more.")
    if not 16 <= size <= 512:
        raise LabError(f"size={size}: give 16 to 512 pixels.")


def _on_all_cores(one: Callable, n: int, what: str, progress: bool) -> Iterator:
    """``one(0) .. one(n - 1)`` in order. Threads suffice: the compiled loops hold no lock."""
    bar = tqdm(range(n), desc=f"rendering {what}", disable=not progress, unit="picture")
    if n:
        load_head()
        yield one(0)          # compiles, if it must, before the threads start
        bar.update()
    pool = ThreadPoolExecutor(_cores())
    try:
        for start in range(1, n, 256):   # few at a time: their pictures wait in memory
            for result in pool.map(one, range(start, min(start + 256, n))):
                yield result
                bar.update()
    finally:
        pool.shutdown(cancel_futures=True)   # an interruption does not wait for the rest
        bar.close()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gather(results: Iterator, n: int, size: int) -> FaceSet:
    images, rows = np.zeros((n, size, size, 3), np.uint8), []
    for i, (picture, row) in enumerate(results):
        images[i] = picture
        rows.append(row)
    columns = {name: np.array([row.get(name, "") for row in rows], dtype=str) for name in TEXTS}
    for name in NUMBERS:
        columns[name] = np.array([row.get(name, np.nan) for row in rows], np.float32)
    for name in ("skin_tone", "stream", "index"):
        columns[name] = np.array([row.get(name, 0) for row in rows], np.int64)
    return FaceSet(images, np.array([row["label"] for row in rows], np.uint8), columns)
