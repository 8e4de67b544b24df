"""Around the model: characters and ids, bits per character, cutting out finished tunes."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from ..errors import LabError
from .notation import Tune

END = "\n\n"   # a blank line ends a tune; what follows one starts a tune


def vocabulary(text: str) -> tuple[list[str], dict[str, int]]:
    """The characters of ``text`` in order, and the id of each."""
    characters = sorted(set(text))
    return characters, {character: i for i, character in enumerate(characters)}


def start_ids(start: str, count: int, char_to_id: dict[str, int]) -> np.ndarray:
    """Ids of a blank line and ``start``, the same in each of ``count`` rows, shape (count, time).

    Raises:
        LabError: if the model does not know a character of ``start``, or ``count`` is not positive.
    """
    if unknown := sorted(set(start) - set(char_to_id)):
        raise LabError(f"The model has never seen the character {unknown[0]!r}: begin with "
                       "something like 'M:6/8\\nL:1/8\\nK:G\\n'.")
    if count < 1:
        raise LabError("Ask for at least one tune.")
    return np.tile([char_to_id[character] for character in END + start], (count, 1))


def check_temperature(temperature: float) -> float:
    """``temperature``, if one can sample with it.

    Raises:
        LabError: if it is not a positive number.
    """
    if not (isinstance(temperature, (int, float)) and 0 < temperature < float("inf")):
        raise LabError(f"The temperature is {temperature!r}: choose a positive number such as 0.8.")
    return float(temperature)


def finished_tunes(ids: np.ndarray, characters: Sequence[str]) -> list[str]:
    """The first tune in each row of ids (batch, time), up to its blank line."""
    texts = ("".join(characters[i] for i in row) for row in np.asarray(ids).tolist())
    return [text.lstrip("\n").split(END)[0] + END for text in texts]


def bits_per_character(model: keras.Model, tunes: Sequence[Tune],
                       char_to_id: dict[str, int], batch_size: int = 64) -> float:
    """Mean of -log2 P(character | the tune's characters before it).

    Every tune starts from a zero state and the blank line before it; all its characters count,
    the blank line at its end included.

    Args:
        model: ids (batch, time) to logits (batch, time, vocabulary).
    """
    skip = len(END)
    rows = sorted(([char_to_id[c] for c in END + tune.abc()] for tune in tunes), key=len)
    nats = count = 0
    for at in range(0, len(rows), batch_size):
        part = rows[at:at + batch_size]
        ids = np.zeros((len(part), len(part[-1])), "int32")
        mask = np.zeros(ids.shape, "float32")
        for i, row in enumerate(part):
            ids[i, :len(row)], mask[i, skip:len(row)] = row, 1
        nats += float(_nats(model, tf.constant(ids), tf.constant(mask[:, 1:])))
        count += mask.sum()
    return nats / count / np.log(2)


@tf.function(reduce_retracing=True)
def _nats(model, ids, mask):
    losses = keras.losses.sparse_categorical_crossentropy(ids[:, 1:], model(ids[:, :-1]),
                                                          from_logits=True)
    return tf.reduce_sum(losses * mask)
