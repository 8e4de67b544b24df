"""Outputs of a network for many pictures, with the mistakes one makes when feeding it."""

import functools

import numpy as np

from ..errors import LabError


def as_images(images: np.ndarray, shape: tuple[int, int, int] = (64, 64, 3)) -> np.ndarray:
    """Images ``(n, h, w, c)`` as uint8, or as float32 from 0 to 1, checked.

    Raises:
        LabError: for another shape, another range, or NaN.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != shape:
        raise LabError(f"The images have shape {images.shape}: give (n, *{shape}), resized if need "
                       "be.")
    if images.dtype == np.uint8:
        return images
    images = images.astype(np.float32)
    if not np.isfinite(images).all():
        raise LabError("Some pixels are NaN or infinite: remove those images.")
    if len(images) and (images.min() < -1e-3 or images.max() > 1 + 1e-3):
        raise LabError(f"The pixels go from {images.min():g} to {images.max():g}: divide by 255, "
                       "so that they lie between 0 and 1, or give uint8.")
    return images


def outputs(model, images: np.ndarray, width: int | None = None,
            batch_size: int = 1000) -> np.ndarray:
    """The network's outputs ``(n, width)`` for images uint8 or 0 to 1.

    Args:
        model: a Keras model that takes floats from 0 to 1.
        width: how many outputs it must have; None: any number.

    Raises:
        LabError: for images that do not fit, or another width.
    """
    images = as_images(images, tuple(model.input_shape[1:]))
    if len(model.output_shape) != 2 or width not in (None, model.output_shape[1]):
        raise LabError(f"The model gives outputs of shape {model.output_shape}, (batch, "
                       f"{width or 'outputs'}) is needed: look at its last layer.")
    scale = np.float32(255 if images.dtype == np.uint8 else 1)
    run = _compiled(model)
    parts = [run(images[start:start + batch_size].astype(np.float32) / scale).numpy()
             for start in range(0, len(images), batch_size)]
    return np.concatenate(parts) if parts else np.zeros((0, model.output_shape[1]), np.float32)


@functools.lru_cache(maxsize=16)
def _compiled(model):
    """The model for batches of any size: two thirds of the time of a plain call."""
    import tensorflow as tf  # here, for its import takes seconds

    return tf.function(model, input_signature=[tf.TensorSpec((None, *model.input_shape[1:]))])
