"""Load the built set of rendered faces and of pictures that show no face."""

from pathlib import Path

import numpy as np

from ..config import DATA
from ..errors import LabError
from .faceset import Bias, FaceSet
from .records import decode, read_records

FOLDER = DATA / "faces"
FILES = {"train": ("train-faces.tfrecord.gz", "train-nonfaces.tfrecord.gz"),
         "validation": ("validation.tfrecord.gz",), "test": ("test.tfrecord.gz",)}
DEFAULT_FACES = 4000


def load_faces(split: str = "train", bias: Bias | None = None, faces: int | None = None,
               nonfaces: int | None = None, seed: int = 0, folder: Path = FOLDER) -> FaceSet:
    """Faces and pictures that show no face, in random order.

    Args:
        split: ``"train"`` (a pool balanced over the ten skin tones), ``"validation"`` or
            ``"test"`` (balanced over tone and gender together). No person is in two splits.
        bias: draw the faces with these shares of tones and poses; ``None`` draws evenly.
        faces, nonfaces: how many of each. By default all of the split; with a bias, 4000 faces
            and as many pictures that show no face.
        seed: of the draw and the order.

    Returns:
        A ``FaceSet`` with images uint8 ``(n, 64, 64, 3)``, labels and attributes.

    Raises:
        LabError: for an unknown split, more pictures than there are, or damaged files.
    """
    if split not in FILES:
        raise LabError(f"split={split!r} is unknown: choose one of {', '.join(FILES)}.")
    data, columns = read_records([Path(folder) / name for name in FILES[split]])
    rng = np.random.default_rng([seed, sorted(FILES).index(split)])
    if bias is not None:
        faces = DEFAULT_FACES if faces is None else faces
        nonfaces = faces if nonfaces is None else nonfaces
    chosen = []
    for label, wanted, name in ((1, faces, "faces"), (0, nonfaces, "nonfaces")):
        pool = np.flatnonzero(columns["label"] == label)
        wanted = len(pool) if wanted is None else wanted
        if not 0 <= wanted <= len(pool):
            raise LabError(f"{name}={wanted}: the split {split!r} has {len(pool)}; ask for 0 to "
                           f"{len(pool)}.")
        if label and bias is not None:
            among = {key: columns[key][pool] for key in ("skin_tone", "yaw")}
            chosen.append(pool[bias.select(among, wanted, rng)])
        else:
            chosen.append(rng.permutation(pool)[:wanted])
    order = rng.permutation(np.concatenate(chosen))
    columns = {name: values[order] for name, values in columns.items()}
    labels = columns.pop("label").astype(np.uint8)
    return FaceSet(decode(data[order]), labels, columns)
