"""The fast LSTM where it takes other ways than on small layers, and in the lab's own code."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lab_code import functions
from lab_utils import lstm, quiet_start

with quiet_start():
    import keras
    import tensorflow as tf


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 33), rows=st.integers(1, 40), panels=st.integers(1, 5),
       width=st.sampled_from([1, 3, 32]), seed=st.integers(0, 2**31))
def test_panels_give_the_product(batch, rows, panels, width, seed):
    rng = np.random.default_rng(seed)
    h, U = rng.normal(size=(batch, rows)), rng.normal(size=(rows, panels * width))
    panels = tf.transpose(tf.reshape(U, (rows, panels, width)), (1, 0, 2))
    np.testing.assert_allclose(lstm.product(tf.constant(h), panels), h @ U, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 33), units=st.integers(1, 9), large=st.booleans(),
       transpose=st.booleans(), seed=st.integers(0, 2**31))
def test_a_cut_matrix_gives_the_product_of_the_whole(batch, units, large, transpose, seed):
    rng = np.random.default_rng(seed)
    n = 512 if large else units          # large: in double precision more than 8 MB
    U = rng.normal(size=(n, 4 * n))
    h = rng.normal(size=(batch, 4 * n if transpose else n))
    pieces = lstm.cut(tf.constant(U), batch, transpose)
    np.testing.assert_allclose(lstm.product(tf.constant(h), pieces),
                               h @ (U.T if transpose else U), atol=1e-9)


def form(U, batch) -> str:
    """How a recurrent matrix is cut for a batch, "whole" if it is not."""
    pieces = lstm.cut(U, batch)
    return "halves" if isinstance(pieces, list) else {2: "whole", 3: "panels"}[pieces.shape.rank]


@pytest.mark.parametrize(("batch", "units", "expected"), [
    (16, 768, "panels"), (None, 768, "panels"), (16, 8, "halves"), (None, 7, "halves"),
    (8, 768, "halves"), (1, 768, "halves")])
def test_layers_have_keras_values_and_gradients_however_they_are_cut(batch, units, expected):
    rng = np.random.default_rng(3)
    x = tf.constant(rng.normal(size=(batch or 3, 3, 2)), tf.float32)
    theirs, ours = (kind(units, return_sequences=True) for kind in
                    (keras.layers.LSTM, lstm.FastLSTM))
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    assert form(ours.cell.recurrent_kernel.value, batch) == expected

    def run(layer, x):
        with tf.GradientTape() as tape:
            h = layer(x)
            loss = tf.reduce_sum(tf.sin(3 * h))
        return h, tape.gradient(loss, layer.trainable_variables)

    found = []
    for layer in (theirs, ours):   # None: the number of rows is not known when it is compiled
        compiled = tf.function(functools.partial(run, layer),
                               input_signature=[tf.TensorSpec((batch, 3, 2))])
        found.append(tf.nest.flatten(compiled(x)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


@pytest.mark.slow
def test_lab1_learns_and_writes_the_same_with_keras_lstm():
    ids = np.random.default_rng(0).integers(0, 20, 500).astype("int32")
    found = []
    for kind in (lstm.FastLSTM, keras.layers.LSTM):
        lab = functions("lab1", "get_batch", "build_model", "compute_loss", "train_step",
                        "sample_next", "generate")
        lab["FastLSTM"] = kind
        keras.utils.set_random_seed(4)
        model = lab["build_model"](20, 8, 24)
        optimizer, rng = keras.optimizers.Adam(1e-2), np.random.default_rng(5)
        losses = []
        for _ in range(6):
            x, y = map(tf.constant, lab["get_batch"](ids, 17, 5, rng))
            losses.append(float(lab["train_step"](model, optimizer, x, y, 1.0)))
        tf.random.set_seed(6)
        found.append((losses, np.asarray(lab["generate"](model, np.zeros((3, 2), int), 40, 0.8))))
    (losses, text), (keras_losses, keras_text) = found
    np.testing.assert_allclose(losses, keras_losses, rtol=1e-5)
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(text, keras_text)
