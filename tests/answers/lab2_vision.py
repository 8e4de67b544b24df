"""Answers to Lab 2: convolution, pooling, networks, measures of a detector."""

import keras
import numpy as np
import tensorflow as tf
from scipy.signal import convolve2d as scipy_convolve
from scipy.signal import correlate2d

from . import right, wrong

L = keras.layers


def wrongs(exercise, answers):
    """Register wrong answers, each with what is wrong."""
    for what, answer in answers.items():
        wrong(exercise, what)(answer)


# ---- convolve2d ------------------------------------------------------------------------------


@right("convolve2d")
def c_loops(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(image[i:i + kh, j:j + kw] * kernel)
    return out


@right("convolve2d")
def c_tensorflow(image, kernel):
    return tf.nn.conv2d(tf.convert_to_tensor(image)[None, :, :, None],
                        tf.convert_to_tensor(kernel)[:, :, None, None], 1, "VALID")[0, :, :, 0]


@right("convolve2d")
def c_shifted_sums(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    return sum(kernel[a, b] * image[a:h - kh + 1 + a, b:w - kw + 1 + b]
               for a in range(kh) for b in range(kw))


@right("convolve2d")
def c_scipy(image, kernel):
    return correlate2d(np.asarray(image, "float64"), kernel, mode="valid")


@right("convolve2d")
def c_keras(image, kernel):
    return keras.ops.conv(image[None, :, :, None], kernel[:, :, None, None], padding="valid")[
        0, ..., 0]


def _square(image, kernel):
    k = kernel.shape[0]
    n = image.shape[0] - k + 1
    return np.array([[(image[i:i + k, j:j + k] * kernel).sum() for j in range(n)]
                     for i in range(n)])


def _in_place(image, kernel):
    out = c_loops(image, kernel)
    image[0, 0] = 0
    return out


def _last_missing(image, kernel):
    return c_loops(image, kernel)[:-1, :-1]


wrongs("convolve2d", {
    "kernel flipped": lambda x, k: scipy_convolve(x, k, mode="valid"),
    "padded": lambda x, k: correlate2d(x, k, mode="same"),
    "full": lambda x, k: correlate2d(x, k, mode="full"),
    "square only": _square,
    "averaged": lambda x, k: c_loops(x, k) / k.size,
    "last place missing": _last_missing,
    "transposed": lambda x, k: c_loops(x, k).T,
    "image changed": _in_place,
    "matrix product": lambda x, k: x[:k.shape[0], :k.shape[1]] @ k.T,
    "relu after it": lambda x, k: np.maximum(c_loops(x, k), 0),
    "channel axes left": lambda x, k: c_tensorflow(x, k)[None, :, :, None],
    "returns None": lambda x, k: None,
})

# ---- max_pool2d ------------------------------------------------------------------------------


@right("max_pool2d")
def p_loops(x, size=2):
    out = np.empty((x.shape[0] // size, x.shape[1] // size))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = x[i * size:(i + 1) * size, j * size:(j + 1) * size].max()
    return out


@right("max_pool2d")
def p_reshape(x, size=2):
    h, w = x.shape[0] // size, x.shape[1] // size
    return x[:h * size, :w * size].reshape(h, size, w, size).max((1, 3))


@right("max_pool2d")
def p_tensorflow(x, size=2):
    return tf.nn.max_pool2d(x[None, ..., None], size, size, "VALID")[0, ..., 0]


@right("max_pool2d")
def p_strides(x, size=2):
    h, w = x.shape[0] // size * size, x.shape[1] // size * size
    return np.maximum.reduce([x[a:h:size, b:w:size] for a in range(size) for b in range(size)])


@right("max_pool2d")
def p_keras(x, size=2):
    return L.MaxPooling2D(size)(np.asarray(x)[None, :, :, None])[0, :, :, 0]


wrongs("max_pool2d", {
    "mean": lambda x, size=2: L.AveragePooling2D(size)(x[None, ..., None])[0, ..., 0],
    "overlapping": lambda x, size=2: L.MaxPooling2D(size, 1)(x[None, ..., None])[0, ..., 0],
    "edge kept": lambda x, size=2: L.MaxPooling2D(size, padding="same")(
        x[None, ..., None])[0, ..., 0],
    "size ignored": lambda x, size=2: p_reshape(x, 2),
    "default 3": lambda x, size=3: p_reshape(x, size),
    "minimum": lambda x, size=2: -p_reshape(-x, size),
    "every second number": lambda x, size=2: x[::size, ::size],
    "padded with zeros": lambda x, size=2: np.maximum(p_reshape(x, size), 0),
    "one number": lambda x, size=2: x.max(),
    "size required": lambda x, size: p_reshape(x, size),
    "sum": lambda x, size=2: p_reshape(x, size) * size,
})

# ---- networks --------------------------------------------------------------------------------


def _digits(*top, filters=8, head=()):
    return keras.Sequential([keras.Input((28, 28, 1)), *head,
                             L.Conv2D(filters, 3, activation="relu"), L.MaxPooling2D(2),
                             L.Conv2D(filters, 3, activation="relu"), L.MaxPooling2D(2),
                             L.Flatten(), *top])


@right("build_digit_cnn")
def d_sequential():
    return _digits(L.Dense(32, activation="relu"), L.Dense(10))


@right("build_digit_cnn")
def d_functional():
    x = keras.Input((28, 28, 1))
    y = L.BatchNormalization()(L.Conv2D(8, 5, strides=2)(x))
    y = L.GlobalAveragePooling2D()(L.Conv2D(16, 3, activation="gelu")(L.ReLU()(y)))
    return keras.Model(x, L.Dense(10, activation="linear")(L.Dropout(0.5)(y)))


@right("build_digit_cnn")
class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.convolution, self.flat = L.Conv2D(6, 5, strides=3, activation="tanh"), L.Flatten()
        self.top = L.Dense(10)

    def call(self, x):
        return self.top(self.flat(self.convolution(x)))


@right("build_digit_cnn")
def d_all_convolutions():
    return keras.Sequential([keras.Input((28, 28, 1)), L.Rescaling(2.0, -1.0),
                             L.SeparableConv2D(12, 3, strides=2, activation="elu"),
                             L.Conv2D(10, 13), L.Flatten()])


wrongs("build_digit_cnn", {
    "softmax": lambda: _digits(L.Dense(10, activation="softmax")),
    "sigmoid": lambda: _digits(L.Dense(10, activation="sigmoid")),
    "relu at the end": lambda: _digits(L.Dense(10, activation="relu")),
    "no convolution": lambda: keras.Sequential([keras.Input((28, 28, 1)), L.Flatten(),
                                                L.Dense(32, activation="relu"), L.Dense(10)]),
    "too large": lambda: _digits(L.Dense(3000, activation="relu"), L.Dense(10), filters=16),
    "nine classes": lambda: _digits(L.Dense(9)),
    "linear": lambda: keras.Sequential([keras.Input((28, 28, 1)), L.Conv2D(4, 3, strides=3),
                                        L.Flatten(), L.Dense(10)]),
    "flatten missing": lambda: keras.Sequential([
        keras.Input((28, 28, 1)), L.Conv2D(4, 3, activation="relu"), L.Dense(10)]),
    "mixes the batch": lambda: _digits(L.Dense(10), L.Lambda(
        lambda x: x - tf.reduce_mean(x, axis=0))),
    "for colour images": lambda: keras.Sequential([
        keras.Input((28, 28, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(10)]),
    "a list of layers": lambda: [L.Conv2D(4, 3), L.Dense(10)],
    "returns None": lambda: None,
})


def _stack(*top, first=True):
    layers = [L.Conv2D(8, 5, strides=2, activation="relu"),
              L.Conv2D(8, 3, strides=2, activation="relu")]
    return keras.Sequential([keras.Input((64, 64, 3)), *(layers if first else []), L.Flatten(),
                             *top])


@right("build_classifier")
def k_sequential(n):
    return _stack(L.Dense(16, activation="relu"), L.Dense(n))


@right("build_classifier")
def k_functional(num_outputs):
    x = keras.Input((64, 64, 3))
    y = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D(4)(x))
    return keras.Model(x, L.Dense(num_outputs)(L.GlobalMaxPooling2D()(y)))


@right("build_classifier")
class SubclassedFaces(keras.Model):
    def __init__(self, num_outputs):
        super().__init__()
        self.body = keras.Sequential([L.Conv2D(6, 5, strides=4), L.LeakyReLU(), L.Flatten()])
        self.top = L.Dense(num_outputs, use_bias=False)

    def call(self, images):
        return self.top(self.body(images))


@right("build_classifier")
def k_batch_norm(n):
    model = keras.Sequential([L.Conv2D(8, 5, strides=4, activation="relu"),
                              L.BatchNormalization(), L.Flatten(), L.Dense(n)])
    model.build((None, 64, 64, 3))
    return model


wrongs("build_classifier", {
    "sigmoid": lambda n: _stack(L.Dense(n, activation="sigmoid")),
    "softmax": lambda n: _stack(L.Dense(n, activation="softmax")),
    "relu at the end": lambda n: _stack(L.Dense(n, activation="relu")),
    "tanh at the end": lambda n: _stack(L.Dense(n, activation="tanh")),
    "always one output": lambda n: _stack(L.Dense(1)),
    "one output too many": lambda n: _stack(L.Dense(n + 1)),
    "no convolution": lambda n: _stack(L.Dense(8, activation="relu"), L.Dense(n), first=False),
    "linear": lambda n: keras.Sequential([keras.Input((64, 64, 3)), L.Conv2D(2, 8, strides=8),
                                          L.Flatten(), L.Dense(n)]),
    "fixed batch": lambda n: keras.Sequential([
        keras.Input(batch_shape=(32, 64, 64, 3)), L.Conv2D(4, 8, strides=8, activation="relu"),
        L.Flatten(), L.Reshape((-1,)), L.Dense(n), L.Lambda(lambda y: tf.ensure_shape(y, (32, n)))
    ]),
    "for grey images": lambda n: keras.Sequential([
        keras.Input((64, 64, 1)), L.Conv2D(4, 8, strides=8, activation="relu"), L.Flatten(),
        L.Dense(n)]),
    "a function": lambda n: (lambda x: np.zeros((len(x), n))),
    "returns None": lambda n: None,
})


def _decoder(latent_dim, *top, start=16):
    return keras.Sequential([keras.Input((latent_dim,)), L.Dense(start * start * 4,
                             activation="relu"), L.Reshape((start, start, 4)), *top])


def _up(filters, activation="relu"):
    return L.Conv2DTranspose(filters, 3, strides=2, padding="same", activation=activation)


@right("build_decoder")
def e_transposed(latent_dim):
    return _decoder(latent_dim, _up(8), _up(3, "sigmoid"))


@right("build_decoder")
def e_upsampling(latent_dim):
    return _decoder(latent_dim, L.UpSampling2D(4, interpolation="bilinear"),
                    L.Conv2D(3, 3, padding="same"))


@right("build_decoder")
def e_dense(latent_dim):
    z = keras.Input((latent_dim,))
    y = L.Dense(64 * 64 * 3, activation="sigmoid")(L.Dense(8, activation="elu")(z))
    return keras.Model(z, L.Reshape((64, 64, 3))(y))


@right("build_decoder")
class SubclassedDecoder(keras.Model):
    def __init__(self, latent_dim):
        super().__init__()
        self.start, self.one, self.two = L.Dense(1024, activation="gelu"), _up(6), _up(3, None)

    def call(self, z):
        return self.two(self.one(keras.ops.reshape(self.start(z), (-1, 16, 16, 4))))


wrongs("build_decoder", {
    "too small": lambda n: _decoder(n, _up(3, "sigmoid")),
    "too large": lambda n: _decoder(n, _up(8), _up(8), _up(3)),
    "one channel": lambda n: _decoder(n, _up(8), _up(1)),
    "flat": lambda n: _decoder(n, _up(8), _up(3), L.Flatten()),
    "softmax over the channels": lambda n: _decoder(n, _up(8), _up(3, "softmax")),
    "latents ignored": lambda n: _decoder(n, _up(8), _up(3), L.Lambda(tf.ones_like)),
    "first latent alone": lambda n: keras.Sequential([
        keras.Input((n,)), L.Lambda(lambda z: z[:, :1], output_shape=(1,)),
        L.Dense(1024, activation="relu"), L.Reshape((16, 16, 4)), _up(8), _up(3)]),
    "latent size fixed": lambda n: e_transposed(8),
    "linear": lambda n: keras.Sequential([keras.Input((n,)), L.Dense(1024), L.Reshape(
        (16, 16, 4)), _up(8, None), _up(3, None)]),
    "an encoder": lambda n: _stack(L.Dense(n)),
    "mixes the batch": lambda n: _decoder(n, _up(8), _up(3), L.Lambda(
        lambda x: x - tf.reduce_mean(x, axis=0))),
    "returns None": lambda n: None,
})

# ---- recall ----------------------------------------------------------------------------------


@right("recall_at_fpr")
def r_quantile(scores_faces, scores_nonfaces, false_positive_rate):
    return np.mean(scores_faces > np.quantile(scores_nonfaces, 1 - false_positive_rate))


@right("recall_at_fpr")
def r_sorted(faces, nonfaces, rate):
    ordered = np.sort(nonfaces)[::-1]
    return float((np.asarray(faces) > ordered[int(rate * len(ordered))]).mean())


@right("recall_at_fpr")
def r_tensorflow(faces, nonfaces, rate):
    k = int(round(rate * len(nonfaces)))
    threshold = tf.math.top_k(nonfaces, k + 1).values[-1]
    return tf.reduce_mean(tf.cast(tf.constant(faces) > threshold, tf.float32))


@right("recall_at_fpr")
def r_counting(faces, nonfaces, rate):
    nonfaces = sorted(map(float, nonfaces))
    threshold = next(t for t in nonfaces if sum(s > t for s in nonfaces) <= rate * len(nonfaces))
    return sum(s > threshold for s in faces) / len(faces)


@right("recall_at_fpr")
def r_keras(faces, nonfaces, rate):
    threshold = keras.ops.quantile(keras.ops.convert_to_tensor(nonfaces, "float32"), 1.0 - rate)
    return keras.ops.mean(keras.ops.cast(faces > threshold, "float32"))


wrongs("recall_at_fpr", {
    "quantile at the rate itself": lambda f, n, r: np.mean(f > np.quantile(n, r)),
    "quantile of the faces": lambda f, n, r: np.mean(f > np.quantile(f, 1 - r)),
    "share missed": lambda f, n, r: np.mean(f <= np.quantile(n, 1 - r)),
    "the threshold": lambda f, n, r: np.quantile(n, 1 - r),
    "threshold one half": lambda f, n, r: np.mean(f > 0.5),
    "threshold is 1 - rate": lambda f, n, r: np.mean(f > 1 - r),
    "percent": lambda f, n, r: 100 * r_quantile(f, n, r),
    "one number a face": lambda f, n, r: f > np.quantile(n, 1 - r),
    "quantile of all scores": lambda f, n, r: np.mean(f > np.quantile(np.r_[f, n], 1 - r)),
    "share of non-faces": lambda f, n, r: np.mean(n > np.quantile(n, 1 - r)),
    "a count": lambda f, n, r: np.sum(f > np.quantile(n, 1 - r)),
    "largest non-face": lambda f, n, r: np.mean(f > n.max()),
    "normal distribution assumed, one sigma": lambda f, n, r: np.mean(f > n.mean() + n.std()),
})


@right("recall_by_group")
def g_comprehension(scores_faces, threshold, groups):
    return {g: np.mean(scores_faces[groups == g] > threshold) for g in np.unique(groups)}


@right("recall_by_group")
def g_loop(scores, threshold, groups):
    found, total = {}, {}
    for score, group in zip(scores, groups, strict=True):
        total[str(group)] = total.get(str(group), 0) + 1
        found[str(group)] = found.get(str(group), 0) + (score >= threshold)
    return {group: found[group] / total[group] for group in total}


@right("recall_by_group")
def g_counts(scores, threshold, groups):
    names, which = np.unique(groups, return_inverse=True)
    recall = np.bincount(which, scores > threshold) / np.bincount(which)
    return dict(zip(names.tolist(), recall, strict=True))


@right("recall_by_group")
def g_tensorflow(scores, threshold, groups):
    return {g: tf.reduce_mean(tf.cast(tf.boolean_mask(scores, groups == g) > threshold,
                                      tf.float64)) for g in set(groups.tolist())}


wrongs("recall_by_group", {
    "share missed": lambda s, t, g: {k: np.mean(s[g == k] <= t) for k in set(g)},
    "divided by all": lambda s, t, g: {k: np.sum(s[g == k] > t) / len(s) for k in set(g)},
    "counts": lambda s, t, g: {k: np.sum(s[g == k] > t) for k in set(g)},
    "the same for all": lambda s, t, g: {k: np.mean(s > t) for k in set(g)},
    "a list": lambda s, t, g: [np.mean(s[g == k] > t) for k in sorted(set(g))],
    "mean score": lambda s, t, g: {k: np.mean(s[g == k]) for k in set(g)},
    "threshold one half": lambda s, t, g: {k: np.mean(s[g == k] > 0.5) for k in set(g)},
    "share of the found": lambda s, t, g: {k: np.sum(s[g == k] > t) / np.sum(s > t)
                                           for k in set(g)},
    "first group missing": lambda s, t, g: {k: np.mean(s[g == k] > t) for k in sorted(set(g))[1:]},
    "numbers as keys": lambda s, t, g: {i: np.mean(s[g == k] > t)
                                        for i, k in enumerate(sorted(set(g)))},
    "threshold within the group": lambda s, t, g: {k: np.mean(s[g == k] > np.median(s[g == k]))
                                                   for k in set(g)},
    "returns None": lambda s, t, g: None,
})
