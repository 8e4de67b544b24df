"""A mesh with what shading needs at each vertex, and simple solids to build one from."""

from dataclasses import dataclass, field

import numpy as np

from .kernels import vertex_normals

# Materials of triangles.
SKIN, EYE_LEFT, EYE_RIGHT, HAIR, TEETH, TONGUE, LASH, FRAME, LENS, HAT, BEARD = range(11)
WHOLE = 1e3    # a "cut" far above any threshold: nothing is dropped


@dataclass
class Mesh:
    """Pieces added one by one, then joined. See ``kernels.rasterize`` for cut, strand, fuzz."""

    pieces: list[dict[str, np.ndarray]] = field(default_factory=list)
    count: int = 0

    def add(self, vertices, triangles, material, rest=None, uv=None, normals=None, occlusion=1.0,
            cut=WHOLE, strand=0.0, fuzz=0.0) -> None:
        """Add a piece of ``(n, 3)`` vertices; other arguments are per vertex or one value.

        ``rest`` are the positions that textures are painted in (the vertices by default).
        """
        n = len(vertices)
        vertices = np.ascontiguousarray(vertices, np.float64)
        triangles = np.ascontiguousarray(triangles, np.int32)
        self.pieces.append({
            "vertices": vertices, "triangles": triangles + np.int32(self.count),
            "material": np.broadcast_to(np.asarray(material, np.int8), len(triangles)),
            "rest": vertices if rest is None else rest,
            "uv": np.zeros((n, 2)) if uv is None else uv,
            "normals": vertex_normals(vertices, triangles) if normals is None else normals,
            **{key: np.broadcast_to(np.asarray(value, np.float64), n)
               for key, value in dict(occlusion=occlusion, cut=cut, strand=strand,
                                      fuzz=fuzz).items()}})
        self.count += n

    def joined(self) -> dict[str, np.ndarray]:
        """All pieces as one: arrays by name."""
        return {key: np.concatenate([piece[key] for piece in self.pieces])
                for key in self.pieces[0]}


def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles of a grid of ``rows x columns`` vertices."""
    i = np.arange((rows - 1) * (columns - 1))
    a = i // (columns - 1) * columns + i % (columns - 1)
    return np.concatenate([np.stack([a, a + 1, a + columns], 1),
                           np.stack([a + 1, a + columns + 1, a + columns], 1)]).astype(np.int32)


def sphere(around: int = 25, down: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere."""
    a, b = np.meshgrid(np.linspace(0, 2 * np.pi, around), np.linspace(0, np.pi, down),
                       indexing="ij")
    points = np.stack([np.cos(a) * np.sin(b), np.cos(b), np.sin(a) * np.sin(b)], -1)
    points = np.round(points, 9)    # the sine of pi differs between machines, and powers enlarge it
    return points.reshape(-1, 3), grid_triangles(around, down)


def torus(thickness: float, around: int = 31, across: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """Ring of outer radius 1 whose tube has radius ``thickness``."""
    a, b = np.meshgrid(np.linspace(0, 2 * np.pi, around), np.linspace(0, 2 * np.pi, across),
                       indexing="ij")
    radius = 1 - thickness + thickness * np.cos(b)
    points = np.stack([radius * np.cos(a), radius * np.sin(a), thickness * np.sin(b)], -1)
    return points.reshape(-1, 3), grid_triangles(around, across)


def tube(path: np.ndarray, radius: float, closed: bool,
         sides: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A tube along the points ``(n, 3)``."""
    n = len(path)
    if closed:
        ahead, behind = np.roll(path, -1, 0), np.roll(path, 1, 0)
    else:
        ahead = np.vstack([path[1:], 2 * path[-1:] - path[-2:-1]])
        behind = np.vstack([2 * path[:1] - path[1:2], path[:-1]])
    tangent = unit(ahead - behind)
    up = np.where(np.abs(tangent[:, 2:3]) < 0.9, [[0.0, 0, 1]], [[0.0, 1, 0]])
    side = unit(np.cross(tangent, up))
    other = np.cross(tangent, side)
    a = np.arange(sides) / sides * 2 * np.pi
    points = path[:, None] + radius * (np.cos(a)[None, :, None] * side[:, None]
                                       + np.sin(a)[None, :, None] * other[:, None])
    i, s = np.meshgrid(np.arange(n if closed else n - 1), np.arange(sides), indexing="ij")
    j, t = (i + 1) % n, (s + 1) % sides
    triangles = np.concatenate([
        np.stack([i * sides + s, j * sides + s, j * sides + t], -1).reshape(-1, 3),
        np.stack([i * sides + s, j * sides + t, i * sides + t], -1).reshape(-1, 3)])
    return points.reshape(-1, 3), triangles.astype(np.int32)


def unit(x: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1 along the last axis."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3) from degrees: first yaw about y, then pitch about x, then roll."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians([yaw, pitch, roll])) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y
