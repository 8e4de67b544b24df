"""What is behind the subject: drawn from noise and simple geometry, no photographs."""

import colorsys

import numpy as np

from .kernels import blur
from .tones import to_linear

SHARES = {"plain": .12, "gradient": .14, "cloth": .2, "shapes": .16, "room": .2, "outdoors": .18}


def color(rng: np.random.Generator, dark: float = 0.06, light: float = 0.95) -> np.ndarray:
    """A colour as rooms and streets have it (sRGB): often warm or blue-grey, seldom loud."""
    u = rng.random(3)
    hue = (0.08 + 0.05 * rng.standard_normal()) if u[0] < 0.4 else (
        0.58 + 0.06 * rng.standard_normal()) if u[0] < 0.7 else u[1]
    return np.array(colorsys.hsv_to_rgb(hue % 1, 0.75 * rng.beta(1.2, 2.4),
                                        dark + (light - dark) * u[2]))


def cloud(rng: np.random.Generator, size: int, slope: float | None = None) -> np.ndarray:
    """Random field ``(size, size)`` with spectrum ``f^-slope``, zero mean, unit variance."""
    slope = rng.uniform(1.2, 3.2) if slope is None else slope
    stretch = rng.uniform(0.5, 2, 2)
    f = np.hypot(np.fft.fftfreq(size)[:, None] * stretch[0],
                 np.fft.rfftfreq(size)[None] * stretch[1])
    f[0, 0] = 1
    spectrum = np.exp(2j * np.pi * rng.random(f.shape)) * f ** (-slope / 2)
    field = np.fft.irfft2(spectrum, (size, size))
    return (field - field.mean()) / (field.std() + 1e-9)


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def background(rng: np.random.Generator, size: int, kind: str | None = None) -> np.ndarray:
    """One background ``(size, size, 3)``, linear light 0..1, of a kind or a drawn one."""
    if kind is None:
        kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    if kind == "grey":
        return np.full((size, size, 3), 0.18)
    picture = {"plain": _plain, "gradient": _gradient, "cloth": _cloth, "shapes": _shapes,
               "room": _room, "outdoors": _outdoors}[kind](rng, size)
    return to_linear(np.clip(picture, 0, 1))


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    return x, y


def _plain(rng, size):
    x, y = _grid(size)
    return color(rng) * (1 - rng.uniform(0, 0.3) * np.hypot(x - 0.5, y - 0.5))[..., None]


def _gradient(rng, size):
    x, y = _grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    t = np.clip(1.2 * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)) + 0.5, 0, 1)
    return color(rng) * t[..., None] + color(rng) * (1 - t)[..., None]


def _cloth(rng, size):
    a, b = (logistic(cloud(rng, size) * rng.uniform(0.6, 2))[..., None] for _ in range(2))
    picture = color(rng) * a + color(rng) * (1 - a)
    picture = picture * (1 - 0.5 * b) + 0.5 * color(rng) * b
    if rng.random() < 0.4:     # stripes or a check, bent like folds
        x, y = _grid(size)
        angle, n = rng.uniform(0, np.pi), rng.uniform(3, 14)
        bend = 0.04 * cloud(rng, size, 3.0)
        u = np.cos(angle) * x + np.sin(angle) * y + bend
        stripes = 0.5 + 0.5 * np.sin(2 * np.pi * n * u)
        if rng.random() < 0.4:
            stripes = stripes * (0.5 + 0.5 * np.sin(
                2 * np.pi * n * (np.cos(angle) * y - np.sin(angle) * x + bend)))
        picture = picture * (1 - 0.6 * stripes[..., None]) + 0.6 * color(rng) * stripes[..., None]
    return picture


def _shapes(rng, size):
    x, y = _grid(size)
    picture = np.tile(color(rng), (size, size, 1))
    for _ in range(rng.integers(3, 14)):
        (cx, cy), (w, h) = rng.random(2), rng.uniform(0.04, 0.5, 2)
        angle = rng.uniform(0, np.pi)
        u = np.cos(angle) * (x - cx) + np.sin(angle) * (y - cy)
        v = np.cos(angle) * (y - cy) - np.sin(angle) * (x - cx)
        inside = (np.abs(u) < w) & (np.abs(v) < h) if rng.random() < 0.5 else (
            (u / w) ** 2 + (v / h) ** 2 < 1)
        picture[inside] = color(rng) * (1 + 0.3 * v[inside][:, None] / h)
    return blur(picture, rng.uniform(0.3, 3))


def _room(rng, size):
    """A wall with a window, pictures, a shelf of books, lamps; out of focus more or less."""
    x, y = _grid(size)
    wall = color(rng, 0.2, 0.9)
    light = 1 - rng.uniform(0, 0.5) * np.abs(x - rng.random())
    picture = wall * light[..., None] * (1 + 0.05 * cloud(rng, size, 2.5))[..., None]
    corner = rng.uniform(-0.5, 1.5)
    picture[x > corner] *= rng.uniform(0.6, 0.95)
    if rng.random() < 0.5:     # window: bright panes and a frame
        cx, cy = rng.random(2) * [1, 0.6]
        w, h = rng.uniform(0.12, 0.35, 2)
        inside = (np.abs(x - cx) < w) & (np.abs(y - cy) < h)
        sky = np.array([0.8, 0.9, 1.0]) * rng.uniform(0.6, 1.1)
        picture[inside] = (sky * (1 - 0.3 * y[inside][:, None])
                           * (1 + 0.1 * cloud(rng, size, 2.5)[inside][:, None]))
        bars = inside & ((np.abs(x - cx) < 0.02) | (np.abs(y - cy) < 0.02))
        picture[bars] = color(rng)
    if rng.random() < 0.5:     # shelf with books
        left, base, n = rng.uniform(-0.2, 0.6), rng.uniform(0.2, 0.9), rng.integers(5, 14)
        edge = left
        for _ in range(n):
            width, tall = rng.uniform(0.02, 0.07), rng.uniform(0.12, 0.28)
            picture[(x > edge) & (x < edge + width) & (y < base) & (y > base - tall)] = color(rng)
            edge += width
        picture[(x > left) & (x < edge) & (y >= base) & (y < base + 0.03)] = color(rng, .06, .5)
    for _ in range(rng.integers(0, 3)):     # framed pictures
        (cx, cy), (w, h) = rng.random(2), rng.uniform(0.06, 0.2, 2)
        picture[(np.abs(x - cx) < w) & (np.abs(y - cy) < h)] = color(rng)
        inner = (np.abs(x - cx) < 0.8 * w) & (np.abs(y - cy) < 0.8 * h)
        picture[inner] = (color(rng) + 0.15 * cloud(rng, size)[..., None])[inner]
    if rng.random() < 0.3:     # lamp
        cx, cy = rng.random(2)
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.005, 0.05))
        picture = picture + glow[..., None] * np.array([1.0, 0.9, 0.7]) * rng.uniform(0.3, 1)
    return blur(np.clip(picture, 0, 1), rng.uniform(0.4, 3))


def _outdoors(rng, size):
    """Sky, hills or houses, trees and ground, out of focus more or less."""
    x, y = _grid(size)
    horizon = rng.uniform(0.2, 0.9)
    sky = np.array([0.55, 0.72, 0.95]) * rng.uniform(0.6, 1.05)
    if rng.random() < 0.3:
        sky = np.array([0.95, 0.75, 0.6]) * rng.uniform(0.6, 1)
    white = logistic(3 * cloud(rng, size, 3.0))[..., None] * rng.uniform(0, 0.8)
    picture = (sky + (1 - sky) * np.clip(y / horizon, 0, 1)[..., None] * 0.5) * (1 - white) \
        + 0.95 * white
    if rng.random() < 0.5:     # houses with windows
        edge = rng.uniform(-0.1, 0.2)
        while edge < 1:
            width, roof = rng.uniform(0.1, 0.35), horizon - rng.uniform(0.05, 0.6)
            house = (x >= edge) & (x < edge + width) & (y > roof)
            picture[house] = color(rng, 0.2, 0.8)
            across, down = rng.uniform(18, 45, 2)
            windows = house & (np.sin(across * x) > 0.4) & (np.sin(down * y) > 0.3)
            picture[windows] = color(rng, 0.05, 0.6)
            edge += width + rng.uniform(-0.02, 0.1)
    else:                      # hills
        for _ in range(rng.integers(1, 4)):
            ridge = horizon - 0.15 * cloud(rng, size, 3.2)[0] * rng.random() - 0.1 * rng.random()
            picture[y > ridge[None, :]] = color(rng, 0.15, 0.6) * [0.8, 1.0, 0.85]
    green = np.array([0.25, 0.38, 0.12]) * rng.uniform(0.5, 1.4)
    ground = green if rng.random() < 0.6 else color(rng, 0.2, 0.7)
    below = y > horizon
    picture[below] = (ground * (1 + 0.25 * cloud(rng, size, 1.5)[..., None]))[below]
    for _ in range(rng.integers(0, 5)):     # trees and bushes
        cx, cy, r = rng.random(), horizon - rng.uniform(-0.1, 0.3), rng.uniform(0.08, 0.3)
        crown = (x - cx) ** 2 + (y - cy) ** 2 + 0.25 * r * r * cloud(rng, size, 2.0) < r * r
        leaf = green * rng.uniform(0.4, 1.3) * (1 + 0.35 * cloud(rng, size, 1.2))[..., None]
        picture[crown] = leaf[crown]
    return blur(np.clip(picture, 0, 1), rng.uniform(0.4, 3))
