"""Where hair and beard grow, as functions of a position on the rest head (compiled)."""

import math

import numpy as np
from numba import njit

from .kernels import bump, interpolate, smoothstep

NO_BEARD, STUBBLE, MOUSTACHE, GOATEE, FULL = range(5)
BEARDS = {"none": NO_BEARD, "stubble": STUBBLE, "moustache": MOUSTACHE, "goatee": GOATEE,
          "full": FULL}
# Height of the hairline, and of the upper edge of a full beard, at angles (degrees) round the
# head, 0 in front.
HAIRLINE_ANGLE = np.array([0, 20, 35, 50, 62, 72, 82, 92, 112, 128, 150, 180.0])
HAIRLINE_HEIGHT = np.array([8.04, 8.04, 7.97, 7.78, 7.52, 7.3, 7.08, 7.32, 7.38, 6.98, 6.78, 6.72])
BEARD_ANGLE = np.array([0, 12, 20, 35, 55, 70, 85.0])
BEARD_HEIGHT = np.array([6.9, 6.86, 6.72, 6.6, 6.68, 6.9, 7.1])


@njit(cache=True, nogil=True)
def angle_round_head(x, z):
    """Degrees from straight ahead, 0..180."""
    return math.degrees(math.atan2(abs(x), z - 0.35))


@njit(cache=True, nogil=True)
def above_hairline(x, y, z, fringe, recession):
    """Height above the hairline; a fringe lowers it in front, recession raises the temples."""
    angle = angle_round_head(x, z)
    line = interpolate(angle, HAIRLINE_ANGLE, HAIRLINE_HEIGHT)
    return y - line + fringe * smoothstep(75.0, 35.0, angle) - recession * bump(angle - 34, 16.0)


@njit(cache=True, nogil=True)
def beard_cover(x, y, z, lips, kind):
    """How much of a beard of this kind grows here, 0..1. ``lips``: the lips' mask."""
    x = abs(x)
    if kind == NO_BEARD or y > 7.2 or y < 5.9:
        return 0.0
    if kind == MOUSTACHE:
        cover = bump(y - 6.79, 0.06) * smoothstep(0.36, 0.26, x) if z > 1.2 else 0.0
    elif kind == GOATEE:
        cover = smoothstep(0.4, 0.28, x) * smoothstep(6.86, 6.8, y) * smoothstep(5.98, 6.1, y) \
            if z > 1.0 else 0.0
    else:
        angle = angle_round_head(x, z)
        line = interpolate(angle, BEARD_ANGLE, BEARD_HEIGHT)
        cover = smoothstep(-0.02, 0.1, line - y) * smoothstep(5.95, 6.1, y) \
            * smoothstep(88.0, 80.0, angle)
    if math.hypot(x, (y - 6.6) * 1.6) < 0.14:
        return 0.0
    return cover * (1 - smoothstep(0.1, 0.5, lips))


@njit(cache=True, nogil=True)
def hairline_at(points, fringe, recession):
    """``above_hairline`` at points ``(n, 3)``."""
    out = np.empty(len(points))
    for i in range(len(points)):
        out[i] = above_hairline(points[i, 0], points[i, 1], points[i, 2], fringe, recession)
    return out


@njit(cache=True, nogil=True)
def beard_at(points, lips, kind):
    """``beard_cover`` at points ``(n, 3)``."""
    out = np.empty(len(points))
    for i in range(len(points)):
        out[i] = beard_cover(points[i, 0], points[i, 1], points[i, 2], lips[i], kind)
    return out
