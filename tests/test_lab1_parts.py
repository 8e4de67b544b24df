"""Lab 1's other parts: the fast LSTM, composing, packing."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_utils import LabError, quiet_start
from lab_utils.competition import pack

with quiet_start():
    import keras
    import tensorflow as tf

from lab_utils.lstm import FastLSTM
from lab_utils.music import composing


@settings(max_examples=12, deadline=None)
@given(batch=st.integers(1, 5), time=st.integers(1, 12), features=st.integers(1, 6),
       units=st.integers(1, 9), compiled=st.booleans(), stated=st.booleans(),
       sequences=st.booleans(), seed=st.integers(0, 2**31))
def test_the_fast_lstm_has_keras_values_and_gradients(batch, time, features, units, compiled,
                                                      stated, sequences, seed):
    rng = np.random.default_rng(seed)
    x = tf.constant(rng.normal(size=(batch, time, features)), tf.float32)
    state = [tf.constant(rng.normal(size=(batch, units)), tf.float32) for _ in range(2)]
    options = dict(return_sequences=sequences, return_state=True)
    theirs, ours = keras.layers.LSTM(units, **options), FastLSTM(units, **options)
    theirs.build(x.shape)
    ours.build(x.shape)
    weights = [rng.normal(size=w.shape) for w in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)

    def run(layer):
        with tf.GradientTape() as tape:
            tape.watch([x, *state])
            outputs = layer(x, initial_state=state) if stated else layer(x)
            loss = sum(tf.reduce_sum(tf.sin(3 * part)) for part in outputs)
        wanted = [x, *layer.trainable_variables, *(state if stated else [])]
        return outputs, tape.gradient(loss, wanted)

    for a, b in zip(tf.nest.flatten(run(theirs)),
                    tf.nest.flatten((tf.function(run) if compiled else run)(ours)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4)


def test_the_fast_lstm_is_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), FastLSTM(5, return_sequences=True)])
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(model(x), loaded(x))
    assert isinstance(loaded.layers[0], FastLSTM)


@pytest.mark.parametrize("options", [dict(dropout=0.5), dict(go_backwards=True),
                                     dict(activation="relu"), dict(unroll=True)])
def test_options_beyond_the_fast_path_are_keras_own(options):
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")
    theirs, ours = keras.layers.LSTM(5, **options), FastLSTM(5, **options)
    theirs(x), ours(x)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(theirs(x), ours(x), rtol=1e-5)


def test_starts_and_temperatures_that_cannot_be_are_one_sentence():
    _, ids = composing.vocabulary("M:6/8\n")
    with pytest.raises(LabError, match="never seen the character 'Q'"):
        composing.start_ids("Q", 1, ids)
    with pytest.raises(LabError, match="at least one"):
        composing.start_ids("M", 0, ids)
    for temperature in (0, -1, float("nan"), "hot", float("inf")):
        with pytest.raises(LabError, match="positive number"):
            composing.check_temperature(temperature)
    assert composing.start_ids("M:", 3, ids).shape == (3, 4)


def test_tunes_end_at_their_blank_line():
    characters, ids = composing.vocabulary("abc\n")
    rows = [[ids[c] for c in text] for text in ("\n\nab\nc\n\nab", "\n\nabcabcab\n")]
    assert composing.finished_tunes(np.array([rows[0][:10], rows[1][:10]]), characters) == [
        "ab\nc\n\n", "abcabcab\n\n"]


def test_bits_per_character_of_a_uniform_model_is_log2_of_the_vocabulary():
    from lab_utils.music.notation import parse_tune

    tunes = [parse_tune("M:6/8\nL:1/8\nK:G\nABc def|\n"), parse_tune("M:2/4\nL:1/16\nK:D\nA|\n")]
    _, ids = composing.vocabulary("".join(tune.abc() for tune in tunes))
    model = keras.Sequential([keras.Input((None,), dtype="int32"),
                              keras.layers.Embedding(len(ids), len(ids), embeddings_initializer=(
                                  "zeros"))])
    assert composing.bits_per_character(model, tunes, ids) == pytest.approx(np.log2(len(ids)))


def test_an_entry_is_packed_whole_or_not_at_all(tmp_path, capsys):
    (tmp_path / "tune.abc").write_text("x")
    path = pack(tmp_path / "e.zip", [tmp_path / "tune.abc"], {"a": np.float32(1)}, {"b": 2},
                tmp_path / "none.ipynb")
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["entry.json", "tune.abc"]
    with pytest.raises(LabError, match="missing"):
        pack(tmp_path / "f.zip", [tmp_path / "tune.wav"], {}, {})
    with pytest.raises(LabError, match="same name"):
        pack(tmp_path / "f.zip", [tmp_path / "tune.abc"] * 2, {}, {})
    assert not (tmp_path / "f.zip").exists()
