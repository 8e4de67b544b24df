"""What is no face: objects, body parts, backs of heads, scrambled faces, dummies, textures.

Backgrounds and camera are those of the faces, and skin colours occur as often, so that neither
colour nor noise nor framing gives the class away.
"""

from dataclasses import replace

import numpy as np

from .asset import Head, load_head
from .background import background, cloud, color, logistic
from .camera import photograph
from .kernels import noise_at, rasterize, vertex_normals
from .mesh import rotation, sphere, torus, unit
from .person import HAIR_COLORS, draw_person
from .render import SAMPLES, SIZE, render_person
from .tones import hex_to_linear, skin_albedo, to_linear

KINDS = {"scene": .09, "objects": .24, "body part": .14, "back of head": .20,
         "scrambled face": .13, "random phase": .04, "dummy": .12, "texture": .04}
SOLIDS = ("ellipsoid", "superquadric", "torus", "box", "cylinder", "blob", "vase")


def render_nonface(rng: np.random.Generator, kind: str | None = None, size: int = SIZE,
                   head: Head | None = None) -> tuple[str, np.ndarray]:
    """One picture of no face: its kind and uint8 ``(size, size, 3)``."""
    head = head or load_head()
    drawn = str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    kind = kind or drawn
    if kind == "scene":
        return kind, photograph(background(rng, size), rng)
    if kind == "texture":
        t = logistic(rng.uniform(1, 4) * cloud(rng, size))[..., None]
        picture = _skin(rng) * t + _paint(rng) * (1 - t) * rng.uniform(0.05, 1)
        return kind, photograph(picture, rng)
    if kind == "back of head":
        return kind, _back_of_head(rng, size, head)
    if kind in ("scrambled face", "random phase"):
        face = render_person(draw_person(rng), size, head)
        return kind, (_scramble if kind == "scrambled face" else _random_phase)(rng, face)
    parts = {"objects": _objects, "body part": _body_part, "dummy": _dummy}[kind](rng, head)
    return kind, _photograph_solids(rng, parts, size, head)


def _skin(rng: np.random.Generator) -> np.ndarray:
    return skin_albedo(int(rng.integers(1, 11)))


def _paint(rng: np.random.Generator) -> np.ndarray:
    return _skin(rng) if rng.random() < 0.65 else to_linear(color(rng))


def _turned(rng: np.random.Generator) -> np.ndarray:
    return rotation(*rng.uniform(-180, 180, 3)).T


def _solid(rng: np.random.Generator, head: Head) -> tuple[np.ndarray, np.ndarray]:
    points, triangles = sphere()
    kind = SOLIDS[rng.integers(len(SOLIDS))]
    stretch = rng.uniform(0.4, 1, 3)
    if kind == "ellipsoid":
        points = points * stretch
    elif kind == "superquadric":
        e = rng.uniform(0.2, 2.5, 2)
        points = np.sign(points) * np.abs(points) ** e[[0, 1, 0]]
    elif kind == "box":
        points = np.sign(points) * np.abs(points) ** 0.12 * stretch
    elif kind == "cylinder":
        radius = np.maximum(np.hypot(points[:, 0], points[:, 2]), 0.35)
        points = points / np.stack([radius, np.ones_like(radius), radius], 1) * stretch
    elif kind == "blob":
        lumps = noise_at(head.noise[1], points, rng.uniform(3, 9), rng.uniform(0, 64, 3))
        points = points * (1 + 0.3 * lumps)[:, None]
    elif kind == "vase":
        waist = 0.3 + 0.7 * np.sin(points[:, 1] * rng.uniform(2, 5) + rng.uniform(0, 6)) ** 2
        points = points * np.stack([waist, np.ones_like(waist), waist], 1)
    else:
        points, triangles = torus(rng.uniform(0.2, 0.45))
    return points, triangles


def _objects(rng, head):
    """One to four solids: (vertices, triangles, colour, frequency of the pattern) each."""
    parts = []
    for _ in range(rng.integers(1, 5)):
        points, triangles = _solid(rng, head)
        place = np.append(rng.normal(0, 0.5, 2), rng.normal(0, 0.5))
        parts.append((points * rng.uniform(0.45, 1.3) @ _turned(rng) + place, triangles,
                      _paint(rng), rng.uniform(2, 30)))
    return parts


def _body_part(rng, head):
    points, triangles = head.limbs[list(head.limbs)[rng.integers(len(head.limbs))]]
    points = points - points.mean(0)
    points = points / np.abs(points).max() * rng.uniform(1.3, 2.6)
    place = np.append(rng.normal(0, 0.3, 2), 0)
    return [(points @ _turned(rng) + place, triangles, _skin(rng), rng.uniform(4, 12))]


def _dummy(rng, head):
    """A head without features: egg, cap of hair, neck, shoulders."""
    ball, triangles = sphere()
    skin, turn = _skin(rng), rotation(*(rng.normal(0, 1, 3) * [20, 8, 8])).T
    egg = np.array([rng.uniform(0.55, 0.72), rng.uniform(0.75, 0.95), 0.7])
    hair = ball * (egg * 1.08)
    hair[:, 1] = np.maximum(hair[:, 1], 0.1 + 0.3 * (hair[:, 2] > 0))
    hair[:, 2] -= 0.12
    hair_color = hex_to_linear(list(HAIR_COLORS.values())[rng.integers(len(HAIR_COLORS))])
    return [(ball * egg @ turn, triangles, skin, 8.0), (hair @ turn, triangles, hair_color, 30.0),
            (ball * [0.3, 0.8, 0.3] + [0, -1.0, -0.1], triangles, skin, 8.0),
            (ball * [1.5, 0.6, 0.6] + [0, -1.6, -0.1], triangles, to_linear(color(rng)), 10.0)]


def _back_of_head(rng, size, head):
    """A face's person from behind. Beyond 38 degrees a profile would show."""
    yaw, pitch = 180 + rng.uniform(-38, 38), float(np.clip(rng.normal(0, 10), -25, 25))
    return render_person(replace(draw_person(rng), yaw=yaw, pitch=pitch), size, head)


def _scramble(rng, face):
    """Blocks of a face in random places, half of the time turned as well."""
    size = len(face)
    block = size // int(rng.choice([4, 8]))
    n = size // block
    blocks = face.reshape(n, block, n, block, 3).transpose(0, 2, 1, 3, 4).reshape(-1, block,
                                                                               block, 3)
    blocks = blocks[rng.permutation(n * n)]
    if rng.random() < 0.5:
        blocks = np.stack([np.rot90(b, rng.integers(4)) for b in blocks])
    return blocks.reshape(n, n, block, block, 3).transpose(0, 2, 1, 3, 4).reshape(face.shape)


def _random_phase(rng, face):
    """A face's spectrum with random phases: its colours and grain without its form."""
    spectrum = np.fft.fft2(face / 255, axes=(0, 1))
    phase = np.angle(np.fft.fft2(rng.random(face.shape[:2])))[..., None]
    picture = np.fft.ifft2(spectrum * np.exp(1j * phase), axes=(0, 1)).real
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def _photograph_solids(rng, parts, size, head):
    """Solids with a pattern, a key light with a highlight, before a background."""
    samples = size * SAMPLES
    behind = background(rng, size)
    offset, grain = rng.uniform(0, 64, 3), rng.uniform(0, 0.35)
    vertices, normals, colors, triangles, count = [], [], [], [], 0
    for points, faces, paint, frequency in parts:
        points = np.ascontiguousarray(points, np.float64)
        pattern = noise_at(head.noise[1], points, frequency, offset)
        vertices.append(points)
        normals.append(vertex_normals(points, faces))
        colors.append(paint * np.exp(grain * pattern)[:, None])
        triangles.append(faces + np.int32(count))
        count += len(points)
    vertices, normals, colors, triangles = map(np.concatenate,
                                               (vertices, normals, colors, triangles))
    scale = samples / 3
    screen = np.stack([samples / 2 + vertices[:, 0] * scale, samples / 2 - vertices[:, 1] * scale,
                       10 - vertices[:, 2]], 1)
    none = np.zeros(0)
    seen, _, first, second = rasterize(screen, triangles, samples, none, none, none, none)
    covered = seen >= 0
    corners = triangles[seen[covered]]
    weights = np.stack([first[covered], second[covered]], 1)
    weights = np.append(weights, 1 - weights.sum(1, keepdims=True), 1)[..., None]
    normal = unit((normals[corners] * weights).sum(1))
    normal[normal[:, 2] < 0] *= -1
    paint = (colors[corners] * weights).sum(1)
    light = unit(np.array([rng.normal(), rng.normal(0.4, 0.5), 1.0]))
    half = unit(light + [0, 0, 1])
    ambient, key, gloss, power = rng.uniform((0.3, 0.4, 0.0, 8), (0.62, 1.05, 0.25, 60))
    shaded = paint * (ambient * (0.75 + 0.25 * normal[:, 1:2])
                      + key * np.clip(normal @ light, 0, 1)[:, None])
    shaded += gloss * (np.clip(normal @ half, 0, 1) ** power)[:, None]
    picture = np.repeat(np.repeat(behind, SAMPLES, 0), SAMPLES, 1)
    picture[covered] = shaded * np.exp(rng.normal(0, 0.16))
    return photograph(picture.reshape(size, SAMPLES, size, SAMPLES, 3).mean((1, 3)), rng)
