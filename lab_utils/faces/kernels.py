"""The loops that NumPy cannot do fast, compiled by numba: morphing, normals, noise, z-buffer.

Everything is in float64 and without ``fastmath``: elementary functions of different machines
differ in the last bit, which at this precision does not reach an 8-bit pixel. The compiled code
is cached beside this file (or in numba's user cache), so only the first call waits for it.
"""

import math

import numpy as np
from numba import njit

NOISE_SIZE = 64


@njit(cache=True, nogil=True)
def smoothstep(low, high, x):
    """0 below ``low``, 1 above ``high``, a cubic between; ``low > high`` falls instead."""
    t = (x - low) / (high - low)
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True, nogil=True)
def bump(x, width):
    """Gaussian ``exp(-(x / width)^2)``, cut to 0 where it would vanish."""
    t = x / width
    t *= t
    return math.exp(-t) if t < 12.0 else 0.0


@njit(cache=True, nogil=True)
def interpolate(x, xs, ys):
    """Piecewise linear through ``(xs, ys)``; constant outside."""
    if x <= xs[0]:
        return ys[0]
    for i in range(1, len(xs)):
        if x < xs[i]:
            t = (x - xs[i - 1]) / (xs[i] - xs[i - 1])
            return ys[i - 1] + t * (ys[i] - ys[i - 1])
    return ys[-1]


@njit(cache=True, nogil=True)
def noise(volume, x, y, z):
    """Trilinear look-up in a periodic noise volume ``(64, 64, 64)``, unit variance."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    tx, ty, tz = x - fx, y - fy, z - fz
    n = NOISE_SIZE
    i, j, k = int(fx) % n, int(fy) % n, int(fz) % n
    i1, j1, k1 = (i + 1) % n, (j + 1) % n, (k + 1) % n
    a = (volume[i, j, k] * (1 - tz) + volume[i, j, k1] * tz) * (1 - ty) \
        + (volume[i, j1, k] * (1 - tz) + volume[i, j1, k1] * tz) * ty
    b = (volume[i1, j, k] * (1 - tz) + volume[i1, j, k1] * tz) * (1 - ty) \
        + (volume[i1, j1, k] * (1 - tz) + volume[i1, j1, k1] * tz) * ty
    return a * (1 - tx) + b * tx


@njit(cache=True, nogil=True)
def noise_at(volume, points, frequency, offset):
    """Noise at every point ``(n, 3)``, at ``point * frequency + offset``."""
    out = np.empty(len(points))
    for i in range(len(points)):
        out[i] = noise(volume, points[i, 0] * frequency + offset[0],
                       points[i, 1] * frequency + offset[1],
                       points[i, 2] * frequency + offset[2])
    return out


@njit(cache=True, nogil=True)
def morph(base, starts, vertex, delta, chosen, weights):
    """Base mesh plus the weighted sum of sparse targets.

    Target ``t`` moves the vertices ``vertex[starts[t]:starts[t + 1]]`` by ``delta`` there.
    """
    out = base.copy()
    for c in range(len(chosen)):
        w = weights[c]
        for e in range(starts[chosen[c]], starts[chosen[c] + 1]):
            v = vertex[e]
            out[v, 0] += w * delta[e, 0]
            out[v, 1] += w * delta[e, 1]
            out[v, 2] += w * delta[e, 2]
    return out


@njit(cache=True, nogil=True)
def vertex_normals(points, triangles):
    """Unit normals ``(n, 3)``, area-weighted over the triangles at each vertex."""
    out = np.zeros_like(points)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = (points[j, 0] - points[i, 0], points[j, 1] - points[i, 1],
                      points[j, 2] - points[i, 2])
        bx, by, bz = (points[k, 0] - points[i, 0], points[k, 1] - points[i, 1],
                      points[k, 2] - points[i, 2])
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        for v in (i, j, k):
            out[v, 0] += nx
            out[v, 1] += ny
            out[v, 2] += nz
    for v in range(len(points)):
        length = math.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2)
        if length > 1e-12:
            out[v] /= length
    return out


@njit(cache=True, nogil=True)
def rasterize(points, triangles, size, cut, strand, fuzz, strands):
    """Z-buffer of triangles on a ``size x size`` grid of samples.

    A fragment is dropped where ``cut + fuzz * strands(strand) < 0``: hair ends and edges are
    ragged by a noise that is constant along a strand.

    Args:
        points: ``(n, 3)`` column, row, depth (larger is farther).
        cut, strand, fuzz: ``(n,)`` per vertex; an empty ``cut`` drops nothing.
        strands: table of noise over the fractional part of ``strand``.

    Returns:
        triangle index (-1 where empty), depth, and two barycentric weights, each
        ``(size, size)``.
    """
    triangle = np.full((size, size), -1, np.int32)
    depth = np.full((size, size), 1e9)
    first = np.zeros((size, size))
    second = np.zeros((size, size))
    table = len(strands)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = (points[i, 0], points[i, 1], points[j, 0], points[j, 1],
                                  points[k, 0], points[k, 1])
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9:
            continue
        left = max(int(math.ceil(min(x0, x1, x2) - 0.5)), 0)
        right = min(int(math.floor(max(x0, x1, x2) - 0.5)), size - 1)
        top = max(int(math.ceil(min(y0, y1, y2) - 0.5)), 0)
        bottom = min(int(math.floor(max(y0, y1, y2) - 0.5)), size - 1)
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(left, right + 1):
                px = x + 0.5
                a = ((x1 - px) * (y2 - py) - (x2 - px) * (y1 - py)) / area
                b = ((x2 - px) * (y0 - py) - (x0 - px) * (y2 - py)) / area
                c = 1.0 - a - b
                if a < 0 or b < 0 or c < 0:
                    continue
                z = a * points[i, 2] + b * points[j, 2] + c * points[k, 2]
                if z >= depth[y, x] - 1e-9:     # of equals the first, on any machine
                    continue
                if len(cut):
                    margin = a * cut[i] + b * cut[j] + c * cut[k]
                    if margin < 100.0:
                        s = (a * strand[i] + b * strand[j] + c * strand[k]) * table
                        f = math.floor(s)
                        q = int(f) % table
                        r = s - f
                        value = strands[q] * (1 - r) + strands[(q + 1) % table] * r
                        if margin + value * (a * fuzz[i] + b * fuzz[j] + c * fuzz[k]) < 0:
                            continue
                depth[y, x] = z
                triangle[y, x] = t
                first[y, x] = a
                second[y, x] = b
    return triangle, depth, first, second


@njit(cache=True, nogil=True)
def blur(image, sigma):
    """Separable Gaussian blur of ``(h, w, c)``, edges repeated."""
    radius = int(3.0 * sigma + 1.0)
    weight = np.empty(2 * radius + 1)
    for i in range(2 * radius + 1):
        weight[i] = math.exp(-0.5 * ((i - radius) / sigma) ** 2)
    weight /= weight.sum()
    height, width, channels = image.shape
    rows = np.zeros_like(image)
    out = np.zeros_like(image)
    for y in range(height):
        for d in range(-radius, radius + 1):
            yy = min(max(y + d, 0), height - 1)
            for x in range(width):
                for c in range(channels):
                    rows[y, x, c] += weight[d + radius] * image[yy, x, c]
    for y in range(height):
        for x in range(width):
            for d in range(-radius, radius + 1):
                xx = min(max(x + d, 0), width - 1)
                for c in range(channels):
                    out[y, x, c] += weight[d + radius] * rows[y, xx, c]
    return out
