"""What a check is given: fresh inputs, safe calls, and a record of each property."""

import functools
import types
from dataclasses import dataclass

import numpy as np

from . import guard, probes

MAX_ELEMENTS = 20_000_000


@dataclass
class Property:
    """One line of a check's report."""

    title: str
    passed: bool
    expected: str = ""
    got: str = ""
    hint: str = ""


class Stop(Exception):
    """The rest of a check makes no sense after what was recorded."""


def show(value) -> str:
    """A value in a few characters: an array by its shape, type and first three numbers."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)[:80]
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    try:
        array = np.asarray(value)
    except Exception:
        return type(value).__name__
    if array.dtype == object:
        return type(value).__name__
    numbers = ", ".join(f"{x:.6g}" if array.dtype.kind == "f" else str(x)
                        for x in array.ravel()[:3])
    if array.ndim == 0:
        return numbers
    more = ", ..." if array.size > 3 else ""
    return f"shape {tuple(array.shape)}, {array.dtype}: [{numbers}{more}]"


class Checker:
    """Collects properties. ``rng`` is seeded by the exercise, never by the student's state."""

    def __init__(self, exercise: str, seed: int = 0):
        self.exercise = exercise
        self.rng = np.random.default_rng([seed, *exercise.encode()])
        self.properties: list[Property] = []

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal numbers, float32."""
        return self.rng.normal(size=shape).astype("float32")

    def call(self, title: str, function, *args, hint: str = "", **kwargs):
        """The student's function on these arguments; a failure is recorded and ends the check."""
        try:
            return guard.call(function, *args, **kwargs)
        except guard.Failed as failure:
            self.fail(title, "an answer", str(failure), hint or "Run your function on its own in "
                      "a new cell, with small inputs.")
            raise Stop from None

    def gradients(self, title: str, function, *args, wrt: tuple[int, ...],
                  pick: int | None = None) -> tuple:
        """The student's function on these arguments, arrays as tensors, and the gradients of the
        sum of its value (of item ``pick``) in the arguments at the positions ``wrt``; None where
        none flows. A failure ends the check."""
        there = isinstance(function, guard.Guarded)
        return self.call(title, function.differentiated(wrt, pick) if there else functools.partial(
            probes.differentiate, function, wrt, pick), *args)

    @staticmethod
    def compiled(function):
        """The student's function under ``tf.function``."""
        import tensorflow as tf

        return (function.compiled() if isinstance(function, guard.Guarded)
                else tf.function(lambda *args: function(*args)))

    @staticmethod
    def is_a(value, kind: str) -> bool:
        """Whether it is a Keras "model" or "layer"."""
        import keras

        if isinstance(value, guard.Guarded):
            return value.kind == "model" or kind == "layer"
        return isinstance(value, keras.Model if kind == "model" else keras.layers.Layer)

    def array(self, title: str, value, shape: tuple | None = None, hint: str = "",
              integer: bool = False) -> np.ndarray:
        """``value`` as a NumPy array of this shape and finite numbers, or the check ends."""
        expected = ("an array" if shape is None else f"shape {tuple(shape)}") + (
            " of integers" if integer else "")
        problem = None
        if value is None:
            problem = "None: is a return missing?"
        elif isinstance(value, types.GeneratorType):
            problem = "a generator: use return, not yield"
        else:
            try:
                value = guard.call(np.asarray, value)
            except (guard.Failed, guard.Todo) as failure:
                problem = f"{type(value).__name__}, which is no array ({failure})"
            else:
                problem = self._array_problem(value, shape, integer)
        if problem:
            self.fail(title, expected, problem, hint or "Look at the shapes and types in the "
                      "docstring.")
            raise Stop
        return value

    @staticmethod
    def _array_problem(array: np.ndarray, shape, integer: bool) -> str | None:
        if array.size > MAX_ELEMENTS:
            return f"{array.size:,} numbers"
        if array.dtype.kind not in "fiub":
            return f"elements of type {array.dtype}"
        if shape is not None and array.shape != tuple(shape):
            return show(array)
        if integer and array.dtype.kind not in "iu":
            return show(array)
        if not np.isfinite(array).all():
            return f"{int((~np.isfinite(array)).sum())} of {array.size} numbers are NaN or infinite"
        return None

    def that(self, title: str, passed: bool, expected="", got="", hint: str = "") -> bool:
        """Record a property."""
        self.properties.append(Property(title, bool(passed), show(expected), show(got), hint))
        return bool(passed)

    def fail(self, title: str, expected, got, hint: str) -> None:
        """Record a property that does not hold."""
        self.that(title, False, expected, got, hint)

    def close(self, title: str, got, want, hint: str, tolerance: float = 1e-4) -> bool:
        """Record whether ``got`` has the shape of ``want`` and its values, within ``tolerance``
        of the largest of them."""
        want = np.asarray(want)
        try:
            got = self.array(title, got, want.shape, hint)
        except Stop:
            return False
        scale = max(1.0, float(np.abs(want).max(initial=0)))
        right = bool(np.all(np.abs(got.astype("float64") - want) <= tolerance * scale))
        return self.that(title, right, want, got, hint)
