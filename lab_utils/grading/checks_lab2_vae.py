"""Checks of Lab 2: the losses of the (DB-)VAE, its sampling and its resampling."""

import numpy as np

from .checker import Checker


def reference_kl(mu: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """KL(N(mu, exp(log_var)) to N(0, 1)), summed over latents."""
    mu, log_var = mu.astype("float64"), log_var.astype("float64")
    return 0.5 * (np.exp(log_var) + mu ** 2 - 1 - log_var).sum(axis=-1)


def kl_divergence(answer, check: Checker) -> None:
    """KL to the unit Gaussian, (batch,)."""
    hint = "1/2 sum(exp(log_var) + mu^2 - 1 - log_var), over the latents of each row."
    value = check.call("mu = 0, log_var = 0", answer, np.zeros((3, 4), "float32"),
                       np.zeros((3, 4), "float32"))
    check.close("the unit Gaussian itself gives 0, one number a row", value, np.zeros(3), hint)
    value = check.call("one latent", answer, np.full((1, 1), 0.3, "float32"),
                       np.full((1, 1), -0.2, "float32"))
    check.close("mu = 0.3, log_var = -0.2 gives 0.0544", value,
                reference_kl(np.full((1, 1), 0.3), np.full((1, 1), -0.2)), hint)
    for shape in ((6, 5), (2, 32)):
        mu, log_var = check.normal(*shape), check.normal(*shape)
        check.close(f"random mu and log_var of shape {shape}", check.call("random", answer, mu,
                    log_var), reference_kl(mu, log_var), hint)


def sample_latent(answer, check: Checker) -> None:
    """mu + exp(log_var / 2) * noise. Bounds hold for a right answer but for 1 in 10^7."""
    import tensorflow as tf

    n, latents = 20_000, 3
    mu = np.tile(3 * check.normal(1, latents), (n, 1))
    log_var = np.tile(np.float32([[-3.0, 0.5, 2.0]]), (n, 1))
    z = check.array("z has the shape of mu", check.call("20,000 rows", answer, tf.constant(mu),
                    tf.constant(log_var)), mu.shape)
    noise = (z.astype("float64") - mu) / np.exp(0.5 * log_var)
    check.close("its mean is mu", noise.mean(axis=0), np.zeros(latents),
                "z = mu + ...: the noise has mean 0.", 0.042)
    check.close("its standard deviation is exp(log_var / 2)", noise.std(axis=0), np.ones(latents),
                "log_var is the log of the variance: the standard deviation is exp(log_var / 2).",
                0.03)
    check.close("the noise is normal", (np.abs(noise) < 1).mean(axis=0),
                np.full(latents, 0.6827), "tf.random.normal or keras.random.normal.", 0.02)
    correlation = np.corrcoef(noise.T)[np.triu_indices(latents, 1)]
    check.close("each latent has noise of its own", correlation, np.zeros(latents),
                "Draw noise of the shape of mu.", 0.04)
    check.that("each row has noise of its own", len(np.unique(noise[:, 0].round(9))) > n // 2,
               "different noise", "the same", "Draw noise of the shape of mu.")
    once = check.compiled(answer)
    few = tf.constant(mu[:5]), tf.constant(log_var[:5])
    first = check.array("compiled", check.call("it runs under tf.function", once, *few), (5, 3))
    second = check.array("compiled", check.call("it runs again", once, *few), (5, 3))
    check.that("each call draws anew, compiled as well", not np.allclose(first, second),
               "two different draws", "the same twice", "NumPy's noise is drawn once, when "
               "tf.function traces; use tf.random or keras.random, without a seed.")
    a, b = check.normal(7, 3), check.normal(7, 3)
    z, gradients = check.gradients("with a gradient", answer, a, b, wrt=(0, 1))
    z = check.array("with a gradient", z, (7, 3))
    for gradient, wanted, name in zip(gradients, (np.ones((7, 3)), 0.5 * (z - a)),
                                      ("mu", "log_var"), strict=True):
        got = np.zeros((7, 3)) if gradient is None else gradient
        check.close(f"gradients reach {name}", got, wanted, "Multiply and add tensors: a number "
                    "drawn from a distribution has no gradient, mu + scale * noise has.", 1e-3)


def _batch(check: Checker) -> dict[str, np.ndarray]:
    n = 6
    return {"x": check.rng.random((n, 8, 8, 3)).astype("float32"),
            "x_reconstructed": check.rng.random((n, 8, 8, 3)).astype("float32"),
            "mu": check.normal(n, 4), "log_var": check.normal(n, 4)}


def _reference_vae(batch: dict, kl_weight: float) -> np.ndarray:
    error = np.abs(batch["x"].astype("float64") - batch["x_reconstructed"]).mean(axis=(1, 2, 3))
    return error + kl_weight * reference_kl(batch["mu"], batch["log_var"])


def vae_loss(answer, check: Checker) -> None:
    """Mean absolute error + kl_weight * KL, (batch,)."""
    import tensorflow as tf

    batch = _batch(check)
    order = ("x", "x_reconstructed", "mu", "log_var")
    for weight, what in ((0.0, "kl_weight = 0 leaves the mean absolute error"),
                         (0.0005, "kl_weight = 0.0005"), (2.0, "kl_weight = 2")):
        value = check.call(what, answer, *(tf.constant(batch[k]) for k in order), weight)
        check.close(f"{what}, one number a row", value, _reference_vae(batch, weight),
                    "Mean over the pixels and channels of each image of |x - x_reconstructed|, "
                    "plus kl_weight times kl_divergence(mu, log_var).", 1e-5)
    names = ("x_reconstructed", "mu", "log_var")
    _, gradients = check.gradients("with a gradient", answer, *(batch[k] for k in order), 0.5,
                                   wrt=tuple(map(order.index, names)))
    _flows(check, gradients, _vae_gradients(batch, 0.5))


def _vae_gradients(batch: dict, kl_weight: float) -> dict[str, np.ndarray]:
    """Those of the sum over the batch, in what the network gives out."""
    pixels = batch["x"][0].size
    return {"x_reconstructed": np.sign(batch["x_reconstructed"] - batch["x"]) / pixels,
            "mu": kl_weight * batch["mu"],
            "log_var": kl_weight * 0.5 * (np.exp(batch["log_var"]) - 1)}


def _flows(check: Checker, gradients: list, wanted: dict[str, np.ndarray]) -> None:
    for (name, right), gradient in zip(wanted.items(), gradients, strict=True):
        scale = np.abs(right).max()
        got = np.zeros_like(right) if gradient is None else gradient
        check.close(f"the gradient reaches {name}", got / scale, right / scale,
                    "Stay with tensors: NumPy or stop_gradient in between cuts the gradient.", 1e-3)


def dbvae_loss(answer, check: Checker) -> None:
    """Mean of classification loss + [face] VAE loss; and the classification loss, (batch,)."""
    order = ("x", "x_reconstructed", "y", "y_logit", "mu", "log_var")
    for y, what in (([1, 0, 1, 1, 0, 0], "faces and others"), ([0] * 6, "no face at all"),
                    ([1] * 6, "faces only")):
        batch = _batch(check) | {"y": np.float32(y), "y_logit": 3 * check.normal(6)}
        for weight in (0.01, 1.5):
            logit = batch["y_logit"].astype("float64")
            wanted = np.logaddexp(0, logit) - batch["y"] * logit
            total = (wanted + batch["y"] * _reference_vae(batch, weight)).mean()
            got = _pair(answer, check, what, [batch[k] for k in order], weight)
            check.close(f"{what}: the classification loss, one number a row", got[1], wanted,
                        "Sigmoid cross-entropy of y_logit (a logit) with y.")
            check.close(f"{what}, kl_weight {weight:g}: the total", got[0], total,
                        "The mean over the batch of: classification loss + y * vae_loss. An image "
                        "that is no face adds no VAE term.", 1e-5)
    batch["y"], batch["y_logit"] = np.float32([0, 1] * 3), np.float32([100, -100, 100, 5, -5, 0])
    got = _pair(answer, check, "logits of 100", [batch[k] for k in order], 0.0)
    check.close("logits of 100 do not overflow", got[1],
                np.logaddexp(0, batch["y_logit"]) - batch["y"] * batch["y_logit"],
                "Give the library the logit: tf.nn.sigmoid_cross_entropy_with_logits.")
    batch = _batch(check) | {"y": np.float32([1, 0, 1, 1, 0, 0]), "y_logit": check.normal(6)}
    names = ("x_reconstructed", "y_logit", "mu", "log_var")
    _, gradients = check.gradients("with a gradient", answer, *(batch[k] for k in order), 0.5,
                                   wrt=tuple(map(order.index, names)), pick=0)
    y, logit = batch["y"], batch["y_logit"].astype("float64")
    wanted = {name: gradient * y.reshape(-1, *[1] * (gradient.ndim - 1)) / 6
              for name, gradient in _vae_gradients(batch, 0.5).items()}
    wanted["y_logit"] = (1 / (1 + np.exp(-logit)) - y) / 6
    _flows(check, gradients, {name: wanted[name] for name in names})


def _pair(answer, check: Checker, what: str, values: list, weight: float) -> tuple:
    import tensorflow as tf

    got = check.call(what, answer, *map(tf.constant, values), weight)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        check.fail("it returns two things", "(total, classification loss)", type(got).__name__,
                   "return total, classification")
        check.array("two things", None)
    check.array("the total is one number", got[0], (), "Take the mean over the batch.")
    return tuple(got)


def resampling_probabilities(answer, check: Checker) -> None:
    """Rarer is likelier; sums to 1. Which way latents are combined is left open."""
    where = np.repeat([0, 1, 2], [120, 60, 20])   # three clusters, each inside one bin
    check.rng.shuffle(where)
    mu = (np.array([-4.0, 1.0, 7.0])[where] + 0.001 * check.normal(200))[:, None].astype("float32")

    def call(title, mu, **settings):
        value = check.call(title, answer, mu, **settings)
        return check.array(f"{title}: shape (n,), finite", value, (len(mu),),
                           "One probability an image; a latent that never varies has one full bin.")

    p = call("one latent", mu)
    check.close("they sum to 1", p.sum(), 1.0, "Divide by the sum.")
    check.that("none is negative", p.min() >= 0, "0 or more", p.min(), "A density is positive.")
    by_cluster = [p[where == k] for k in range(3)]
    means = [float(group.mean()) for group in by_cluster]
    check.that("rarer is likelier", means[1] > 1.15 * means[0] and means[2] > 1.15 * means[1],
               "clusters of 120, 60 and 20: rising", np.array(means),
               "Divide by the histogram's density: 1 / (density + smoothing).")
    check.close("in one bin all are equally likely", [np.ptp(group) * 200 for group in by_cluster],
                np.zeros(3), "Look up each image's bin.", 1e-3)
    p = call("two bins", mu, bins=2)
    check.that("bins = 2 puts two of the clusters together", np.isclose(
               p[where == 0].mean(), p[where == 1].mean(), rtol=1e-3)
               and p[where == 2].mean() > 1.15 * p[where == 0].mean(),
               "equal, and a larger third", np.array([p[where == k].mean() for k in range(3)]),
               "Use bins; np.histogram spans from the smallest to the largest value.")
    p = call("much smoothing", mu, smoothing=1e9)
    check.close("smoothing to infinity is uniform", p * 200, np.ones(200),
                "Add smoothing to the density before you invert it.", 1e-3)
    spread = [np.ptp(call("smoothing", mu, smoothing=s)) for s in (1e-6, 3e3)]
    check.that("more smoothing is more uniform", spread[1] < 0.9 * spread[0], "a smaller spread",
               np.array(spread), "Add smoothing to the density.")
    where = np.repeat([0, 1, 2], [180, 10, 10])   # common, rare in latent 0, rare in latent 1
    check.rng.shuffle(where)
    mu = (6.0 * np.stack([where == 1, where == 2], -1) + 0.001 * check.normal(200, 2))
    p = call("two latents", mu.astype("float32"))
    check.close("with two latents they sum to 1", p.sum(), 1.0, "Normalise at the end.")
    for k in (1, 2):
        check.that(f"what is rare in latent {k - 1} alone is likelier",
                   p[where == k].mean() > 1.15 * p[where == 0].mean(), "more than the common",
                   np.array([p[where == 0].mean(), p[where == k].mean()]),
                   "Every latent has a say: take the largest, or the product.")
    mu = np.concatenate([mu, np.full((200, 1), 0.5)], axis=1).astype("float32")
    kept = mu.copy()
    q = call("a latent that never varies", mu)
    check.that("a latent that never varies is harmless",
               q[where == 1].mean() > 1.15 * q[where == 0].mean(), "rarer still likelier",
               np.array([q[where == 0].mean(), q[where == 1].mean()]),
               "Its one bin holds everything: it tells nothing.")
    check.that("mu is not changed", np.array_equal(mu, kept), "as given", "changed",
               "Work on a copy.")


VAE_CHECKS = {"kl_divergence": kl_divergence, "sample_latent": sample_latent,
              "vae_loss": vae_loss, "dbvae_loss": dbvae_loss,
              "resampling_probabilities": resampling_probabilities}
