"""The camera, the same for faces and for what is no face: blur, tone curve, noise."""

import numpy as np

from .kernels import blur
from .tones import to_srgb


def photograph(linear: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An 8-bit picture ``(h, w, 3)`` of linear light, with blur, contrast and noise drawn."""
    sigma, contrast, brightness, grain = rng.random(4)
    sigma *= 0.65
    if sigma > 0.2:
        linear = blur(linear, sigma)
    bright = linear > 0.75     # film shoulder: highlights are compressed, not clipped
    linear = np.where(bright, 0.75 + 0.25 * np.tanh((linear - 0.75) / 0.25), linear)
    picture = (to_srgb(linear) - 0.5) * (0.9 + 0.22 * contrast) + 0.5 + 0.04 * (brightness - 0.5)
    picture = picture + (0.002 + 0.016 * grain) * rng.standard_normal(picture.shape)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
