"""Colour of every visible sample: skin, eyes, hair, cloth, and the light on them (compiled).

Light is a key light with a soft shadow, an ambient part that ambient occlusion darkens, and a
weak fill. Skin lets light bleed past the shadow line, red most (a wrap term instead of
subsurface scattering); hair has Kajiya and Kay's (1989) highlight along the strand.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from .growth import NO_BEARD, STUBBLE, above_hairline, beard_cover
from .kernels import bump, noise, smoothstep
from .mesh import BEARD, EYE_LEFT, EYE_RIGHT, FRAME, HAIR, HAT, LASH, LENS, SKIN, TEETH, TONGUE

LIPS, EYELIDS, EARS, MOUTH = range(4)
Vector = tuple[float, float, float]


class Look(NamedTuple):
    """Colours (linear RGB) and strengths that paint a person."""

    skin: Vector
    lips: Vector
    hair: Vector
    brow: Vector
    iris: Vector
    frame: Vector
    hat: Vector
    cloth: Vector
    tone: float             # mean albedo of the skin
    blush: float
    eyelid: float
    lashes: float
    brow_thickness: float
    brow_arch: float
    brow_density: float
    wrinkles: float
    eye_bags: float
    freckles: float
    fringe: float
    recession: float
    scalp: float            # how much of the hair's colour is painted on the scalp
    bare: bool              # bald: the scalp shows, shaded only above the hairline
    curly: bool
    ribs: float             # knitted ribs of a beanie
    beard: int
    shaven: float           # beard shadow of a shaven man
    neckline: float
    offset: Vector
    gaze: Vector            # unit, camera space
    eye_left: Vector        # centres, camera space
    eye_right: Vector
    up: Vector              # the head's up direction


class Light(NamedTuple):
    """Unit direction towards the key light, its strength and tint, and the ambient light."""

    direction: Vector
    right: Vector           # axes of the shadow map
    up: Vector
    key: float
    warmth: float
    ambient: float
    eye: Vector             # camera position
    shadow_scale: float     # shadow-map cells per unit


@njit(cache=True, nogil=True)
def mask_at(masks, which, u, v):
    """A texture mask, nearest texel; the masks hold the right half of the texture."""
    if u <= 0.5:
        return 0.0
    column = min(max(int(u * 1023 - 512), 0), 511)
    row = min(max(int((1 - v) * 1023), 0), 1023)
    return masks[which, row, column]


@njit(cache=True, nogil=True)
def mix(a, b, t):
    """Colour ``a`` where ``t`` is 0, ``b`` where it is 1."""
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


@njit(cache=True, nogil=True)
def scaled(a, t):
    return (a[0] * t, a[1] * t, a[2] * t)


@njit(cache=True, nogil=True)
def normalized(x, y, z):
    length = math.sqrt(x * x + y * y + z * z) + 1e-12
    return (x / length, y / length, z / length)


@njit(cache=True, nogil=True)
def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True)
def brow_amount(ax, y, z, grain, look):
    """Eyebrows: a thin arched bump above each eye."""
    if z < 0.8 or y < 7.3 or y > 7.75:
        return 0.0
    t = min(max((ax - 0.11) / 0.42, 0.0), 1.3)
    centre = 7.485 + look.brow_arch * math.sin(min(t, 1.0) * math.pi * 0.75) \
        - 0.06 * max(t - 0.7, 0.0)
    width = look.brow_thickness * (1.15 - 0.6 * min(t, 1.1)) * 1.118
    amount = bump(y - centre, width) * smoothstep(-0.05, 0.12, t) * smoothstep(1.1, 0.85, t)
    return min(max(amount * look.brow_density * (1 + 0.25 * grain), 0.0), 0.95)


@njit(cache=True, nogil=True)
def skin_color(x, y, z, u, v, look, masks, volumes):
    """Albedo at a rest position, and whether it is cloth."""
    ax, o = abs(x), look.offset
    fine = noise(volumes[0], x * 24 + o[0] + 9, y * 24 + o[1] + 9, z * 24 + o[2] + 9)
    if y < look.neckline - (0.25 * bump(ax, 0.4) if z > 0.6 else 0.0) + 0.12 * ax:
        return scaled(look.cloth, 1 + 0.06 * fine), True
    coarse = noise(volumes[1], x * 7 + o[0], y * 7 + o[1], z * 7 + o[2])
    c = scaled(look.skin, 1 + 0.035 * coarse + 0.03 * fine)
    ears = mask_at(masks, EARS, u, v)
    lips = 0.0
    blush = 0.5 * ears
    if z > 0.8:
        lips = mask_at(masks, LIPS, u, v)
        blush += bump(ax - 0.42, 0.2) * bump(y - 6.95, 0.17)
        if z > 1.45:
            blush += 0.8 * bump(ax, 0.13) * bump(y - 6.95, 0.1)
    blush *= look.blush * (0.9 if look.tone > 0.12 else 0.4)
    c = (c[0] * (1 - 0.02 * blush), c[1] * (1 - 0.2 * blush), c[2] * (1 - 0.17 * blush))
    if z > 0.8:
        c = mix(c, look.lips, 0.85 * lips)
        c = scaled(c, 1 - 0.8 * look.eyelid * mask_at(masks, EYELIDS, u, v))
        c = scaled(c, 1 - look.eye_bags * bump(ax - 0.32, 0.16) * bump(y - 7.12, 0.05))
        c = mix(c, look.brow, brow_amount(ax, y, z, fine, look))
        if look.freckles > 0 and z > 1:
            spot = look.freckles * bump(y - 7, 0.25) * smoothstep(
                1.2, 2.0, noise(volumes[0], x * 55 + o[0], y * 55 + o[1], z * 55 + o[2]))
            c = (c[0] * (1 - 0.15 * spot), c[1] * (1 - 0.3 * spot), c[2] * (1 - 0.4 * spot))
    if y > 6.6:
        margin = above_hairline(x, y, z, look.fringe, look.recession)
        cover = smoothstep(-0.03, 0.09, margin + 0.03 * fine) * look.scalp
        if look.bare:
            cover *= smoothstep(0.0, 0.3, margin)
        if 6.8 < y < 7.42 and 0.1 < z < 0.85:
            cover *= 1 - smoothstep(0.6, 0.65, ax)      # not on the ears
        c = mix(c, look.hair, cover)
    if look.beard != NO_BEARD:
        cover = beard_cover(x, y, z, lips, look.beard)
        c = mix(c, look.brow, cover * (0.42 if look.beard == STUBBLE else 0.85))
    elif look.shaven > 0:
        shade = look.shaven * beard_cover(x, y, z, lips, STUBBLE)
        c = (c[0] * (1 - shade), c[1] * (1 - 0.9 * shade), c[2] * (1 - 0.75 * shade))
    if z > 0.8 and y < 7:
        c = mix(c, (0.18, 0.05, 0.05), smoothstep(0.4, 0.6, mask_at(masks, MOUTH, u, v)))
    return c, False


@njit(cache=True, nogil=True)
def eye_color(cosine, look):
    """White, iris and pupil by the angle from the gaze."""
    angle = math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
    c = mix((0.70, 0.65, 0.62), scaled(look.iris, 1.25 - 0.5 * smoothstep(18.0, 29.0, angle)),
            smoothstep(32.0, 28.0, angle))
    return mix(c, (0.004, 0.004, 0.004), smoothstep(13.0, 11.0, angle))


@njit(cache=True, nogil=True)
def strand_noise(x, y, z, look, volumes):
    """Light and dark strands; curls instead of strands for curly hair."""
    o = look.offset
    if look.curly:
        return 0.8 * noise(volumes[0], x * 30 + o[0], y * 30 + o[1], z * 30 + o[2]) \
            + 0.6 * noise(volumes[1], x * 16 + o[0], y * 16 + o[1], z * 16 + o[2])
    around = math.atan2(x, z - 0.25) * 2.2
    return 0.8 * noise(volumes[0], around * 22 + o[0], y * 4.8 + o[1], o[2]) \
        + 0.5 * noise(volumes[1], around * 9 + o[0], y * 0.9 + o[1], o[2])


@njit(cache=True, nogil=True)
def shadow(px, py, pz, light, depth):
    """Share of the key light that reaches a point: nine look-ups in the depth map."""
    size = depth.shape[0]
    p = (px, py + 0.3, pz)
    column = size / 2 + dot(p, light.right) * light.shadow_scale
    row = size / 2 - dot(p, light.up) * light.shadow_scale
    d = -dot(p, light.direction)
    lit = 0
    for i in range(-1, 2):
        for j in range(-1, 2):
            r = min(max(int(row + 0.8 * i), 0), size - 1)
            c = min(max(int(column + 0.8 * j), 0), size - 1)
            if d <= depth[r, c] + 0.06:
                lit += 1
    return lit / 9.0


@njit(cache=True, nogil=True)
def shade(picture, triangle, first, second, triangles, material, position, normal, rest, uv,
          occlusion, depth, shadow_depth, masks, volumes, look, light):
    """Fill the covered samples of ``picture`` (size, size, 3), linear light, in place."""
    size = picture.shape[0]
    tint = (1 + light.warmth, 1.0, 1 - light.warmth)
    fill = normalized(-light.direction[0], 0.1, 0.6)
    hair_peak = max(look.hair[0], look.hair[1], look.hair[2], 1e-6)
    p, n, q = np.empty(3), np.empty(3), np.empty(3)
    for row in range(size):
        for column in range(size):
            t = triangle[row, column]
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a = first[row, column] / depth[i]          # perspective-correct weights
            b = second[row, column] / depth[j]
            c = (1 - first[row, column] - second[row, column]) / depth[k]
            total = a + b + c
            a, b, c = a / total, b / total, c / total
            for e in range(3):
                p[e] = a * position[i, e] + b * position[j, e] + c * position[k, e]
                n[e] = a * normal[i, e] + b * normal[j, e] + c * normal[k, e]
                q[e] = a * rest[i, e] + b * rest[j, e] + c * rest[k, e]
            x, y, z = q[0], q[1], q[2]
            sky = a * occlusion[i] + b * occlusion[j] + c * occlusion[k]
            what = material[t]
            view = normalized(light.eye[0] - p[0], light.eye[1] - p[1], light.eye[2] - p[2])
            nn = normalized(n[0], n[1], n[2])
            if what != SKIN and dot(nn, view) < 0:
                nn = (-nn[0], -nn[1], -nn[2])
            specular, rough, scatter, strands = 0.04, 0.5, False, 0.0
            color = (0.0, 0.0, 0.0)
            if what == SKIN:
                u = a * uv[i, 0] + b * uv[j, 0] + c * uv[k, 0]
                v = a * uv[i, 1] + b * uv[j, 1] + c * uv[k, 1]
                color, cloth = skin_color(x, y, z, u, v, look, masks, volumes)
                scatter = not cloth
                specular, rough = (0.01, 0.8) if cloth else (0.035, 0.42)
                if look.wrinkles > 0 and not cloth:
                    where = smoothstep(7.5, 7.65, y) + bump(abs(x) - 0.45, 0.15) * bump(
                        y - 7.15, 0.15)
                    fold = noise(volumes[1], x * 11 + look.offset[0] + 3,
                                 y * 35.2 + look.offset[1] + 3, z * 11 + look.offset[2] + 3)
                    nn = normalized(nn[0], nn[1] + 0.22 * look.wrinkles * fold * min(where, 1.0),
                                    nn[2])
            elif what == EYE_LEFT or what == EYE_RIGHT:
                e0 = look.eye_left if what == EYE_LEFT else look.eye_right
                nn = normalized(p[0] - e0[0], p[1] - e0[1], p[2] - e0[2])
                color = eye_color(dot(nn, look.gaze), look)
                specular, rough = 0.06, 0.12
            elif what == HAIR or what == BEARD:
                strands = strand_noise(x, y, z, look, volumes)
                base = look.hair if what == HAIR else look.brow
                s = math.exp(0.38 * strands)
                color = (max(base[0] + 0.012, 0.014) * s, max(base[1] + 0.012, 0.014) * s,
                         max(base[2] + 0.012, 0.014) * s)
                specular = 0.0
            elif what == TEETH:
                color, specular, rough = (0.62, 0.57, 0.48), 0.04, 0.25
            elif what == TONGUE:
                color, specular, rough = (0.36, 0.12, 0.12), 0.03, 0.35
            elif what == FRAME:
                color, specular, rough = look.frame, 0.08, 0.25
            elif what == LENS:
                # Dark glass that mirrors a little of what is above it.
                glint = 0.012 + 0.05 * smoothstep(0.05, 0.5, nn[1])
                color, specular, rough = (glint, glint, 1.1 * glint), 0.004, 0.2
            elif what == HAT:
                cloth_grain = noise(volumes[1], x * 20 + look.offset[0], y * 20 + look.offset[1],
                                    z * 20 + look.offset[2])
                rib = look.ribs * math.sin(math.atan2(x, z - 0.3) * 60)
                color = scaled(look.hat, (1 + 0.07 * cloth_grain) * (1 + rib))
                specular, rough = 0.01, 0.8
            elif what == LASH:
                color = mix(scaled(look.skin, 0.55), (0.015, 0.015, 0.015), look.lashes)

            lit = shadow(p[0] + 0.03 * nn[0], p[1] + 0.03 * nn[1], p[2] + 0.03 * nn[2], light,
                         shadow_depth)
            facing = dot(nn, light.direction)
            open_sky = light.ambient * (0.72 + 0.28 * nn[1])
            filled = 0.1 * max(dot(nn, fill), 0.0)
            sky = max(sky, 0.0) ** 1.25
            half = normalized(light.direction[0] + view[0], light.direction[1] + view[1],
                              light.direction[2] + view[2])
            gloss = 0.0
            if facing > 0 and lit > 0 and specular > 0:
                power = 2 / (rough * rough)
                toward = min(max(dot(nn, view), 0.0), 1.0)
                grazing = (1 - toward) ** 2
                grazing = grazing * grazing * (1 - toward)
                fresnel = specular + (1 - specular) * 0.3 * grazing
                gloss = min(fresnel * (power + 2) / 8 * max(dot(nn, half), 0.0) ** power, 1.2) \
                    * min(facing, 1.0) * lit * light.key
            along = 0.0
            if what == HAIR or what == BEARD:
                g = dot(nn, look.up)
                tangent = normalized(look.up[0] - g * nn[0], look.up[1] - g * nn[1],
                                     look.up[2] - g * nn[2])
                h = dot(tangent, half)
                along = 0.05 * max(1 - h * h, 0.0) ** 30 * min(max(facing + 0.2, 0.0), 1.0) \
                    * lit * light.key * math.exp(0.5 * strands) * (0.35 if look.curly else 1.0)
            for e in range(3):
                wrap = 0.05
                reach = lit
                if scatter:
                    wrap = (0.29, 0.13, 0.09)[e]
                    if e == 0:
                        reach = lit * (1.25 - 0.25 * lit)    # red light bleeds into the shadow
                diffuse = min(max((facing + wrap) / (1 + wrap), 0.0), 1.0)
                light_here = (open_sky * (0.97, 1.0, 1.04)[e] + filled) * sky \
                    + light.key * tint[e] * diffuse * reach
                value = color[e] * light_here + gloss * tint[e]
                if along > 0:
                    value += along * (0.35 + 0.65 * look.hair[e] / hair_peak)
                picture[row, column, e] = value
