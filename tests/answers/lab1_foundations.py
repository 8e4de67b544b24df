"""Answers to the foundations of Lab 1."""

import math

import keras
import numpy as np
import tensorflow as tf

from . import right, wrong

# ---- perceptron ----------------------------------------------------------------------------


@right("perceptron")
def by_numpy(x, w, b):
    return 1 / (1 + np.exp(-(np.dot(x, w) + b)))


@right("perceptron")
def by_tensorflow(x, w, b):
    return tf.sigmoid(tf.reduce_sum(tf.cast(x, tf.float32) * tf.cast(w, tf.float32), axis=-1) + b)


@right("perceptron")
def by_keras(x, w, b):
    return keras.ops.sigmoid(keras.ops.matmul(np.float32(x), np.float32(w)) + b)


@right("perceptron")
def by_loop(x, w, b):
    x = np.asarray(x)
    flat = x.reshape(-1, x.shape[-1])
    out = [1 / (1 + math.exp(-(sum(float(i) * float(j) for i, j in zip(row, w, strict=True)) + b)))
           for row in flat]
    return np.array(out).reshape(x.shape[:-1])


@right("perceptron")
def by_tanh(x, w, b):
    return 0.5 * (1 + np.tanh(0.5 * (np.einsum("...i,i->...", x, w) + b)))


@wrong("perceptron", "no sigmoid")
def p1(x, w, b):
    return np.dot(x, w) + b


@wrong("perceptron", "bias forgotten")
def p2(x, w, b):
    return 1 / (1 + np.exp(-np.dot(x, w)))


@wrong("perceptron", "sign lost in the exponent")
def p3(x, w, b):
    return 1 / (1 + np.exp(np.dot(x, w) + b))


@wrong("perceptron", "sum over all axes")
def p4(x, w, b):
    return 1 / (1 + np.exp(-(np.sum(x * w) + b)))


@wrong("perceptron", "no sum")
def p5(x, w, b):
    return 1 / (1 + np.exp(-(x * w + b)))


@wrong("perceptron", "tanh")
def p6(x, w, b):
    return np.tanh(np.dot(x, w) + b)


@wrong("perceptron", "bias outside the sigmoid")
def p7(x, w, b):
    return 1 / (1 + np.exp(-np.dot(x, w))) + b


@wrong("perceptron", "a step instead of the sigmoid")
def p8(x, w, b):
    return (np.dot(x, w) + b > 0).astype(float)


@wrong("perceptron", "returns None")
def p9(x, w, b):
    1 / (1 + np.exp(-(np.dot(x, w) + b)))


@wrong("perceptron", "bias subtracted")
def p10(x, w, b):
    return 1 / (1 + np.exp(-(np.dot(x, w) - b)))


# ---- DenseLayer ----------------------------------------------------------------------------


class _Base(keras.layers.Layer):
    """What most wrong layers share."""

    start = "glorot_uniform"

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.W = self.add_weight(shape=(shape[-1], self.units), initializer=self.start)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")


@right("DenseLayer")
class TensorFlowLayer(_Base):
    def call(self, x):
        return tf.nn.sigmoid(tf.matmul(x, self.W) + self.b)


@right("DenseLayer")
class InnerDense(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.inner = keras.layers.Dense(units, activation="sigmoid")

    def call(self, x):
        return self.inner(x)


@right("DenseLayer")
class BiasFirst(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.n = units

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(self.n,), initializer="random_normal", name="bias")
        self.kernel = self.add_weight(shape=(int(input_shape[-1]), self.n), name="kernel",
                                      initializer="random_normal", trainable=True)

    def call(self, inputs):
        return 1 / (1 + keras.ops.exp(-(keras.ops.dot(inputs, self.kernel) + self.bias)))


@right("DenseLayer")
class Einsum(_Base):
    start = "he_normal"

    def call(self, x):
        return keras.activations.sigmoid(keras.ops.einsum("ij,jk->ik", x, self.W) + self.b)


@wrong("DenseLayer", "no activation")
class D1(_Base):
    def call(self, x):
        return tf.matmul(x, self.W) + self.b


@wrong("DenseLayer", "bias forgotten in call")
class D2(_Base):
    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W))


@wrong("DenseLayer", "W starts at zero")
class D3(_Base):
    start = "zeros"

    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W) + self.b)


@wrong("DenseLayer", "weights transposed")
class D4(_Base):
    def build(self, shape):
        self.W = self.add_weight(shape=(self.units, shape[-1]), initializer="glorot_uniform")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W, transpose_b=True) + self.b)


@wrong("DenseLayer", "no bias at all")
class D5(_Base):
    def build(self, shape):
        self.W = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W))


@wrong("DenseLayer", "weights hidden from Keras")
class D6(_Base):
    def build(self, shape):
        self.W, self.b = np.float32(np.ones((shape[-1], self.units))), np.zeros(self.units, "f")

    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W) + self.b)


@wrong("DenseLayer", "relu")
class D7(_Base):
    def call(self, x):
        return tf.nn.relu(tf.matmul(x, self.W) + self.b)


@wrong("DenseLayer", "softmax")
class D8(_Base):
    def call(self, x):
        return tf.nn.softmax(tf.matmul(x, self.W) + self.b)


@wrong("DenseLayer", "not a layer")
class D9:
    def __init__(self, units):
        self.units = units

    def __call__(self, x):
        return tf.sigmoid(tf.ones((x.shape[0], self.units)))


@wrong("DenseLayer", "input width fixed")
class D10(_Base):
    def build(self, shape):
        super().build((None, 5))

    def call(self, x):
        return tf.sigmoid(tf.matmul(x, self.W) + self.b)


# ---- gradient_descent ------------------------------------------------------------------------


def _gradient(loss_fn, theta):
    theta = tf.convert_to_tensor(theta)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        loss = loss_fn(theta)
    return tape.gradient(loss, theta).numpy()


@right("gradient_descent")
def by_watch(loss_fn, theta0, learning_rate, steps):
    path = [np.array(theta0)]
    for _ in range(steps):
        path.append(path[-1] - np.float32(learning_rate) * _gradient(loss_fn, path[-1]))
    return np.array(path)


@right("gradient_descent")
def by_variable(loss_fn, theta0, learning_rate, steps):
    theta = tf.Variable(theta0)
    path = [tf.identity(theta)]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(theta)
        theta.assign_sub(learning_rate * tape.gradient(loss, theta))
        path.append(tf.identity(theta))
    return tf.stack(path)


@right("gradient_descent")
def by_optimizer(loss_fn, theta0, learning_rate, steps):
    theta = tf.Variable(theta0)
    optimizer = keras.optimizers.SGD(learning_rate)
    path = np.zeros((steps + 1, *np.shape(theta0)))
    path[0] = theta.numpy()
    for k in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(theta)
        optimizer.apply_gradients([(tape.gradient(loss, theta), theta)])
        path[k + 1] = theta.numpy()
    return path


@right("gradient_descent")
def as_list(loss_fn, theta0, learning_rate, steps):
    theta, path = tf.constant(theta0), []
    while len(path) <= steps:
        path.append(theta.numpy().tolist())
        theta = theta - learning_rate * _gradient(loss_fn, theta)
    return path


@wrong("gradient_descent", "uphill")
def g1(loss_fn, theta0, learning_rate, steps):
    path = [np.array(theta0)]
    for _ in range(steps):
        path.append(path[-1] + np.float32(learning_rate) * _gradient(loss_fn, path[-1]))
    return np.array(path)


@wrong("gradient_descent", "the start is left out")
def g2(loss_fn, theta0, learning_rate, steps):
    return by_watch(loss_fn, theta0, learning_rate, steps)[1:]


@wrong("gradient_descent", "only the last iterate")
def g3(loss_fn, theta0, learning_rate, steps):
    return by_watch(loss_fn, theta0, learning_rate, steps)[-1]


@wrong("gradient_descent", "the gradient is never taken anew")
def g4(loss_fn, theta0, learning_rate, steps):
    step = learning_rate * _gradient(loss_fn, theta0)
    return np.array([theta0 - k * step for k in range(steps + 1)])


@wrong("gradient_descent", "one step too many")
def g5(loss_fn, theta0, learning_rate, steps):
    return by_watch(loss_fn, theta0, learning_rate, steps + 1)


@wrong("gradient_descent", "only the sign of the gradient")
def g6(loss_fn, theta0, learning_rate, steps):
    path = [np.array(theta0)]
    for _ in range(steps):
        path.append(path[-1] - np.float32(learning_rate) * np.sign(_gradient(loss_fn, path[-1])))
    return np.array(path)


@wrong("gradient_descent", "learning rate applied twice")
def g7(loss_fn, theta0, learning_rate, steps):
    return by_watch(loss_fn, theta0, learning_rate ** 2, steps)


@wrong("gradient_descent", "Adam")
def g8(loss_fn, theta0, learning_rate, steps):
    theta = tf.Variable(theta0)
    optimizer, path = keras.optimizers.Adam(learning_rate), [theta.numpy()]
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = loss_fn(theta)
        optimizer.apply_gradients([(tape.gradient(loss, theta), theta)])
        path.append(theta.numpy())
    return np.array(path)


@wrong("gradient_descent", "theta0 changed in place")
def g9(loss_fn, theta0, learning_rate, steps):
    if np.ndim(theta0) == 0:
        return by_watch(loss_fn, theta0, learning_rate, steps)
    path = [theta0.copy()]
    for _ in range(steps):
        theta0 -= np.float32(learning_rate) * _gradient(loss_fn, theta0)
        path.append(theta0.copy())
    return np.array(path)


@wrong("gradient_descent", "losses instead of iterates")
def g10(loss_fn, theta0, learning_rate, steps):
    return np.array([float(loss_fn(tf.constant(t))) for t in
                     by_watch(loss_fn, theta0, learning_rate, steps)])


# ---- rnn_step --------------------------------------------------------------------------------


@right("rnn_step")
def r_tensorflow(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh + h @ W_hh + b)


@right("rnn_step")
def r_concatenated(x, h, W_xh, W_hh, b, activation=tf.tanh):
    z = tf.concat([x, h], -1) @ tf.concat([W_xh, W_hh], 0)
    return activation(tf.nn.bias_add(z, b))


@right("rnn_step")
def r_keras(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(keras.ops.matmul(x, W_xh) + keras.ops.matmul(h, W_hh) + b)


@right("rnn_step")
def r_einsum(x, h, W_xh, W_hh, b, activation=tf.tanh):
    z = tf.einsum("bi,ij->bj", x, W_xh) + tf.einsum("bi,ij->bj", h, W_hh)
    return np.asarray(activation(z + b))


@wrong("rnn_step", "no hidden state")
def r1(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh + b)


@wrong("rnn_step", "no input")
def r2(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(h @ W_hh + b)


@wrong("rnn_step", "activation ignored")
def r3(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return tf.tanh(x @ W_xh + h @ W_hh + b)


@wrong("rnn_step", "bias forgotten")
def r4(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh + h @ W_hh)


@wrong("rnn_step", "activation forgotten")
def r5(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return x @ W_xh + h @ W_hh + b


@wrong("rnn_step", "W_hh transposed")
def r6(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh + tf.matmul(h, W_hh, transpose_b=True) + b)


@wrong("rnn_step", "old state added outside")
def r7(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh + h @ W_hh + b) + h


@wrong("rnn_step", "activation on each part")
def r8(x, h, W_xh, W_hh, b, activation=tf.tanh):
    return activation(x @ W_xh) + activation(h @ W_hh) + b


@wrong("rnn_step", "sigmoid by default")
def r9(x, h, W_xh, W_hh, b, activation=tf.sigmoid):
    return activation(x @ W_xh + h @ W_hh + b)


# ---- lstm_step -------------------------------------------------------------------------------


def _lstm(x, h, c, W, U, b, order="ifgo"):
    blocks = dict(zip(order, tf.split(x @ W + h @ U + b, 4, axis=-1), strict=True))
    i, f, o = (tf.sigmoid(blocks[k]) for k in "ifo")
    return i, f, tf.tanh(blocks["g"]), o


@right("lstm_step")
def l_split(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b)
    c = f * c + i * g
    return o * tf.tanh(c), c


@right("lstm_step")
def l_numpy(x, h, c, W, U, b):
    x, h, c, W, U, b = (np.asarray(a, "float64") for a in (x, h, c, W, U, b))
    n = h.shape[1]
    z = x @ W + h @ U + b
    i, f, o = (1 / (1 + np.exp(-z[:, k * n:(k + 1) * n])) for k in (0, 1, 3))
    c = f * c + i * np.tanh(z[:, 2 * n:3 * n])
    return [o * np.tanh(c), c]


@right("lstm_step")
def l_cell(x, h, c, W, U, b):
    cell = keras.layers.LSTMCell(h.shape[1])
    cell.build(x.shape)
    cell.set_weights([W, U, b])
    _, (h, c) = cell(x, [h, c])
    return h, c


@right("lstm_step")
def l_gates_apart(x, h, c, W, U, b):
    n = tf.shape(h)[1]
    def gate(k, squash):
        s = slice(k * int(n), (k + 1) * int(n))
        return squash(x @ W[:, s] + h @ U[:, s] + b[s])
    c = gate(1, tf.nn.sigmoid) * c + gate(0, tf.nn.sigmoid) * gate(2, tf.nn.tanh)
    return gate(3, tf.nn.sigmoid) * tf.nn.tanh(c), c


@wrong("lstm_step", "gates in PyTorch's textbook order i, f, o, g")
def l1(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b, "ifog")
    c = f * c + i * g
    return o * tf.tanh(c), c


@wrong("lstm_step", "input and forget gates swapped")
def l2(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b, "figo")
    c = f * c + i * g
    return o * tf.tanh(c), c


@wrong("lstm_step", "returns (c, h)")
def l3(x, h, c, W, U, b):
    return l_split(x, h, c, W, U, b)[::-1]


@wrong("lstm_step", "h from the old c")
def l4(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b)
    return o * tf.tanh(c), f * c + i * g


@wrong("lstm_step", "no tanh on c")
def l5(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b)
    c = f * c + i * g
    return o * c, c


@wrong("lstm_step", "only h")
def l6(x, h, c, W, U, b):
    return l_split(x, h, c, W, U, b)[0]


@wrong("lstm_step", "forget gate ignored")
def l7(x, h, c, W, U, b):
    i, f, g, o = _lstm(x, h, c, W, U, b)
    c = c + i * g
    return o * tf.tanh(c), c


@wrong("lstm_step", "no recurrence")
def l8(x, h, c, W, U, b):
    return l_split(x, 0 * h, c, W, U, b)


@wrong("lstm_step", "sigmoid on the candidate")
def l9(x, h, c, W, U, b):
    i, f, g, o = tf.split(tf.sigmoid(x @ W + h @ U + b), 4, axis=-1)
    c = f * c + i * g
    return o * tf.tanh(c), c


@wrong("lstm_step", "bias forgotten")
def l10(x, h, c, W, U, b):
    return l_split(x, h, c, W, U, 0 * b)
