"""Checks of Lab 2: convolution by hand, networks that see, measures of a detector."""

import numpy as np

from .checker import Checker
from .checks_lab2_vae import VAE_CHECKS


def correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Valid cross-correlation."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


def convolve2d(answer, check: Checker) -> None:
    """Valid cross-correlation of 2-D arrays."""
    image = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0],
                      [0, 1, 1, 0, 0]], "float32")
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], "float32")
    value = check.call("the lecture's example", answer, image, kernel)
    check.close("the lecture's 5 x 5 image and filter", value, [[4, 3, 4], [2, 4, 3], [2, 3, 4]],
                "At each position: multiply the kernel with the patch under it and add up.")
    for h, w, kh, kw in ((9, 9, 3, 3), (8, 6, 2, 4), (5, 7, 5, 1), (4, 5, 1, 1)):
        image, kernel = check.normal(h, w), check.normal(kh, kw)
        value = check.call(f"a {h} x {w} image and a {kh} x {kw} kernel", answer, image, kernel)
        check.close(f"a {h} x {w} image and a {kh} x {kw} kernel", value,
                    correlate(image.astype("float64"), kernel),
                    "The result has (h - kh + 1, w - kw + 1) places; the kernel is not flipped; "
                    "nothing is padded.")
    kept, before = image.copy(), kernel.copy()
    check.call("its inputs", answer, image, kernel)
    check.that("its inputs are not changed", np.array_equal(image, kept)
               and np.array_equal(kernel, before), "the arrays as given", "changed ones",
               "Write into a new array.")


def max_pool2d(answer, check: Checker) -> None:
    """The largest of each size x size block."""
    value = check.call("a 2 x 4 image", answer, np.array([[1, 5, 2, 0], [3, 4, 7, 1]], "float32"))
    check.close("[[1, 5, 2, 0], [3, 4, 7, 1]] gives [[5, 7]]", value, [[5, 7]],
                "The largest of each 2 x 2 block; blocks do not overlap.")
    for h, w, size in ((8, 6, 2), (7, 9, 2), (9, 12, 3), (11, 7, 3), (5, 4, 1)):
        x = check.normal(h, w) - 5   # below zero: padding with zeros shows
        rows, columns = h // size, w // size
        blocks = x[:rows * size, :columns * size].reshape(rows, size, columns, size)
        value = check.call(f"{h} x {w}, size {size}", answer, x, size)
        check.close(f"{h} x {w} by blocks of {size}, all negative", value, blocks.max(axis=(1, 3)),
                    "Shape (h // size, w // size): what is left over at the edge is dropped; "
                    "nothing is padded.")
        if size == 2:
            check.close(f"{h} x {w}, size left out", check.call("size left out", answer, x),
                        blocks.max(axis=(1, 3)), "The default of size is 2.")


def _redraw(model, check: Checker) -> None:
    """Large random weights: what an output activation bounds then shows."""
    for variable in model.trainable_variables:
        variable.assign(3 * check.normal(*variable.shape))


def _network(answer, check: Checker, arguments: tuple, shape: tuple, outputs: tuple,
             hint: str):
    """The model, with its type, output shapes and independence of rows checked; None if wrong."""
    model = check.call(f"it builds{' for ' + str(arguments[0]) if arguments else ''}", answer,
                       *arguments)
    if not check.that("it returns a Keras model", check.is_a(model, "model"), "a keras.Model",
                      type(model).__name__, "Return keras.Sequential([...]) or keras.Model(...)."):
        return None
    x = check.rng.random((5, *shape)).astype("float32")
    for batch in (1, 5):
        value = check.call(f"a batch of {batch}", model, x[:batch])
        value = check.array(f"a batch of {batch} gives shape {(batch, *outputs)}", value,
                            (batch, *outputs), hint)
    check.that("any batch", True)
    alone = check.array("one row", check.call("one row", model, x[3:4]), (1, *outputs))
    check.close("a row's output does not depend on the other rows", value[3:4], alone,
                "Nothing may mix the rows of a batch.", 1e-3)
    return model


def _raw(model, check: Checker, shape: tuple) -> bool:
    """Whether some outputs are negative and some above 1, for large weights."""
    low, high = 0.0, 1.0
    for _ in range(20):   # a right model fails all of these with probability below 1e-9
        _redraw(model, check)
        value = np.asarray(check.call("large weights", model, check.normal(3, *shape)))
        low, high = min(low, float(value.min())), max(high, float(value.max()))
        if low < -1.5 and high > 1.5:
            return True
    return False


def _convolves(model, check: Checker) -> None:
    check.that("it has convolutions", any(len(v.shape) == 4 for v in model.trainable_variables),
               "a kernel of four dimensions", "none", "keras.layers.Conv2D(filters, size, "
               "activation='relu')")


def _not_linear(model, check: Checker, shape: tuple) -> None:
    _redraw(model, check)
    a, b = check.normal(2, *shape), check.normal(2, *shape)
    mixed, ends = np.asarray(model(0.5 * (a + b))), 0.5 * np.asarray(model(a) + model(b))
    check.that("it is not linear", np.abs(mixed - ends).max() > 1e-3 * np.abs(ends).max(),
               "layers with activations", "one linear map",
               "Without activation='relu' any depth of layers is one linear layer.")


def build_digit_cnn(answer, check: Checker) -> None:
    """(28, 28, 1) to 10 logits."""
    model = _network(answer, check, (), (28, 28, 1), (10,),
                     "keras.Input((28, 28, 1)) first, ten units last.")
    if model is None:
        return
    check.that("at most 500,000 parameters", model.count_params() <= 500_000, "500,000",
               model.count_params(), "Pool before you flatten; fewer filters, a smaller Dense.")
    _convolves(model, check)
    check.that("the outputs are logits, not probabilities", _raw(model, check, (28, 28, 1)),
               "any real numbers", "numbers inside bounds", "No activation on the last layer.")
    _not_linear(model, check, (28, 28, 1))


def build_classifier(answer, check: Checker) -> None:
    """(64, 64, 3) to num_outputs raw values."""
    model = None
    for outputs in (1, 6):
        model = _network(answer, check, (outputs,), (64, 64, 3), (outputs,),
                         "keras.Input((64, 64, 3)) first, num_outputs units last.")
        if model is None:
            return
    _convolves(model, check)
    check.that("the outputs are raw values", _raw(model, check, (64, 64, 3)),
               "any real numbers", "numbers inside bounds", "No activation on the last layer.")
    _not_linear(model, check, (64, 64, 3))


def build_decoder(answer, check: Checker) -> None:
    """(latent_dim,) to (64, 64, 3)."""
    model = None
    for latent_dim in (3, 8):
        model = _network(answer, check, (latent_dim,), (latent_dim,), (64, 64, 3),
                         "Dense, then Reshape, then Conv2DTranspose layers with strides=2 until "
                         "64 x 64, three filters last.")
        if model is None:
            return
    pictures = np.asarray(model(check.normal(16, 8)))
    check.that("all of the picture depends on the latents",
               (np.ptp(pictures, axis=0).max(axis=-1) > 0).mean() > 0.9, "every pixel varies",
               "pixels that never change", "Each pixel has to be reached from the latents.")
    for k in range(8):
        z = np.repeat(check.normal(1, 8), 2, axis=0)
        z[1, k] += 1
        moved = np.ptp(np.asarray(model(z)), axis=0).max() > 0
        if not moved:
            break
    check.that("each latent changes the picture", moved, "all do", "one does nothing",
               "The first Dense layer takes the whole latent vector.")
    sums = pictures.sum(axis=-1)
    check.that("its three colours are free of each other", np.ptp(sums) > 1e-3,
               "any colour", "colours that always sum to the same",
               "A softmax over the channels cannot paint black or white.")
    _not_linear(model, check, (8,))


def _recalls_around(faces, nonfaces, rate) -> tuple[float, float]:
    """Lowest and highest recall for thresholds within a rank or two of the exact one."""
    ordered = np.sort(nonfaces)[::-1]
    k = int(round(rate * len(ordered)))
    return (float((faces > ordered[max(k - 2, 0)]).mean()),
            float((faces > ordered[min(k + 1, len(ordered) - 1)]).mean()))


def recall_at_fpr(answer, check: Checker) -> None:
    """Recall of faces at the threshold that lets that share of non-faces through."""
    hint = ("The threshold is the quantile 1 - false_positive_rate of the non-faces' scores; "
            "recall is the share of faces above it.")
    nonfaces = np.arange(100, dtype="float32") / 100
    faces = np.array([0.5, 0.85, 0.95, 0.99, 0.97], "float32")
    value = check.call("a small example", answer, faces, nonfaces, 0.1)
    check.close("non-faces 0, 0.01 ... 0.99, faces 0.5, 0.85, 0.95, 0.99, 0.97, rate 0.1 give 0.6",
                value, 0.6, hint)
    for rate, shift, scale in ((0.02, 0.0, 1.0), (0.3, -60.0, 9.0), (0.1, 40.0, 0.01)):
        nonfaces = (shift + scale * check.normal(1000)).astype("float32")
        faces = (shift + scale * (check.normal(400) + 1.5)).astype("float32")
        value = check.array("one number", check.call(f"rate {rate:g}", answer, faces, nonfaces,
                                                     rate), ())
        low, high = _recalls_around(faces, nonfaces, rate)
        check.that(f"random scores around {shift:g}, rate {rate:g}",
                   low - 1e-6 <= float(value) <= high + 1e-6, f"{low:.4f} to {high:.4f}", value,
                   hint)
    apart = check.call("classes far apart", answer, 5 + nonfaces, nonfaces, 0.05)
    check.close("faces that all score higher give 1", apart, 1.0, hint)


def recall_by_group(answer, check: Checker) -> None:
    """Recall of each group."""
    hint = "For each group: the mean of (its scores > threshold)."
    for names, threshold in ((("light", "dark"), 0.5), (("tones 1-2", "3-4", "b", "c"), -3.1)):
        groups = np.array(names)[check.rng.integers(0, len(names), 90)]
        groups[:len(names)] = names
        ease = np.array([0.9, -0.9, 0.4, 0])[[names.index(group) for group in groups]]
        scores = (threshold + check.normal(90) + ease).astype("float32")
        wanted = {name: float((scores[groups == name] > threshold).mean()) for name in names}
        value = check.call(f"{len(names)} groups", answer, scores, threshold, groups)
        if not check.that("it returns a dict", isinstance(value, dict), "group -> recall",
                          type(value).__name__, "{group: recall for each group}"):
            return
        if not check.that("its keys are the groups", {str(key) for key in value} == set(names),
                          str(sorted(names)), str(sorted(map(str, value)))[:80],
                          "np.unique(groups) lists them."):
            return
        value = {str(key): number for key, number in value.items()}
        for name in names:
            check.close(f"recall of {name!r}", value[name], wanted[name], hint)


CHECKS = {"convolve2d": convolve2d, "max_pool2d": max_pool2d, "build_digit_cnn": build_digit_cnn,
          "build_classifier": build_classifier, "build_decoder": build_decoder,
          "recall_at_fpr": recall_at_fpr, "recall_by_group": recall_by_group, **VAE_CHECKS}
