"""Photographs of real faces, through the same interface as the rendered ones.

None of these sets may be passed on, so none is shipped: download one from its authors, accept
their terms, and give its path.
"""

import csv
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import LabError
from ..files import sha256
from .faceset import FaceSet

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
UTK_GENDERS = ("male", "female")
UTK_RACES = ("white", "black", "asian", "indian", "other")


def load_course_faces(path: str | Path, checksum: str | None = None, limit: int | None = None,
                      seed: int = 0) -> FaceSet:
    """The MIT 6.S191 file ``train_face.h5``: CelebA faces and ImageNet pictures.

    Args:
        path: the HDF5 file, with ``images`` uint8 ``(n, h, w, 3)`` in BGR order and ``labels``
            ``(n,)`` or ``(n, 1)``.
        checksum: expected SHA-256 of the file, if you know it.
        limit: take this many at random (the file holds over 100,000: 1.3 GB).
        seed: of that draw.

    Raises:
        LabError: if the file is missing, damaged, has another checksum or other arrays.
    """
    import h5py

    path = _existing(path)
    if checksum is not None and sha256(path) != checksum.lower():
        raise LabError(f"{path} has another SHA-256 than the one given: download it again.")
    try:
        with h5py.File(path) as file:
            images, labels = file["images"], file["labels"]
            if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or len(
                    labels) != len(images):
                raise LabError(f"{path} holds images of shape {images.shape} and labels of shape "
                               f"{labels.shape}: expected (n, h, w, 3) uint8 and (n,).")
            chosen = _chosen(len(images), limit, seed)
            return FaceSet(np.ascontiguousarray(images[chosen][..., ::-1]),
                           np.asarray(labels[chosen]).reshape(-1).astype(np.uint8))
    except LabError:
        raise
    except Exception as error:   # h5py raises many kinds
        reason = " ".join(str(error).split())[:100]
        raise LabError(f"{path} is no HDF5 file with 'images' and 'labels', or is cut short "
                       f"({reason}): download it again.") from error


def load_celeba(folder: str | Path, size: int = 64, limit: int | None = None,
                seed: int = 0) -> FaceSet:
    """CelebA: a folder with ``list_attr_celeba.txt`` and the images, in it or in
    ``img_align_celeba``. The 40 attributes become columns of 0 and 1, ``Male`` also ``gender``.

    Raises:
        LabError: if the list or an image is missing or damaged.
    """
    folder = _existing(folder)
    path = _existing(folder / "list_attr_celeba.txt")
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    names = lines[1].split() if len(lines) > 1 else []
    rows = [line.split() for line in lines[2:] if line.strip()]
    if not names or not rows or any(len(row) != len(names) + 1 for row in rows) or not all(
            value in ("1", "-1", "0") for row in rows for value in row[1:]):
        raise LabError(f"{path} is damaged: expected a count, a line of names, then one line per "
                       "image with its name and 1 or -1 for each.")
    inner = folder / "img_align_celeba"
    rows = [rows[i] for i in _chosen(len(rows), limit, seed)]
    values = np.array([row[1:] for row in rows], int)
    columns = {name.lower(): (values[:, i] > 0).astype(np.int64) for i, name in enumerate(names)}
    if "male" in columns:
        columns["gender"] = np.where(columns["male"] == 1, "male", "female")
    images = _read([(inner if inner.is_dir() else folder) / row[0] for row in rows], size)
    return _faces(images, columns)


def load_fairface(table: str | Path, size: int = 64, limit: int | None = None,
                  seed: int = 0) -> FaceSet:
    """FairFace: a CSV with ``file, age, gender, race``; files relative to the CSV's folder.

    ``age`` becomes the middle of the range that FairFace gives, ``age_group`` the range.

    Raises:
        LabError: if a column, a value or an image is missing or damaged.
    """
    table = _existing(table)
    try:
        with open(table, encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, csv.Error) as error:
        raise LabError(f"{table} is no CSV file ({error}): download it again.") from error
    missing = [name for name in ("file", "age", "gender", "race")
               if not rows or any(row.get(name) is None for row in rows)]
    if missing:
        raise LabError(f"{table} lacks the column {missing[0]!r} in some row, or has no rows: "
                       "expected the label file of FairFace.")
    rows = [rows[i] for i in _chosen(len(rows), limit, seed)]
    columns = {"age": np.array([_middle(row["age"], table) for row in rows], np.float32),
               "age_group": np.array([row["age"] for row in rows]),
               "gender": np.array([str(row["gender"]).lower() for row in rows]),
               "race": np.array([str(row["race"]) for row in rows])}
    return _faces(_read([table.parent / row["file"] for row in rows], size), columns)


def load_utkface(folder: str | Path, size: int = 64, limit: int | None = None,
                 seed: int = 0) -> FaceSet:
    """UTKFace: images named ``age_gender_race_date.jpg``. Files without all three are left out
    (the published set has a few).

    Raises:
        LabError: if there is no such image, or one is damaged.
    """
    folder = _existing(folder)
    found = []
    for path in sorted(folder.rglob("*")):
        words = path.name.split("_")
        if path.suffix.lower() in SUFFIXES and len(words) >= 4 and all(
                word.isdigit() for word in words[:3]):
            age, gender, race = map(int, words[:3])
            if age <= 120 and gender < len(UTK_GENDERS) and race < len(UTK_RACES):
                found.append((path, age, UTK_GENDERS[gender], UTK_RACES[race]))
    if not found:
        raise LabError(f"{folder} has no images named like 25_0_1_2017.jpg "
                       "(age_gender_race_date): give the folder of UTKFace.")
    found = [found[i] for i in _chosen(len(found), limit, seed)]
    paths, ages, genders, races = zip(*found, strict=True)
    return _faces(_read(paths, size), {"age": np.array(ages, np.float32),
                                       "gender": np.array(genders), "race": np.array(races)})


def _existing(path: str | Path) -> Path:
    path = Path(path).expanduser()
    if not path.exists():
        raise LabError(f"{path} does not exist: give the path of the downloaded data.")
    return path


def _chosen(n: int, limit: int | None, seed: int) -> np.ndarray:
    """Sorted indices: all, or ``limit`` at random."""
    if limit is not None and limit < 1:
        raise LabError(f"limit={limit}: ask for 1 image or more.")
    if limit is None or limit >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))


def _middle(ages: str, table: Path) -> float:
    """``"20-29"`` to 24.5, ``"more than 70"`` to 75."""
    try:
        if ages.startswith("more than"):
            return float(ages.split()[-1]) + 5
        low, high = ages.split("-")
        return (float(low) + float(high)) / 2
    except ValueError as error:
        raise LabError(f"{table} has the age {ages!r}: expected a range such as '20-29'.") \
            from error


def _read(paths: Iterable[Path], size: int) -> np.ndarray:
    """Images cut to their middle square and scaled: uint8 ``(n, size, size, 3)``."""
    def one(path: Path) -> np.ndarray:
        try:
            with Image.open(path) as picture:
                picture = picture.convert("RGB")
        except Exception as error:   # Pillow raises many kinds
            raise LabError(f"{path} is missing or cannot be decoded as an image: remove it from "
                           "the list or download it again.") from error
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        box = (left, top, left + side, top + side)
        return np.asarray(picture.resize((size, size), Image.Resampling.BOX, box=box))

    return np.stack(_in_threads(one, paths))


def _in_threads(one: Callable, items: Iterable) -> list:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, items))


def _faces(images: np.ndarray, columns: dict[str, np.ndarray]) -> FaceSet:
    """All faces; the skin tone is unknown (0), as none of the sets labels it."""
    columns = {"skin_tone": np.zeros(len(images), np.int64)} | columns
    return FaceSet(images, np.ones(len(images), np.uint8), columns)
