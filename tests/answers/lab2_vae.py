"""Answers to Lab 2: losses of the VAE and DB-VAE, sampling, resampling."""

import keras
import numpy as np
import tensorflow as tf

from . import right
from .lab2_vision import wrongs

# ---- kl_divergence ---------------------------------------------------------------------------


@right("kl_divergence")
def kl_tensorflow(mu, log_var):
    return 0.5 * tf.reduce_sum(tf.exp(log_var) + tf.square(mu) - 1.0 - log_var, axis=-1)


@right("kl_divergence")
def kl_numpy(mu, log_var):
    return -0.5 * np.sum(1 + log_var - np.square(mu) - np.exp(log_var), axis=1)


@right("kl_divergence")
def kl_keras(mu, log_var):
    return keras.ops.sum(0.5 * (keras.ops.exp(log_var) + mu ** 2 - 1 - log_var), axis=1)


@right("kl_divergence")
def kl_loop(mu, log_var):
    rows = []
    for m, v in zip(np.asarray(mu, "float64"), np.asarray(log_var, "float64"), strict=True):
        sigma = np.exp(v / 2)
        rows.append(sum(np.log(1 / s) + (s * s + a * a) / 2 - 0.5
                        for s, a in zip(sigma, m, strict=True)))
    return np.array(rows)


wrongs("kl_divergence", {
    "sign lost": lambda m, v: -kl_tensorflow(m, v),
    "factor one half lost": lambda m, v: 2 * kl_tensorflow(m, v),
    "averaged over latents": lambda m, v: kl_tensorflow(m, v) / m.shape[-1],
    "sum over the batch too": lambda m, v: tf.reduce_sum(kl_tensorflow(m, v)),
    "mean over the batch": lambda m, v: tf.reduce_mean(kl_tensorflow(m, v)),
    "log_var taken for sigma": lambda m, v: 0.5 * np.sum(v ** 2 + m ** 2 - 1 - 2 * np.log(
        np.abs(v) + 1e-9), -1),
    "log_var taken for log sigma": lambda m, v: kl_tensorflow(m, 2 * v),
    "mu not squared": lambda m, v: 0.5 * np.sum(np.exp(v) + m - 1 - v, -1),
    "the 1 lost": lambda m, v: 0.5 * np.sum(np.exp(v) + m ** 2 - v, -1),
    "exp lost": lambda m, v: 0.5 * np.sum(v + m ** 2 - 1 - v, -1),
    "no sum": lambda m, v: 0.5 * (np.exp(v) + m ** 2 - 1 - v),
    "wrong axis": lambda m, v: 0.5 * np.sum(np.exp(v) + m ** 2 - 1 - v, 0),
    "sign of log_var": lambda m, v: 0.5 * np.sum(np.exp(v) + m ** 2 - 1 + v, -1),
})

# ---- sample_latent ---------------------------------------------------------------------------


@right("sample_latent")
def z_tensorflow(mu, log_var):
    return mu + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mu))


@right("sample_latent")
def z_keras(mu, log_var):
    epsilon = keras.random.normal(keras.ops.shape(mu))
    return mu + keras.ops.exp(log_var / 2) * epsilon


@right("sample_latent")
def z_sqrt(mu, log_var):
    return tf.sqrt(tf.exp(log_var)) * tf.random.normal(mu.shape, dtype=mu.dtype) + mu


@right("sample_latent")
def z_polar(mu, log_var):
    u, v = tf.random.uniform(tf.shape(mu), 1e-7, 1.0), tf.random.uniform(tf.shape(mu))
    return tf.add(mu, tf.exp(0.5 * log_var) * tf.sqrt(-2 * tf.math.log(u)) * tf.cos(2 * np.pi * v))


FIXED = np.random.default_rng(0).normal(size=(20_000, 3)).astype("float32")
N = tf.random.normal

wrongs("sample_latent", {
    "log_var taken for sigma": lambda m, v: m + v * N(tf.shape(m)),
    "log_var taken for log sigma": lambda m, v: m + tf.exp(v) * N(tf.shape(m)),
    "noise drawn once": lambda m, v: m + tf.exp(v / 2) * FIXED[:m.shape[0]],
    "seeded noise": lambda m, v: m + tf.exp(v / 2) * tf.random.stateless_normal(
        tf.shape(m), (1, 2)),
    "noise shared by the batch": lambda m, v: m + tf.exp(v / 2) * N((1, m.shape[1])),
    "noise shared by the latents": lambda m, v: m + tf.exp(v / 2) * N((m.shape[0], 1)),
    "uniform noise": lambda m, v: m + tf.exp(v / 2) * tf.random.uniform(
        tf.shape(m), -3 ** 0.5, 3 ** 0.5),
    "uniform between 0 and 1": lambda m, v: m + tf.exp(v / 2) * tf.random.uniform(tf.shape(m)),
    "no noise": lambda m, v: m + tf.exp(v / 2),
    "noise on mu": lambda m, v: m * N(tf.shape(m)) + tf.exp(v / 2),
    "noise not scaled": lambda m, v: m + N(tf.shape(m)),
    "NumPy's noise": lambda m, v: m + tf.exp(v / 2) * np.random.normal(  # noqa: NPY002
        size=m.shape).astype("float32"),
    "gradient cut": lambda m, v: tf.stop_gradient(z_tensorflow(m, v)),
    "mu forgotten": lambda m, v: tf.exp(v / 2) * N(tf.shape(m)),
    "sign of log_var": lambda m, v: m + tf.exp(-v / 2) * N(tf.shape(m)),
})

# ---- vae_loss --------------------------------------------------------------------------------


@right("vae_loss")
def v_tensorflow(x, x_reconstructed, mu, log_var, kl_weight):
    error = tf.reduce_mean(tf.abs(x - x_reconstructed), axis=(1, 2, 3))
    return error + kl_weight * kl_tensorflow(mu, log_var)


@right("vae_loss")
def v_keras_ops(x, xr, mu, log_var, kl_weight):
    return keras.ops.mean(keras.ops.abs(xr - x), axis=[1, 2, 3]) + kl_weight * kl_keras(mu, log_var)


@right("vae_loss")
def v_flattened(x, xr, mu, log_var, kl_weight):
    difference = tf.reshape(x - xr, (tf.shape(x)[0], -1))
    return tf.norm(difference, ord=1, axis=1) / difference.shape[1] + (
        kl_weight * kl_tensorflow(mu, log_var))


@right("vae_loss")
def v_keras_losses(x, xr, mu, log_var, kl_weight):
    return (tf.reduce_mean(keras.losses.mean_absolute_error(x, xr), axis=(1, 2))
            + kl_weight * kl_tensorflow(mu, log_var))


def _mae(x, xr):
    return tf.reduce_mean(tf.abs(x - xr), axis=(1, 2, 3))


wrongs("vae_loss", {
    "squared error": lambda x, r, m, v, w: tf.reduce_mean((x - r) ** 2, (1, 2, 3))
    + w * kl_tensorflow(m, v),
    "summed over pixels": lambda x, r, m, v, w: tf.reduce_sum(tf.abs(x - r), (1, 2, 3))
    + w * kl_tensorflow(m, v),
    "one number": lambda *a: tf.reduce_mean(v_tensorflow(*a)),
    "error over the whole batch": lambda x, r, m, v, w: tf.reduce_mean(tf.abs(x - r))
    + w * kl_tensorflow(m, v),
    "weight on the error": lambda x, r, m, v, w: w * _mae(x, r) + kl_tensorflow(m, v),
    "weight ignored": lambda x, r, m, v, w: _mae(x, r) + kl_tensorflow(m, v),
    "KL subtracted": lambda x, r, m, v, w: _mae(x, r) - w * kl_tensorflow(m, v),
    "no absolute value": lambda x, r, m, v, w: tf.reduce_mean(x - r, (1, 2, 3))
    + w * kl_tensorflow(m, v),
    "KL averaged over latents": lambda x, r, m, v, w: _mae(x, r)
    + w * kl_tensorflow(m, v) / m.shape[1],
    "KL averaged over the batch": lambda x, r, m, v, w: _mae(x, r)
    + w * tf.reduce_mean(kl_tensorflow(m, v)),
    "NumPy, no gradient": lambda x, r, m, v, w: np.abs(np.asarray(x) - np.asarray(r)).mean(
        (1, 2, 3)) + w * kl_numpy(np.asarray(m), np.asarray(v)),
    "gradient of mu cut": lambda x, r, m, v, w: v_tensorflow(x, r, tf.stop_gradient(m), v, w),
    "no KL": lambda x, r, m, v, w: _mae(x, r),
})

# ---- dbvae_loss ------------------------------------------------------------------------------

SIGMOID = tf.nn.sigmoid_cross_entropy_with_logits


@right("dbvae_loss")
def b_tensorflow(x, x_reconstructed, y, y_logit, mu, log_var, kl_weight):
    classification = SIGMOID(labels=y, logits=y_logit)
    vae = v_tensorflow(x, x_reconstructed, mu, log_var, kl_weight)
    return tf.reduce_mean(classification + y * vae), classification


@right("dbvae_loss")
def b_where(x, r, y, y_logit, mu, log_var, w):
    classification = tf.nn.softplus(y_logit) - y * y_logit
    vae = tf.where(y > 0.5, v_keras_ops(x, r, mu, log_var, w), 0.0)
    return [tf.reduce_mean(classification) + tf.reduce_mean(vae), classification]


@right("dbvae_loss")
def b_keras(x, r, y, y_logit, mu, log_var, w):
    classification = keras.losses.binary_crossentropy(y[:, None], y_logit[:, None],
                                                      from_logits=True)
    total = keras.ops.sum(classification + v_keras_losses(x, r, mu, log_var, w) * y) / len(y)
    return total, classification


@right("dbvae_loss")
def b_masked(x, r, y, y_logit, mu, log_var, w):
    classification = SIGMOID(y, y_logit)
    vae = tf.boolean_mask(v_flattened(x, r, mu, log_var, w), y == 1)
    return (tf.reduce_sum(classification) + tf.reduce_sum(vae)) / len(y), classification


def _combined(mix, classify=lambda y, logit: SIGMOID(labels=y, logits=logit)):
    """An answer from how it mixes (classification, y, vae) and what it classifies by."""
    def answer(x, r, y, y_logit, mu, log_var, w):
        c = classify(y, y_logit)
        return mix(c, y, v_tensorflow(x, r, mu, log_var, w)), c
    return answer


def _mean_over_faces(c, y, vae):
    return tf.reduce_mean(c) + tf.reduce_sum(y * vae) / tf.maximum(tf.reduce_sum(y), 1)


M = tf.reduce_mean
wrongs("dbvae_loss", {
    "VAE loss on all": _combined(lambda c, y, v: M(c + v)),
    "VAE loss on non-faces": _combined(lambda c, y, v: M(c + (1 - y) * v)),
    "summed": _combined(lambda c, y, v: tf.reduce_sum(c + y * v)),
    "no VAE loss": _combined(lambda c, y, v: M(c)),
    "classification of faces alone": _combined(lambda c, y, v: M(y * (c + v))),
    "one number an image": _combined(lambda c, y, v: c + y * v),
    "mean over the faces": _combined(_mean_over_faces),
    "logit taken for a probability": _combined(
        lambda c, y, v: M(c + y * v), lambda y, p: keras.losses.binary_crossentropy(
            y[:, None], p[:, None])),
    "naive logarithm of the sigmoid": _combined(
        lambda c, y, v: M(c + y * v), lambda y, t: -y * tf.math.log(tf.sigmoid(t))
        - (1 - y) * tf.math.log(1 - tf.sigmoid(t))),
    "sigmoid twice": _combined(lambda c, y, v: M(c + y * v),
                               lambda y, t: SIGMOID(y, tf.sigmoid(t))),
    "labels swapped": _combined(lambda c, y, v: M(c + y * v), lambda y, t: SIGMOID(1 - y, t)),
    "squared error": _combined(lambda c, y, v: M(c + y * v), lambda y, t: (y - t) ** 2),
    "classification averaged": lambda *a: (b_tensorflow(*a)[0], M(b_tensorflow(*a)[1])),
    "total alone": lambda *a: b_tensorflow(*a)[0],
    "the wrong way round": lambda *a: b_tensorflow(*a)[::-1],
    "weight ignored": lambda *a: b_tensorflow(*a[:-1], 1.0),
})

# ---- resampling_probabilities ----------------------------------------------------------------


def _densities(mu, bins):
    """Share of the images in each image's bin, one column a latent."""
    mu, columns = np.asarray(mu), []
    for k in range(mu.shape[1]):
        counts, edges = np.histogram(mu[:, k], bins=bins)
        columns.append(counts[np.digitize(mu[:, k], edges[1:-1])] / len(mu))
    return np.stack(columns, axis=1)


@right("resampling_probabilities")
def s_maximum(mu, bins=10, smoothing=0.001):
    p = np.zeros(len(mu))
    for k in range(mu.shape[1]):
        density, edges = np.histogram(mu[:, k], density=True, bins=bins)
        edges[0], edges[-1] = -np.inf, np.inf
        smooth = density + smoothing
        smooth = smooth / smooth.sum()
        q = 1.0 / smooth[np.digitize(mu[:, k], edges) - 1]
        p = np.maximum(p, q / q.sum())
    return p / p.sum()


@right("resampling_probabilities")
def s_product(mu, bins=10, smoothing=0.001):
    p = np.prod(1 / (_densities(mu, bins) + smoothing), axis=1)
    return p / p.sum()


@right("resampling_probabilities")
def s_logarithms(mu, bins=10, smoothing=0.001):
    return tf.nn.softmax(-tf.reduce_sum(tf.math.log(_densities(mu, bins) + smoothing), axis=1))


@right("resampling_probabilities")
def s_loops(mu, bins=10, smoothing=0.001):
    mu = np.asarray(mu, "float64")
    low, high = mu.min(axis=0), mu.max(axis=0)
    width = np.where(high > low, (high - low) / bins, 1.0)
    where = np.minimum((mu - low) // width, bins - 1).astype(int)
    weights = []
    for row in where:
        shares = [(where[:, k] == b).mean() for k, b in enumerate(row)]
        weights.append(max(1 / (share + smoothing) for share in shares))
    return np.array(weights) / sum(weights)


@right("resampling_probabilities")
def s_rotated(mu, bins=10, smoothing=0.001):
    centred = np.asarray(mu) - np.mean(mu, axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    p = s_product(centred @ axes.T, bins, smoothing) ** 0.7
    return p / p.sum()


def _from(combine):
    """An answer from how it turns densities (n, latents) and smoothing into weights."""
    def answer(mu, bins=10, smoothing=0.001):
        p = combine(_densities(mu, bins), smoothing)
        return p / p.sum()
    return answer


def _changes(mu, bins=10, smoothing=0.001):
    p = s_product(mu, bins, smoothing)
    mu -= mu.mean(axis=0) + 1
    return p


def _constant_is_nan(mu, bins=10, smoothing=0.001):
    mu = (mu - mu.min(axis=0)) / (mu.max(axis=0) - mu.min(axis=0))
    return s_product(mu, bins, smoothing)


wrongs("resampling_probabilities", {
    "densities not inverted": _from(lambda d, s: np.prod(d + s, axis=1)),
    "not normalised": lambda mu, bins=10, smoothing=0.001: np.prod(
        1 / (_densities(mu, bins) + smoothing), axis=1),
    "smoothing ignored": _from(lambda d, s: np.prod(1 / (d + 0.001), axis=1)),
    "smoothing multiplied": _from(lambda d, s: np.prod(1 / (d * s), axis=1)),
    "bins ignored": lambda mu, bins=10, smoothing=0.001: s_product(mu, 10, smoothing),
    "uniform": lambda mu, bins=10, smoothing=0.001: np.full(len(mu), 1 / len(mu)),
    "first latent alone": _from(lambda d, s: 1 / (d[:, 0] + s)),
    "last latent alone": _from(lambda d, s: 1 / (d[:, -1] + s)),
    "the least over latents": _from(lambda d, s: np.min(1 / (d + s), axis=1)),
    "divided by the largest": lambda mu, bins=10, smoothing=0.001: (
        s_product(mu, bins, smoothing) / s_product(mu, bins, smoothing).max()),
    "one column a latent": lambda mu, bins=10, smoothing=0.001: 1 / (_densities(mu, bins)
                                                                     + smoothing),
    "mu changed": _changes,
    "NaN for a constant latent": _constant_is_nan,
    "far from the mean": lambda mu, bins=10, smoothing=0.001: (
        np.abs(mu - mu.mean(0)).sum(1) / np.abs(mu - mu.mean(0)).sum()),
    "negative": _from(lambda d, s: np.prod(-d, axis=1)),
    "a subtraction": _from(lambda d, s: np.prod(1 - d, axis=1)),
})
