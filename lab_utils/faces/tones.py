"""The Monk skin-tone scale, and conversions between sRGB, linear light and CIELAB."""

import numpy as np

# Monk (2022), "The Monk Skin Tone Scale", skintone.google: the ten swatches as sRGB.
MONK_TONES = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96",
              "a07e56", "825c43", "604134", "3a312a", "292420")

# A rendered face is lit and shaded, a swatch is not; and swatches 1 to 3 hardly differ. The
# albedo of a tone has the hue of its swatch, and this lightness (CIELAB L*) under full light.
TONE_LIGHTNESS = (85.0, 81.5, 78.0, 73.0, 66.0, 56.0, 47.5, 38.5, 30.0, 22.5)


def hex_to_linear(code: str) -> np.ndarray:
    """``"rrggbb"`` in sRGB to three linear values 0..1."""
    return to_linear(np.array([int(code[i:i + 2], 16) for i in (0, 2, 4)]) / 255)


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB values 0..1 to linear light (IEC 61966-2-1)."""
    srgb = np.asarray(srgb, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB values; negative light counts as none."""
    linear = np.clip(linear, 0, None)
    return np.where(linear <= 0.0031308, 12.92 * linear,
                    1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def lightness(linear: np.ndarray) -> np.ndarray:
    """CIELAB L* (0 black, 100 white) of linear RGB ``(..., 3)``, white point D65."""
    luminance = np.asarray(linear) @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def skin_albedo(tone: int) -> np.ndarray:
    """Linear RGB albedo of skin of Monk tone 1 (lightest) to 10 (darkest)."""
    swatch = hex_to_linear(MONK_TONES[tone - 1])
    # Swatches are paler and greyer than lit skin: pale and dark ones most.
    warm = np.array([np.interp(tone, (1, 5, 7, 10), factors) for factors in (
        (1.22, 1.12, 1.12, 1.34), (0.95, 0.97, 0.97, 0.94), (0.80, 0.88, 0.90, 0.78))])
    colour = swatch * warm
    luminance = ((TONE_LIGHTNESS[tone - 1] + 16) / 116) ** 3
    return colour * luminance / (colour @ np.array([0.2126, 0.7152, 0.0722]))
