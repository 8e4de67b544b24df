"""Lab 2's own training code, beside plainer ways to the same result."""

import numpy as np
import pytest

from benchmarks.lab_code import functions
from benchmarks.vae_step import EXERCISES, PARTS, captured
from lab_utils import quiet_start
from lab_utils.faces import load_faces

with quiet_start():
    import keras
    import tensorflow as tf

pytestmark = pytest.mark.slow


def gradients(pictures, decoded):
    """Of all weights by one step of train_dbvae, if the first ``decoded`` pictures are decoded."""
    lab = functions("lab2", *EXERCISES, also=PARTS)
    lab["FACES"].update(half_batch=decoded, pictures=len(pictures))
    lab["sample_latent"] = lambda mu, log_var: mu + tf.exp(log_var)   # without chance
    lab["make_optimizer"] = lambda: keras.optimizers.SGD(1.0)
    models = []
    for build in ("build_classifier", "build_decoder"):
        def kept(size, build=lab[build]):
            models.append(build(size))
            return models[-1]
        lab[build] = kept
    _, step = captured(lab, pictures)
    before = [w for model in models for w in model.get_weights()]
    images = np.concatenate([pictures.faces.images, pictures.nonfaces.images])
    images[:, :, 32:] = images[:, :, 31::-1]      # flipped or not, they are the same
    step(tf.constant(images),
         tf.constant(np.repeat([1.0, 0.0], len(pictures) // 2), tf.float32))
    after = [w for model in models for w in model.get_weights()]
    return np.concatenate([(a - b).ravel() for a, b in zip(before, after, strict=True)])


def test_decoding_only_the_faces_leaves_the_gradients_as_they_are():
    pictures = load_faces("train", faces=8, nonfaces=8, seed=1)
    only_faces, everything, fewer = (gradients(pictures, decoded) for decoded in (8, 16, 4))
    scale = np.abs(everything).max()
    assert np.abs(only_faces - everything).max() < 1e-4 * scale
    assert np.abs(fewer - everything).max() > 1e-2 * scale    # the check would see a difference
