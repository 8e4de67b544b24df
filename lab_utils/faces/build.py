"""Build the default set in ``data/faces`` and verify it."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import LabError
from ..files import sha256, write_text, written_whole
from .dataset import FILES, FOLDER
from .faceset import FaceSet
from .records import encode, join_records, read_records, write_records

SEED = 2024
# file: (faces, non-faces); each split has its own streams of persons.
COUNTS = {"train-faces.tfrecord.gz": (12000, 0), "train-nonfaces.tfrecord.gz": (0, 10000),
          "validation.tfrecord.gz": (2000, 2000), "test.tfrecord.gz": (4000, 4000)}
STREAMS = {"train-faces.tfrecord.gz": 10, "train-nonfaces.tfrecord.gz": 11,
           "validation.tfrecord.gz": 20, "test.tfrecord.gz": 30}
CHECKSUMS = "SHA256SUMS"
ALSO_CHECKED = ("head.npz", "contact_sheet.png", "contact_sheet_nonfaces.png")
CHUNK = 500


def balanced(first: int, n: int) -> dict[str, list]:
    """Tone and gender of pictures ``first .. first + n - 1``: every combination in turn."""
    indices = range(first, first + n)
    return {"skin_tone": [1 + i % 10 for i in indices],
            "gender": [("female", "male")[i // 10 % 2] for i in indices]}


def rows_of(pictures: FaceSet) -> Iterator[dict]:
    """Rows for ``write_records``."""
    for i in range(len(pictures)):
        row = {name: values[i] for name, values in pictures.attributes.items()}
        yield row | {"image": encode(pictures.images[i]), "label": pictures.labels[i]}


def render_chunks(name: str, scale: float, progress: bool) -> Iterator[tuple[str, Callable]]:
    """Name of each chunk of a file, and a function that renders it."""
    from .produce import render_faces, render_nonfaces

    faces, nonfaces = (round(count * scale) for count in COUNTS[name])
    stream = STREAMS[name]
    for first in range(0, faces, CHUNK):
        n = min(CHUNK, faces - first)
        yield f"faces-{first:06}", partial(render_faces, n, SEED, stream=stream, first=first,
                                           progress=progress, **balanced(first, n))
    for first in range(0, nonfaces, CHUNK):
        n = min(CHUNK, nonfaces - first)
        yield f"nonfaces-{first:06}", partial(render_nonfaces, n, SEED, stream=stream + 5,
                                              first=first, progress=progress)


def build(folder: Path = FOLDER, scale: float = 1.0, progress: bool = True) -> None:
    """Render the whole set: about 8 minutes on two cores.

    An interrupted build goes on where it stopped: finished chunks wait in a hidden folder.

    Args:
        folder: where to.
        scale: fraction of the default number of pictures; the contact sheets are made at 1.
    """
    folder = Path(folder)
    kept = folder / f".build-{SEED}-{scale:g}"
    for name in COUNTS:
        parts = []
        for chunk, render in render_chunks(name, scale, progress):
            parts.append(kept / name.split(".")[0] / f"{chunk}.tfrecord.gz")
            if not parts[-1].exists():
                write_records(parts[-1], rows_of(render()))
        join_records(folder / name, parts)
        print(f"{name}: {(folder / name).stat().st_size / 1e6:.1f} MB")
    if scale == 1:
        contact_sheets(folder, progress)
    write_checksums(folder)
    shutil.rmtree(kept)


def contact_sheets(folder: Path, progress: bool = True) -> None:
    """A sheet of 100 faces and one of 100 pictures that show none, at twice their size."""
    from PIL import Image

    from .produce import render_faces, render_nonfaces

    for name, pictures in (("contact_sheet.png", render_faces(100, 1, progress=progress)),
                           ("contact_sheet_nonfaces.png", render_nonfaces(100, 1,
                                                                          progress=progress))):
        tiles = np.pad(pictures.images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=40)
        side = tiles.shape[1]
        sheet = tiles.reshape(10, 10, side, side, 3).swapaxes(1, 2).reshape(10 * side, -1, 3)
        with written_whole(folder / name) as temporary:
            Image.fromarray(sheet).resize((20 * side, 20 * side), Image.Resampling.NEAREST).save(
                temporary, optimize=True)


def write_checksums(folder: Path = FOLDER) -> None:
    """Write ``SHA256SUMS`` over the files that are there (readable by ``sha256sum -c``)."""
    names = [name for name in (*COUNTS, *ALSO_CHECKED) if (folder / name).exists()]
    write_text(folder / CHECKSUMS, "".join(f"{sha256(folder / n)}  {n}\n" for n in names))


def verify(folder: Path = FOLDER) -> list[str]:
    """Check files, checksums, counts and balance; return one line per thing checked.

    Raises:
        LabError: at the first thing that is wrong.
    """
    folder = Path(folder)
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        expected = {name: digest for digest, name in (line.split() for line in lines)}
    except (OSError, ValueError) as error:
        raise LabError(f"{folder / CHECKSUMS} is missing or damaged: restore it with git.") \
            from error
    report = []
    for name in COUNTS:
        if name not in expected:
            raise LabError(f"{folder / CHECKSUMS} does not list {name}: restore it with git.")
    for name, digest in expected.items():
        if not (folder / name).is_file():
            raise LabError(f"{folder / name} is missing: restore it with git.")
        if sha256(folder / name) != digest:
            raise LabError(f"{folder / name} is damaged: its SHA-256 is not the one in "
                           f"{CHECKSUMS}. Restore it with git.")
        report.append(f"{name}: checksum as expected")
    people: dict[tuple[int, int], str] = {}
    for split, names in FILES.items():
        _, columns = read_records([folder / name for name in names])
        faces = columns["label"] == 1
        tones = np.bincount(columns["skin_tone"][faces], minlength=11)[1:]
        if tones.max() - tones.min() > 1:
            raise LabError(f"The split {split} is not balanced over tones: build it again.")
        for person in zip(columns["stream"], columns["index"], strict=True):
            if people.setdefault(person, split) != split:
                raise LabError(f"A person is in {split} and {people[person]}: build them again.")
        report.append(f"{split}: {faces.sum()} faces ({tones.min()} of each tone), "
                      f"{(~faces).sum()} non-faces")
    return report
