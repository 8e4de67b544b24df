"""Glasses and hats."""

import numpy as np

from .asset import Head, smooth
from .kernels import vertex_normals
from .mesh import FRAME, HAT, LENS, Mesh, grid_triangles, tube, unit
from .person import Person


def add_glasses(head: Head, person: Person, mesh: Mesh, skin: np.ndarray) -> None:
    """Rims, bridge and temples; dark lenses for sunglasses."""
    if person.glasses == "none":
        return
    form = person.glasses_form
    left, right = (skin[eye].mean(0) for eye in head.eyes)
    half = abs(left[0] - right[0]) / 2 + 0.03
    height = (left[1] + right[1]) / 2
    front = max(skin[eye, 2].max() for eye in head.eyes) + 0.14
    power = 2 / (2 + 3 * form[0])        # 1: round rims, below: square
    width, tall = 0.23 + 0.06 * form[1], 0.16 + 0.07 * form[2]
    if person.glasses == "sun":
        width, tall = width + 0.02, tall + 0.03
    thick = 0.012 + 0.018 * form[3]
    t = np.arange(28) / 28 * 2 * np.pi
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power * width
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power * tall
    for sign in (1, -1):
        centre = np.array([sign * half, height - 0.03, front])
        ring = centre + np.stack([x, y, -0.12 * np.maximum(0, sign * x)], 1)
        mesh.add(*tube(ring, thick, True), FRAME)
        if person.glasses == "sun":
            n = len(ring)
            fan = np.array([[i, (i + 1) % n, n] for i in range(n)])
            bulge = unit(np.vstack([(ring - centre) * [0.9, 0.9, 0] + [0, 0, 0.35], [0, 0, 1]]))
            mesh.add(np.vstack([ring, centre + [0, 0, 0.02]]), fan, LENS, normals=bulge)
        hinge = ring[0 if sign > 0 else 14] + [0, 0.4 * tall, -0.05]
        temple = np.array([hinge, [sign * 0.78, height + 0.06, 0.9],
                           [sign * 0.8, height + 0.02, 0.4]])
        mesh.add(*tube(temple, thick, False), FRAME)
    bridge = np.array([[width - half, height + 0.03, front], [0, height + 0.07, front + 0.05],
                       [half - width, height + 0.03, front]])
    mesh.add(*tube(bridge, thick, False), FRAME)


def add_hat(head: Head, person: Person, mesh: Mesh, skin: np.ndarray) -> None:
    """A beanie, a cap with a brim, or a head scarf: shells over the skull."""
    if person.hat == "none":
        return
    rest, angle = head.vertices, head.angle
    if person.hat == "scarf":
        line = np.interp(angle, [0, 35, 50, 60], [7.95, 7.85, 7.4, 6.2])
        above = np.maximum(rest[:, 1] - line, np.maximum((angle - 58) / 60, 6.13 - rest[:, 1]))
        near = head.is_body & (above > -0.3) & (rest[:, 1] > 5.2)
        depth = 0.12 * smooth(0, 0.12, above) + 0.03 + 0.05 * head.ears
    else:
        heights = [7.86, 7.78, 7.55, 7.25] if person.hat == "beanie" else [7.84, 7.76, 7.62, 7.4]
        above = rest[:, 1] - np.interp(angle, [0, 60, 100, 180], heights)
        near = head.is_body & (above > -0.3)
        if person.hat == "beanie":
            depth = 0.1 + 0.12 * smooth(8.1, 8.5, rest[:, 1]) + 0.06 * (above < 0.32)
        else:
            depth = 0.12 + 0.14 * smooth(7.9, 8.4, rest[:, 1])
    outward = vertex_normals(skin, head.body_triangles)
    shell = skin + outward * np.broadcast_to(depth, len(skin))[:, None]
    triangles = head.body_triangles[near[head.body_triangles].any(1)]
    mesh.add(shell, triangles, HAT, rest=rest, normals=vertex_normals(shell, triangles), cut=above)
    if person.hat == "cap":
        _add_brim(person, mesh, shell, near & (np.abs(above) < 0.09) & (angle < 80))


def _add_brim(person: Person, mesh: Mesh, shell: np.ndarray, rim: np.ndarray) -> None:
    """The brim starts inside the cap, above its edge, so that no gap opens between them."""
    points = shell[rim]
    around = np.arctan2(points[:, 0], points[:, 2] - 0.35)
    azimuth = np.linspace(-1.25, 1.25, 29)
    near = np.exp(-((around[None, :] - azimuth[:, None]) / 0.12) ** 2) + 1e-12
    edge = (near / near.sum(1, keepdims=True)) @ points
    edge = edge * [0.97, 1, 1] + [0, 0.05, -0.1]
    length = (0.6 + 0.25 * person.hair_form[7]) * np.cos(azimuth / 1.25 * np.pi / 2 * 0.97) ** 0.6
    v = np.linspace(0, 1, 8)[None]
    grid = np.stack([edge[:, None, 0] * (1 + 0.1 * v),
                     edge[:, None, 1] - 0.30 * v * length[:, None]
                     - 0.06 * (azimuth ** 2)[:, None] * v,
                     edge[:, None, 2] + length[:, None] * v], -1).reshape(-1, 3)
    mesh.add(grid, grid_triangles(29, 8), HAT, normals=np.tile(unit(np.array([0, 0.95, 0.3])),
                                                               (len(grid), 1)))
