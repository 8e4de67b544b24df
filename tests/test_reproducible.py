"""The same seed gives the same result twice on one machine, in each lab, by the labs' own code."""

import numpy as np
import pytest

from lab_utils import quiet_start

with quiet_start():
    import keras
    import tensorflow as tf

from lab_utils.faces import load_faces
from lab_utils.music.composing import start_ids, vocabulary
from tests.solved import definitions

pytestmark = pytest.mark.slow


def tunes(lab, seed):
    """What a model writes that was trained for some steps on a few bars."""
    text = "\n\nM:6/8\nL:1/8\nK:G\nD | GAB d2e | dBG AGE | GAB dBG | A3 A2D |\n" * 40
    characters, ids = vocabulary(text)
    data = lab.vectorize(text, ids)
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model, optimizer = lab.build_model(len(characters), 8, 32), keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    step = tf.function(lab.train_step.python_function)   # compiled for these variables
    for _ in range(20):
        x, y = lab.get_batch(data, 60, 8, rng)
        step(model, optimizer, tf.constant(x), tf.constant(y), 1.0)
    written = lab.generate(model, tf.constant(start_ids("M:6/8\n", 4, ids)), 80, 1.0)
    return ["".join(characters[i] for i in row) for row in np.asarray(written)]


def recall_table(lab, seed):
    """Recall by group of skin tones of a detector after one epoch."""
    lab.FACES["epochs"] = 1
    train = load_faces(bias=lab.Bias(), faces=640, nonfaces=640, seed=seed)
    judged = load_faces("validation", faces=400, nonfaces=400)
    model, _ = lab.train_detector(train, seed)
    faces, others = lab.scores(model, judged)
    return lab.recall_by_group(faces, np.quantile(others, 0.98), judged.faces.tone_groups)


def cartpole_curve(lab, seed):
    """Mean steps by update."""
    _, lengths, _ = lab.train_cartpole(seed, updates=6)
    return np.array(lengths).tolist()


@pytest.mark.parametrize(("name", "make"), [("lab1", tunes), ("lab2", recall_table),
                                            ("lab3", cartpole_curve)])
def test_the_same_seed_gives_the_same_twice(name, make):
    lab = definitions(name)
    first = make(lab, 1)
    assert make(lab, 1) == first
    assert make(lab, 2) != first
