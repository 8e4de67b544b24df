"""Data files after damage, and what must hold for all loaders: the data, or one sentence.

Damage that leaves a file readable, such as a changed pixel, may go unnoticed here; that is what
the checksums of ``python -m lab_utils data verify`` are for.
"""

import contextlib
import csv
import functools
import io
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st
from PIL import Image

from lab_utils import LabError, quiet_start

with quiet_start():
    import keras

from lab_utils.faces import asset, build, dataset, real, records
from lab_utils.music import corpus
from lab_utils.results import read_results
from lab_utils.training import TrainingRun, load_weights

SECONDS = 5   # of processor time, for one file
ODD_TEXT = (b"\x00", b"nan", b"-1", b"1e999", b"\n", b",", b"\t", b'"', b"../", b"\xff\xfe", b"{",
            b"}", b"9" * 400, b"\xe2\x80\xae", b"[" * 2000, b"-")


@dataclass(frozen=True)
class Kind:
    """One kind of data: makes a small set in a folder, and loads it."""

    make: Callable[[Path], None]
    load: Callable[[Path], object]
    # Loaders with several files: which of them is damaged. All, if empty.
    patterns: tuple[str, ...] = ()


def model() -> keras.Model:
    """A small model; the same at each call."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation="tanh"),
                             keras.layers.Dense(1)])


def run(folder: Path) -> TrainingRun:
    """A run of ``model`` with its checkpoints in ``folder``."""
    return TrainingRun(folder, model(), keras.optimizers.Adam(), 6, {}, save_seconds=0, plot=None)


def make_checkpoints(folder: Path) -> None:
    with run(folder) as training:
        for _ in training:
            training.log(loss=1.0)


def open_checkpoints(folder: Path) -> None:
    training = run(folder)
    with training:
        assert 0 <= training.step <= training.total


def pictures(n: int) -> np.ndarray:
    """Pictures ``(n, 64, 64, 3)`` uint8 with some structure."""
    rng = np.random.default_rng(0)
    return np.stack([np.asarray(Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize(
        (64, 64))) for _ in range(n)])


def make_faces(folder: Path) -> None:
    for number, name in enumerate(("train-faces.tfrecord.gz", "train-nonfaces.tfrecord.gz",
                                   "validation.tfrecord.gz", "test.tfrecord.gz")):
        records.write_records(folder / name, [
            {"image": records.encode(image), "label": int(i < 10),
             "skin_tone": i + 1 if i < 10 else 0, "stream": number, "index": i, "yaw": 3.0}
            for i, image in enumerate(pictures(20))])
    build.write_checksums(folder)


def make_course(folder: Path) -> None:
    with h5py.File(folder / "train_face.h5", "w") as file:
        file["images"], file["labels"] = pictures(12), np.arange(12)[:, None] % 2


def save_pictures(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, pictures(len(names)), strict=True):
        Image.fromarray(image).save(folder / name)


def make_celeba(folder: Path) -> None:
    names = [f"{i:06}.jpg" for i in range(4)]
    save_pictures(folder / "img_align_celeba", names)
    lines = ["4", "Bald Male Young", *(f"{name}  1 -1  1" for name in names)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")


def make_fairface(folder: Path) -> None:
    names = [f"val/{i}.png" for i in range(4)]
    save_pictures(folder / "val", [Path(name).name for name in names])
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["file", "age", "gender", "race", "service_test"])
    rows.writerows([name, "20-29", "Male", "East Asian", "True"] for name in names)
    (folder / "fairface_label_val.csv").write_text(text.getvalue())


def make_utkface(folder: Path) -> None:
    save_pictures(folder, [f"{20 + i}_{i % 2}_{i}_2017011.{kind}" for i, kind in
                           enumerate(("jpg", "png", "webp"))])


KINDS = {
    "checkpoints": Kind(make_checkpoints, open_checkpoints),
    "weights": Kind(lambda folder: model().save_weights(folder / "a.weights.h5"),
                    lambda folder: load_weights(model(), folder / "a.weights.h5")),
    "results": Kind(lambda folder: (folder / "results.json").write_text(json.dumps(
        {"lab1": {"a": 1.5, "b": [1, 2]}, "lab2": {"groups": {"x": 0.5}}})) and None,
                    lambda folder: read_results(folder / "results.json")),
    "faces": Kind(make_faces, lambda folder: dataset.load_faces("train", folder=folder),
                  ("train-*",)),
    "checksums": Kind(make_faces, lambda folder: build.verify(folder)),
    "head": Kind(lambda folder: shutil.copy(asset.HEAD_FILE, folder / "head.npz") and None,
                 lambda folder: asset.load_head.__wrapped__(folder / "head.npz")),
    "course": Kind(make_course, lambda folder: real.load_course_faces(folder / "train_face.h5")),
    "celeba": Kind(make_celeba, lambda folder: real.load_celeba(folder)),
    "fairface": Kind(make_fairface,
                     lambda folder: real.load_fairface(folder / "fairface_label_val.csv")),
    "utkface": Kind(make_utkface, lambda folder: real.load_utkface(folder)),
    "tunes": Kind(lambda folder: [shutil.copy(path, folder) for path in
                                  sorted(corpus.corpus_folders()[0].glob("*.abc"))[:2]] and None,
                  lambda folder: corpus.load_corpus(folder)),
}


@functools.cache
def pristine(kind: str) -> Path:
    """A folder with undamaged data, which its loader reads."""
    folder = Path(tempfile.mkdtemp(prefix=f"pristine-{kind}-"))
    KINDS[kind].make(folder)
    copy = Path(tempfile.mkdtemp(prefix=f"loaded-{kind}-"))
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    KINDS[kind].load(copy)
    return folder


Edit = tuple[str, int, bool, bytes]   # what, where, counted from the end, with what


def files_of(kind: str) -> list[str]:
    """The files of a kind that are damaged, relative to its folder."""
    folder = pristine(kind)
    return sorted(path.relative_to(folder).as_posix() for pattern in KINDS[kind].patterns or
                  ("**/*",) for path in folder.glob(pattern) if path.is_file())


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, str, list[Edit]]:
    """(kind, file, edits): bytes flipped, cut off, dropped, zeroed, inserted, repeated."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    name = draw(st.sampled_from(files_of(kind)))
    size = (pristine(kind) / name).stat().st_size
    # Headers and tables of contents lie at the ends, and matter most.
    places = st.one_of(st.integers(0, min(64, size)), st.integers(0, min(2048, size)),
                       st.integers(0, size))
    edits = st.tuples(
        st.sampled_from(["flip", "cut", "drop", "zero", "insert", "repeat", "overwrite"]), places,
        st.booleans(), st.one_of(st.sampled_from(ODD_TEXT), st.binary(min_size=1, max_size=16)))
    return kind, name, draw(st.lists(edits, min_size=1, max_size=4))


def damaged(data: bytes, edits: list[Edit]) -> bytes:
    """``data`` after ``edits``; what is dropped, zeroed or repeated is 1 to 4,096 bytes long."""
    out = bytearray(data)
    for how, place, from_end, what in edits:
        at = max(len(out) - place, 0) if from_end else min(place, len(out))
        length = 4 ** (what[0] % 7)
        if how == "flip" and at < len(out):
            out[at] ^= what[0] or 255
        elif how == "cut":
            del out[at:]
        elif how == "drop":
            del out[at:at + length]
        elif how == "zero":
            out[at:at + length] = bytes(len(out[at:at + length]))
        elif how == "insert":
            out[at:at] = what
        elif how == "repeat":
            out[at:at] = out[at:at + length]
        elif how == "overwrite":
            out[at:at + len(what)] = what
    return bytes(out)


def try_file(case: tuple[str, str, list[Edit]]) -> str:
    """Load data of which one file is damaged; returns what came of it.

    Raises:
        AssertionError: if it took too long, or the sentence is none.
        Exception: whatever else than a ``LabError`` the loader raised.
    """
    kind, name, edits = case
    with tempfile.TemporaryDirectory(prefix="damaged-") as temporary:
        folder = Path(temporary) / "data"
        shutil.copytree(pristine(kind), folder)
        (folder / name).write_bytes(damaged((folder / name).read_bytes(), edits))
        started = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                KINDS[kind].load(folder)
            outcome = f"{kind}: read"
        except LabError as error:
            assert str(error).strip() and "\n" not in str(error), str(error)
            outcome = f"{kind}: refused"
    spent = time.process_time() - started
    assert spent < SECONDS, f"{spent:.1f} s"
    return outcome
