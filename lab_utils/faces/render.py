"""One face: person to mesh, mesh to samples, samples to a picture."""

import numpy as np

from .asset import Head, load_head
from .background import background
from .camera import photograph
from .growth import BEARDS
from .hair import add_beard, add_hair
from .kernels import rasterize
from .mesh import EYE_LEFT, EYE_RIGHT, LASH, LENS, Mesh, rotation, unit
from .person import EYE_COLORS, HAIR_COLORS, LIPSTICKS, Person
from .shade import Light, Look, shade
from .shape import build_head
from .tones import hex_to_linear, skin_albedo
from .wear import add_glasses, add_hat

SIZE = 64
SAMPLES = 3           # per pixel and axis
SHADOW_SIZE = 160
SHADOW_WIDTH = 4.6    # what the shadow map covers, in units of 0.93 eye-chin distances


def render_person(person: Person, size: int = SIZE, head: Head | None = None) -> np.ndarray:
    """The picture of a person, uint8 ``(size, size, 3)``."""
    head = head or load_head()
    mesh = Mesh()
    skin = build_head(head, person, mesh)
    add_hair(head, person, mesh, skin)
    add_beard(head, person, mesh, skin)
    add_hat(head, person, mesh, skin)
    add_glasses(head, person, mesh, skin)
    parts = mesh.joined()

    # Centre on the eyes and scale by the distance from eyes to chin: age and build move both.
    left, right = (skin[eye].mean(0) for eye in head.eyes)
    eyes = (left + right) / 2
    pivot = np.array([0, eyes[1], eyes[2] - 0.75])
    unit_length = 1.08 / (eyes[1] - skin[head.chin].mean(0)[1])
    turn = rotation(person.yaw, person.pitch, person.roll)
    position, normal = _pose(parts, pivot, unit_length, person, turn)

    samples = size * SAMPLES
    camera = np.array([person.shift[0], person.shift[1] - 0.12, person.distance])
    depth = np.maximum(camera[2] - position[:, 2], 0.5)
    zoom = samples / person.scale * camera[2] / depth
    points = np.stack([samples / 2 + (position[:, 0] - camera[0]) * zoom,
                       samples / 2 - (position[:, 1] - camera[1]) * zoom, depth], 1)
    edges = parts["cut"], parts["strand"], parts["fuzz"]
    visible, _, first, second = rasterize(points, parts["triangles"], samples, *edges,
                                          head.strands)
    light = _light(person, camera)
    shadow = _shadow_map(parts, position, light, head)
    behind = background(np.random.default_rng(person.background_seed), size, person.background)
    picture = np.repeat(np.repeat(behind, SAMPLES, 0), SAMPLES, 1)
    look = _look(person, (left - pivot) * unit_length @ turn.T,
                 (right - pivot) * unit_length @ turn.T, turn)
    shade(picture, visible, first, second, parts["triangles"], parts["material"], position,
          normal, parts["rest"], parts["uv"], parts["occlusion"], depth, shadow, head.masks,
          head.noise, look, light)
    covered = visible >= 0
    picture[covered] *= person.exposure
    mean = picture.reshape(size, SAMPLES, size, SAMPLES, 3).mean((1, 3))
    return photograph(mean, np.random.default_rng(person.camera_seed))


def _pose(parts, pivot, unit_length, person, turn):
    """Positions and normals in camera space; the neck bends, the shoulders turn less."""
    q = (parts["vertices"] - pivot) * unit_length
    t = np.clip((q[:, 1:2] + 2.3) / 1.2, 0, 1)
    head_share = t * t * (3 - 2 * t)
    body_turn = rotation(0.35 * person.yaw, 0.1 * person.pitch, 0.2 * person.roll)
    neck = np.array([0, -1.5, -0.1])
    shift = neck @ turn.T - neck @ body_turn.T
    position = head_share * (q @ turn.T) + (1 - head_share) * (q @ body_turn.T + shift)
    normals = parts["normals"]
    normal = unit(head_share * (normals @ turn.T) + (1 - head_share) * (normals @ body_turn.T))
    return position, normal


def _light(person: Person, camera: np.ndarray) -> Light:
    azimuth, elevation = np.radians([person.light_azimuth, person.light_elevation])
    direction = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation),
                          np.cos(azimuth) * np.cos(elevation)])
    right = unit(np.cross([0.0, 1, 0], direction))
    return Light(direction=_vector(direction), right=_vector(right),
                 up=_vector(np.cross(direction, right)), key=float(person.light_key),
                 warmth=float(person.light_warmth), ambient=float(person.light_ambient),
                 eye=_vector(camera), shadow_scale=SHADOW_SIZE / SHADOW_WIDTH)


def _shadow_map(parts, position, light: Light, head: Head) -> np.ndarray:
    """Depth seen from the light; eyes, lashes and lenses cast no shadow."""
    axes = np.array([light.right, light.up, light.direction])
    p = (position + [0, 0.3, 0]) @ axes.T
    points = np.stack([SHADOW_SIZE / 2 + p[:, 0] * light.shadow_scale,
                       SHADOW_SIZE / 2 - p[:, 1] * light.shadow_scale, -p[:, 2]], 1)
    casts = ~np.isin(parts["material"], (LASH, EYE_LEFT, EYE_RIGHT, LENS))
    return rasterize(points, parts["triangles"][casts], SHADOW_SIZE, parts["cut"],
                     parts["strand"], parts["fuzz"], head.strands)[1]


def _look(person: Person, left: np.ndarray, right: np.ndarray, turn: np.ndarray) -> Look:
    skin = skin_albedo(person.skin_tone) * person.skin_tint
    tone = float(skin.mean())
    hair = hex_to_linear(HAIR_COLORS[person.hair_color])
    brow = hair if person.hair_color == "black" else 0.6 * hair
    lips = skin * (np.array([0.88, 0.52, 0.52]) if tone > 0.12 else np.array([1.05, 0.72, 0.72]))
    if person.lipstick >= 0:
        lips = 0.35 * lips + 0.65 * hex_to_linear(LIPSTICKS[person.lipstick])
    scalp = {"bald": 0.18 if person.age < 70 else 0.05, "buzz": 0.85}.get(person.hair, 1.0)
    shaven = person.gender == "male" and person.age > 17
    gaze = turn @ rotation(person.gaze[0], person.gaze[1], 0) @ np.array([0, 0, 1.0])
    return Look(
        skin=_vector(skin), lips=_vector(lips), hair=_vector(hair), brow=_vector(brow),
        iris=_vector(hex_to_linear(EYE_COLORS[person.eye_color])),
        frame=_vector(person.frame_color), hat=_vector(person.hat_color),
        cloth=_vector(person.cloth_color), tone=tone, blush=float(person.blush),
        eyelid=float(person.eyelid_dark), lashes=float(person.lashes),
        brow_thickness=float(person.brow_thickness), brow_arch=float(person.brow_arch),
        brow_density=float(person.brow_density),
        wrinkles=float(np.clip((person.age - 45) / 35, 0, 1)),
        eye_bags=0.3 if person.age > 50 else 0.1, freckles=float(person.freckles and tone > 0.3),
        fringe=float(person.fringe), recession=float(person.recession), scalp=float(scalp),
        bare=person.hair == "bald", curly=person.curly,
        ribs=0.12 if person.hat == "beanie" else 0.0, beard=BEARDS[person.beard],
        shaven=(0.13 if tone > 0.2 else 0.05) if shaven else 0.0,
        neckline=float(person.neckline), offset=_vector(person.noise_offset),
        gaze=_vector(gaze), eye_left=_vector(left), eye_right=_vector(right),
        up=_vector(turn[:, 1]))


def _vector(x: np.ndarray) -> tuple[float, float, float]:
    return float(x[0]), float(x[1]), float(x[2])
