"""What checks hand to an answer besides arrays: functions, and a way to take gradients.

The process of a submission has these too, so a check can name them there.
"""

from collections.abc import Callable

import numpy as np


class Parabola:
    """(theta - center)^2, of a number."""

    def __init__(self, center: float):
        self.arguments = (center,)

    def __call__(self, theta):
        return (theta - self.arguments[0]) ** 2


class QuadraticForm:
    """theta . A theta / 2, of a vector; its gradient is A theta for a symmetric A."""

    def __init__(self, A: np.ndarray):
        self.arguments = (A,)

    def __call__(self, theta):
        import tensorflow as tf

        theta = tf.convert_to_tensor(theta)
        A = tf.cast(self.arguments[0], theta.dtype)
        return 0.5 * tf.tensordot(theta, tf.linalg.matvec(A, theta), 1)


def identity(z, name=None):
    """An activation that does nothing."""
    import tensorflow as tf

    return tf.identity(z, name)


FUNCTIONS = {"identity": identity}
MAKERS = {"Parabola": Parabola, "QuadraticForm": QuadraticForm}


def differentiate(function: Callable, wrt: tuple[int, ...], pick: int | None, *args) -> tuple:
    """``function(*args)``, and the gradients of the sum of what it returns.

    Args:
        function: gets arrays as tensors.
        wrt: positions of the arguments to differentiate in.
        pick: which of several returned values to sum; None if one is returned.
        args: its arguments.

    Returns:
        the value, and a list with an array for each of ``wrt``, None where no gradient flows.
    """
    import tensorflow as tf

    args = [tf.constant(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
    variables = [args[index] for index in wrt]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        value = function(*args)
        try:
            total = tf.reduce_sum(tf.convert_to_tensor(value if pick is None else value[pick]))
        except (TypeError, ValueError, IndexError, KeyError):
            return value, [None] * len(wrt)   # no tensor: the check says so
    return value, [None if gradient is None else np.asarray(tf.convert_to_tensor(gradient))
                   for gradient in tape.gradient(total, variables)]
