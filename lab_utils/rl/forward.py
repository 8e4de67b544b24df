"""A policy's forward pass for acting: a few observations a call, many thousand calls."""

import functools
from collections.abc import Callable

import numpy as np

from ..quiet import quiet_start

with quiet_start():
    import keras
    import tensorflow as tf

ACTIVATIONS = {keras.activations.linear: lambda x: x,
               keras.activations.relu: lambda x: np.maximum(x, 0),
               keras.activations.tanh: np.tanh}


class Logits(np.ndarray):
    """An array that also answers to ``numpy()``, as the tensors that a model gives."""

    def numpy(self) -> np.ndarray:
        """The plain array."""
        return np.asarray(self)


def forward(model: keras.Model) -> Callable:
    """The model as a quick function: inputs (batch, ...) to outputs (batch, ...).

    A ``Sequential`` of ``Dense`` layers runs in NumPy: a call of TensorFlow takes many times
    longer than the products of a few rows. The weights are copied, so call this again after an
    update. Any other model runs compiled by TensorFlow, with the weights that it has when called.
    """
    layers = _dense_layers(model)
    if layers is None:
        return _compiled(model)

    def run(x):
        x = np.asarray(x, np.float32)
        for kernel, bias, activation in layers:
            x = activation(x @ kernel + bias)
        return x.view(Logits)
    return run


def _dense_layers(model: keras.Model) -> list | None:
    """(kernel, bias, activation) of each layer, or None if they are not all plain Dense ones."""
    if type(model) is not keras.Sequential:
        return None
    layers = []
    for layer in model.layers:
        if (type(layer) is not keras.layers.Dense or layer.compute_dtype != "float32"
                or layer.activation not in ACTIVATIONS):
            return None
        kernel = np.array(keras.ops.convert_to_numpy(layer.kernel))   # a copy
        bias = np.array(keras.ops.convert_to_numpy(layer.bias)) if layer.use_bias else 0
        layers.append((kernel, bias, ACTIVATIONS[layer.activation]))
    return layers


@functools.lru_cache(maxsize=4)
def _compiled(model: keras.Model) -> Callable:
    step = tf.function(lambda x: model(x), reduce_retracing=True)   # for any number of rows
    return lambda x: step(tf.constant(x, tf.float32))
