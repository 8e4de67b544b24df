"""Lab 2's own training code, beside plainer ways to the same result."""

import numpy as np
import pytest

from benchmarks.lab_code import functions
from benchmarks.vae_step import EXERCISES, PARTS, captured, course_step
from lab_utils import quiet_start
from lab_utils.faces import load_faces

with quiet_start():
    import keras
    import tensorflow as tf

pytestmark = pytest.mark.slow


def gradients(pictures, make_step, half_batch=8):
    """Of all weights by one step on all pictures; ``make_step`` makes it of the lab's functions."""
    lab = functions("lab2", *EXERCISES, also=PARTS)
    lab["FACES"].update(half_batch=half_batch, pictures=len(pictures))
    lab["sample_latent"] = lambda mu, log_var: mu + tf.exp(log_var)   # without chance
    lab["make_optimizer"] = lambda: keras.optimizers.SGD(1.0)
    models = []
    for build in ("build_classifier", "build_decoder"):
        def kept(size, build=lab[build]):
            models.append(build(size))
            return models[-1]
        lab[build] = kept
    keras.utils.set_random_seed(1)
    step = make_step(lab)
    before = [w for model in models for w in model.get_weights()]
    images = np.concatenate([pictures.faces.images, pictures.nonfaces.images])
    images[:, :, 32:] = images[:, :, 31::-1]      # flipped or not, they are the same
    step(tf.constant(images),
         tf.constant(np.repeat([1.0, 0.0], len(pictures) // 2), tf.float32))
    after = [w for model in models for w in model.get_weights()]
    return np.concatenate([(a - b).ravel() for a, b in zip(before, after, strict=True)])


def test_decoding_only_the_faces_leaves_the_gradients_as_they_are():
    pictures = load_faces("train", faces=8, nonfaces=8, seed=1)

    def ours(lab):
        return tf.function(captured(lab, pictures)[1])

    def course(lab):
        step = course_step(lab, lab["FACES"]["latents"], lab["FACES"]["kl_weight"])
        return lambda images, labels: step(lab["floats"](images), labels)

    only_faces, everything = gradients(pictures, ours), gradients(pictures, course)
    fewer = gradients(pictures, ours, half_batch=4)
    scale = np.abs(everything).max()
    assert np.abs(only_faces - everything).max() < 1e-4 * scale
    assert np.abs(fewer - everything).max() > 1e-2 * scale    # the check would see a difference


def test_every_batch_is_trained_on_once_an_epoch():
    lab = functions("lab2", *EXERCISES, also=PARTS)
    lab["FACES"].update(half_batch=4, pictures=24, epochs=2, steps_per_execution=4)
    pictures, seen = load_faces("train", faces=24, nonfaces=25, seed=1), []

    def steps(images, batches):
        seen.append((np.asarray(batches), tf.gather(images, batches).numpy()))

    lab["run_epochs"](pictures, steps, 1)
    assert [len(numbers) for numbers, _ in seen] == [4, 2, 4, 2]
    numbers = np.concatenate([numbers for numbers, _ in seen])
    which, flipped = numbers % len(pictures), numbers >= len(pictures)
    np.testing.assert_array_equal(pictures.labels[which], np.tile(np.repeat([1, 0], 4), (12, 1)))
    for epoch in (which[:6, 4:], which[6:, 4:]):
        assert len(np.unique(epoch)) == epoch.size    # no picture without a face comes twice
    assert 0.2 < flipped.mean() < 0.8
    images = np.concatenate([images for _, images in seen])
    expected = np.where(flipped[..., None, None, None], pictures.images[which][:, :, :, ::-1],
                        pictures.images[which])
    np.testing.assert_array_equal(images, expected)
