"""200 small real photographs, for looking beyond rendered faces. Never trained on."""

import numpy as np


def load_photos(size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """The 100 faces and 100 other patches of ``skimage.data.lfw_subset``, made as large as ours.

    They are grey, 25 x 25 pixels, from Labeled Faces in the Wild (Huang and others, 2007).

    Returns:
        images float32 ``(200, size, size, 3)``, 0 to 1, three equal channels; labels ``(200,)``,
        1 for a face.
    """
    from PIL import Image
    from skimage.data import lfw_subset

    small = np.asarray(lfw_subset(), np.float32)
    resized = np.stack([np.asarray(Image.fromarray(image).resize(
        (size, size), Image.Resampling.BICUBIC)) for image in small])
    images = np.repeat(np.clip(resized, 0, 1)[..., None], 3, axis=-1)
    return images.astype(np.float32), np.repeat([1, 0], 100)
