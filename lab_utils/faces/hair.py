"""Hair and beard: shells over the scalp, a curtain for long hair, a bun.

A shell is the body mesh moved outward. Its edge, and the lower end of long hair, are cut in the
rasteriser along a line made ragged by noise that is constant along a strand.
"""

import numpy as np

from .asset import Head, smooth
from .growth import BEARDS, beard_at, hairline_at
from .kernels import noise_at, vertex_normals
from .mesh import BEARD, HAIR, Mesh, grid_triangles, sphere, unit
from .person import Person

THICKNESS = {"bald": 0.0, "buzz": 0.025, "short": 0.09, "volume": 0.2, "bob": 0.13, "long": 0.12,
             "updo": 0.08, "afro": 0.45}


def add_hair(head: Head, person: Person, mesh: Mesh, skin: np.ndarray) -> None:
    """Add the hair over the morphed head ``skin`` (v, 3)."""
    thickness = THICKNESS[person.hair] * person.hair_thickness
    if person.hat in ("beanie", "cap"):
        thickness = min(thickness, 0.06)
    if thickness <= 0 or person.hat == "scarf":
        return
    rest, angle, form = head.vertices, head.angle, person.hair_form
    above = hairline_at(rest, person.fringe, person.recession)
    outward = vertex_normals(skin, head.body_triangles)
    side, top = smooth(30, 80, angle), smooth(7.5, 8.3, rest[:, 1])
    cropped = person.gender == "male" and person.hair in ("short", "volume")
    depth = thickness * (1 - (0.65 if cropped else 0.2) * side * (1 - top))
    if person.hair == "volume":
        depth = depth * (1 + (0.3 + 0.7 * form[5]) * top * smooth(120, 20, angle))
    edge = 0.35 if person.hair == "afro" else 0.22
    depth = depth * smooth(-0.02, edge, above) ** 0.7
    lumps = noise_at(head.noise[1], rest, 22.0 if person.curly else 9.0, person.noise_offset)
    depth = np.maximum(depth * (1 + lumps * (0.16 if person.curly else 0.12)), 0)
    direction = outward.copy()
    eye_height = skin[head.eyes[0], 1].mean()
    if person.hair == "afro":
        direction = 0.5 * unit(skin - [0, eye_height + 0.15, 0.3]) + 0.5 * outward
    elif person.fringe == 0:
        direction[:, 1] += 0.25
    shell = skin + direction * depth[:, None]
    margin = np.where(head.ears, np.minimum(above, rest[:, 1] - 7.42), above)
    near = (margin > -0.25) & head.is_body & (rest[:, 1] > 6.5)
    triangles = head.body_triangles[near[head.body_triangles].all(1)]
    strand = np.arctan2(rest[:, 0], rest[:, 2] - 0.2) * 0.32 \
        + 0.1 * rest[:, 1] * (np.abs(angle - 90) < 40)
    mesh.add(shell + 0.004 * outward, triangles, HAIR, rest=rest,
             normals=vertex_normals(shell, triangles),
             occlusion=np.where(head.is_body, 0.65 + 0.35 * smooth(0, 0.35, above), 1),
             cut=margin - 0.01, strand=strand, fuzz=0.03 + 0.02 * min(1, 3 * person.fringe))
    if person.hair in ("bob", "long"):
        _add_curtain(person, mesh, shell[near], eye_height, skin[near, 2].mean() * 0.6 + 0.1)
    elif person.hair == "updo":
        radius = 0.3 + 0.15 * form[0]
        crown = shell[near][np.argmax(shell[near][:, 1])] + [0, 0.35 * radius, -0.35]
        points, faces = sphere(17, 11)
        rough = 1 + 0.06 * noise_at(head.noise[1], points, 6.0, person.noise_offset)
        mesh.add(crown + radius * points * rough[:, None], faces, HAIR, normals=points)


def _add_curtain(person: Person, mesh: Mesh, cap: np.ndarray, eye_height: float,
                 middle: float) -> None:
    """Long hair: a sheet that hangs from the cap round the sides and the back."""
    form, columns, rows = person.hair_form, 65, 26
    opening = np.radians(44 + 20 * form[0])
    azimuth = np.linspace(opening, 2 * np.pi - opening, columns)
    centre = np.array([0, 0, middle])
    around = np.arctan2(cap[:, 0], cap[:, 2] - middle)
    distance = np.hypot(cap[:, 0], cap[:, 2] - middle)
    level = np.abs(cap[:, 1] - (eye_height + 0.25)) < 0.35
    turn = np.abs(np.angle(np.exp(1j * (around[None, :] - azimuth[:, None]))))
    radius = np.where(level & (turn < 0.3), distance, 0.82).max(1)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    radius = np.convolve(np.pad(radius, 6, mode="edge"), kernel / kernel.sum(), "valid") + 0.03

    top = eye_height + 0.5
    end = (6.0 + 0.55 * form[1] if person.hair == "bob" else 4.6 + 1.2 * form[1]) \
        - 7.28 + eye_height
    v = np.linspace(0, 1, rows)
    flare = -0.12 + 0.27 * form[2] if person.hair == "bob" else -0.06 + 0.32 * form[2]
    waves = 0.04 + 0.06 * form[3] if person.curly else 0.05 * form[3]
    phase = 6.28 * form[4]
    r = radius[:, None] * (1 - 0.12 * np.exp(-(v / 0.12) ** 2)) + flare * v ** 1.2 \
        + waves * np.sin(14 * v + phase + np.sin(3 * azimuth)[:, None])
    # The two front edges turn inward, so that hair lies against cheek and neck.
    from_edge = np.minimum(azimuth - opening, 2 * np.pi - opening - azimuth)
    r = r * (1 - 0.14 * np.exp(-(from_edge / 0.22) ** 2)[:, None] * (0.3 + 0.7 * v))
    y = np.broadcast_to(top + (end - top) * v, r.shape) \
        + 0.10 * np.sin(17 * azimuth + phase)[:, None] * v
    points = np.stack([np.sin(azimuth)[:, None] * r, y,
                       np.cos(azimuth)[:, None] * r * np.where(np.cos(azimuth) < 0, 1.05, 1)[
                           :, None]], -1).reshape(-1, 3) + centre
    triangles = grid_triangles(columns, rows)
    normals = vertex_normals(points, triangles)
    out = (points - centre) * [1, 0, 1]
    normals *= np.where((normals * out).sum(1, keepdims=True) < 0, -1, 1)
    # Ragged lower end; front edges that thin out, the more the lower.
    below = (1 - v)[None, :] * (top - end) - 0.05
    ahead = from_edge[:, None] * 0.55 - 0.05 * v[None, :] - 0.01
    strand = azimuth[:, None] * 0.35 + 0.03 * v[None, :]     # finer would alias
    mesh.add(points, triangles, HAIR, normals=normals,
             occlusion=np.tile(0.9 - 0.25 * v, columns) * np.repeat(
                 0.75 + 0.25 * smooth(0, 0.4, from_edge), rows),
             cut=np.minimum(below, ahead).ravel(), strand=strand.ravel(),
             fuzz=np.where(ahead < below, 0.025, 0.06).ravel())


def add_beard(head: Head, person: Person, mesh: Mesh, skin: np.ndarray) -> None:
    """Add a beard that stands out from the face (stubble is only painted)."""
    length = {"moustache": 0.05, "goatee": 0.07, "full": person.beard_length}.get(person.beard, 0)
    if not length:
        return
    rest = head.vertices
    cover = beard_at(rest, head.lips, BEARDS[person.beard])
    outward = vertex_normals(skin, head.body_triangles)
    shell = skin + outward * (length * cover)[:, None]
    hang = cover * smooth(6.55, 6.2, rest[:, 1])
    shell += np.array([0, -0.6 * length, 0.1 * length]) * hang[:, None]
    triangles = head.body_triangles[(cover > 0.02)[head.body_triangles].any(1)]
    if len(triangles):
        mesh.add(shell + 0.004 * outward, triangles, BEARD, rest=rest,
                 normals=vertex_normals(shell, triangles), cut=cover - 0.4,
                 strand=rest[:, 0] * 0.7, fuzz=0.12)
