"""Grids of pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from ..errors import LabError


def as_pictures(images: np.ndarray) -> np.ndarray:
    """Images ``(n, h, w[, 1 or 3])``, uint8 or floats, as floats 0 to 1 that imshow draws."""
    images = np.asarray(images)
    scale = 255 if images.dtype == np.uint8 else 1
    images = np.clip(images.astype(np.float32) / scale, 0, 1)
    return images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images


def grid(images: np.ndarray, columns: int | None = None, captions: Sequence[str] | None = None,
         title: str | None = None, size: float = 0.85):
    """Pictures in rows; returns the figure.

    Args:
        images: ``(n, h, w[, 1 or 3])``.
        columns: pictures a row; by default all in one.
        captions: one above each picture.
        size: of a picture, inches.

    Raises:
        LabError: if there is no picture, or not one caption a picture.
    """
    pictures = as_pictures(images)
    if len(pictures) == 0:
        raise LabError("There is no picture to show: the selection is empty.")
    if captions is not None and len(captions) != len(pictures):
        raise LabError(f"{len(captions)} captions for {len(pictures)} pictures: give one each.")
    columns = min(columns or len(pictures), len(pictures))
    rows = -(-len(pictures) // columns)
    fig, axes = plt.subplots(rows, columns, squeeze=False, figsize=(
        size * columns, size * rows * (1.25 if captions is not None else 1) + 0.3 * bool(title)))
    for ax in axes.flat:
        ax.axis("off")
    for i, picture in enumerate(pictures):
        axes.flat[i].imshow(picture, cmap="gray", vmin=0, vmax=1)
        if captions is not None:
            axes.flat[i].set_title(captions[i], fontsize=8)
    if title:
        fig.suptitle(title, fontsize=10)
    return fig
