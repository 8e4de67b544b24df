"""Writing tunes with the lab's weights: the lab's compiled loop beside one eager call a character.

The peer is how character models are commonly sampled: a stateful model called from Python for each
character. It writes one tune at a time; its rate for 100 at once is shown too.
"""

from collections.abc import Callable

from lab_utils import quiet_start
from lab_utils.config import MODELS
from lab_utils.training import load_weights

from .frame import Result, Row, in_turns, rate
from .lab_code import functions
from .music_peers import EMBEDDING, Music

with quiet_start():
    import keras
    import numpy as np
    import tensorflow as tf

UNITS, TEMPERATURE, START = 512, 0.5, "\n\nM:6/8\n"
TO_REACH = {1: 25, 100: 350}   # times the peer's characters a second, one tune at a time


def eager(model: keras.Model, vocabulary: int, count: int,
          start: np.ndarray, length: int) -> Callable[[], object]:
    """Write ``length`` characters with one call of a stateful Keras model for each."""
    peer = keras.Sequential([
        keras.Input((None,), batch_size=count, dtype="int32"),
        keras.layers.Embedding(vocabulary, EMBEDDING),
        keras.layers.LSTM(UNITS, return_sequences=True, stateful=True),
        keras.layers.Dense(vocabulary),
    ])
    peer.set_weights(model.get_weights())   # dropout has none that count when sampling

    def write():
        peer.layers[1].reset_states()
        ids, written = tf.constant(start), []
        for _ in range(length):
            logits = peer(ids)[:, -1] / TEMPERATURE
            ids = tf.random.categorical(logits, num_samples=1)
            written.append(ids)
        return tf.concat(written, axis=1).numpy()

    return write


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    music = Music.load()
    lab = functions("lab1", "build_model", "sample_next", "generate")
    model = lab["build_model"](music.vocabulary, EMBEDDING, UNITS)
    load_weights(model, MODELS / "lab1_music.weights.h5")
    ours, theirs, seconds = (20, 3, 0) if scale == "tiny" else (700, 60, 1.5)
    start = np.array([[music.char_to_id[c] for c in START]], "int32")
    runs = {}
    for count in (1, 100):
        rows = np.tile(start, (count, 1))
        runs[f"ours, {count}"] = rate(
            lambda rows=rows: np.asarray(lab["generate"](model, rows, ours, TEMPERATURE)),
            count * ours, seconds)
        runs[f"eager, {count}"] = rate(
            eager(model, music.vocabulary, count, rows, theirs), count * theirs, seconds)
    values = in_turns(repeat, runs)
    one = "one eager call a character, one tune"
    rows = [Row("one tune" if count == 1 else f"{count} tunes at once", "characters/s",
                values[f"ours, {count}"], values["eager, 1"], one, TO_REACH[count])
            for count in (1, 100)]
    rows.append(Row("100 tunes at once", "characters/s", values["ours, 100"],
                    values["eager, 100"], "one eager call a character, 100 tunes at once"))
    return Result(rows)
