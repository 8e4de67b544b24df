"""Checks of Lab 1: foundations and a character RNN."""

import numpy as np

from .checker import Checker
from .checks_lab1_model import MODEL_CHECKS
from .probes import Parabola, QuadraticForm, identity


def sigmoid(z: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def perceptron(answer, check: Checker) -> None:
    """sigmoid(x . w + b)."""
    value = check.call("the worked example", answer, np.array([-1.0, 2.0]), np.array([3.0, -2.0]),
                       1.0)
    check.close("x = (-1, 2), w = (3, -2), b = 1 gives sigmoid(-6) = 0.002473", value,
                sigmoid(np.array(-6.0)), "z is 3 (-1) + (-2) 2 + 1; then the sigmoid.", 1e-5)
    for shape in ((5,), (4, 3), (2, 3, 4)):
        x, w, b = check.normal(*shape), check.normal(shape[-1]), float(check.normal(1)[0])
        value = check.call(f"x of shape {shape}", answer, x, w, b)
        check.close(f"x of shape {shape} gives shape {shape[:-1]}", value, sigmoid(x @ w + b),
                    "Sum over the last axis of x only, and add b once.")


def dense_layer(answer, check: Checker) -> None:
    """A Keras layer that computes sigmoid(x W + b)."""
    layer = check.call("DenseLayer(3) can be made", answer, 3)
    if not check.that("it is a keras.layers.Layer", check.is_a(layer, "layer"),
                      "a keras.layers.Layer", type(layer).__name__, "class DenseLayer("
                      "keras.layers.Layer), and super().__init__() in __init__."):
        return
    x = check.normal(4, 5)
    check.call("it can be called on shape (4, 5)", layer, x)
    shapes = sorted(tuple(weight.shape) for weight in layer.trainable_weights)
    if not check.that("after the first call it has W of shape (5, 3) and b of shape (3,)",
                      shapes == [(3,), (5, 3)], "[(3,), (5, 3)]", str(shapes),
                      "Create both with self.add_weight in build, from input_shape[-1]."):
        return
    W, b = check.normal(5, 3), check.normal(3)
    for weight in layer.trainable_weights:
        weight.assign(W if len(weight.shape) == 2 else b)
    y = check.call("it can be called again", layer, x)
    check.close("its output is sigmoid(x W + b)", y, sigmoid(x @ W + b),
                "Matrix product first, then the bias, then the sigmoid.")
    other = check.call("DenseLayer(2) can be made", answer, 2)
    y = check.call("a new layer takes another width", other, check.normal(6, 7))
    check.array("two units give shape (6, 2)", y, (6, 2))
    start = [np.asarray(w) for w in other.trainable_weights if len(w.shape) == 2][0]
    check.that("W starts random, so that units differ", np.ptp(start) > 0, "different numbers",
               start, "Use a random initializer such as 'glorot_uniform' for W.")


def gradient_descent(answer, check: Checker) -> None:
    """theta_(k+1) = theta_k - learning_rate * gradient."""
    path = check.call("it runs on (theta - 2)^2", answer, Parabola(2.0), np.float32(0), 0.25, 4)
    path = check.array("4 steps from a number give 5 iterates", path, (5,))
    check.that("the first iterate is theta0", abs(path[0]) < 1e-6, "0", path[0],
               "Store theta before the loop too.")
    check.close("each step goes against the gradient: 0, 1, 1.5, 1.75, 1.875", path,
                2 - 2 * 0.5 ** np.arange(5), "theta - learning_rate * gradient; the gradient at 0 "
                "is -4.")
    A = check.normal(3, 3)
    A = A @ A.T + np.eye(3, dtype="float32")
    theta, rate = check.normal(3), 0.05
    given = theta.copy()
    wanted = [theta.astype("float64")]
    for _ in range(3):
        wanted.append(wanted[-1] - rate * A @ wanted[-1])
    path = check.call("it runs on a loss of three numbers", answer, QuadraticForm(A), given, rate,
                      3)
    check.close("a theta of shape (3,) gives iterates of shape (4, 3)", path, np.array(wanted),
                "Take the gradient anew at every iterate.")
    check.that("theta0 itself is not changed", np.array_equal(given, theta), theta, given,
               "Copy theta0 into a tf.Variable.")


def rnn_step(answer, check: Checker) -> None:
    """activation(x W_xh + h W_hh + b)."""
    import tensorflow as tf

    x, h = check.normal(4, 3), check.normal(4, 5)
    W_xh, W_hh, b = check.normal(3, 5), check.normal(5, 5), check.normal(5)
    z = x @ W_xh + h @ W_hh + b
    tensors = [tf.constant(a) for a in (x, h, W_xh, W_hh, b)]
    value = check.call("one step", answer, *tensors)
    check.close("h' = tanh(x W_xh + h W_hh + b)", value, np.tanh(z),
                "x goes with W_xh, h with W_hh; then b; then tanh.")
    value = check.call("one step with another activation", answer, *tensors,
                       activation=identity)
    check.close("the activation given is the one used", value, z,
                "Call activation(...), not tf.tanh(...).")
    ones, outputs, h = tf.ones((2, 2)), [], tf.zeros((1, 2))
    for number in (1.0, 1.0, 2.0):
        h = check.call("the example by hand", answer, tf.fill((1, 2), number), h, ones, ones,
                       tf.zeros(2), activation=identity)
        outputs.append(float(np.sum(np.asarray(h))))
    check.close("all weights 1, inputs [1,1] [1,1] [2,2]: sums of h are 4, 12, 32", outputs,
                [4, 12, 32], "The new h must carry the old one.")


def lstm_reference(x, h, c, W, U, b):
    """One LSTM step in NumPy; gates i, f, g, o."""
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def lstm_step(answer, check: Checker) -> None:
    """(h, c) after one LSTM step."""
    import tensorflow as tf

    x, h, c = check.normal(4, 3), check.normal(4, 5), check.normal(4, 5)
    W, U, b = check.normal(3, 20), check.normal(5, 20), check.normal(20)

    def step(title, *arrays):
        pair = check.call(title, answer, *(tf.constant(a) for a in arrays))
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            check.fail("it returns the pair (h, c)", "two arrays", type(pair).__name__,
                       "return h, c")
            return None
        return pair

    pair = step("one step", x, h, c, W, U, b)
    if pair is None:
        return
    new_h, new_c = lstm_reference(x, h, c, W, U, b)
    check.close("c' = f c + i g", pair[1], new_c, "Split z into i, f, g, o in this order; sigmoid "
                "for i, f, o and tanh for g.")
    check.close("h' = o tanh(c')", pair[0], new_h, "Use the new c, and the gate o, the last block.")
    gates = np.repeat(np.float32([-50, 50, 0, 50]), 5)
    pair = step("one step that only copies", x, h, c, 0 * W, 0 * U, gates)
    if pair is not None:
        check.close("forget gate open, input gate shut: c' = c", pair[1], c,
                    "f multiplies the old c, i the candidate.")


def vectorize(answer, check: Checker) -> None:
    """One id a character."""
    letters = list("abcdefgh|:\n 2/")
    check.rng.shuffle(letters)
    char_to_id = {letter: index for index, letter in enumerate(letters)}
    for text in ("fed |\n", "".join(check.rng.choice(letters, size=50))):
        given = dict(char_to_id)
        ids = check.call("a text becomes ids", answer, text, given)
        ids = check.array(f"{len(text)} characters give {len(text)} ids", ids, (len(text),),
                          integer=True,
                          hint="One id for every character, spaces and line ends too.")
        wanted = np.array([char_to_id[letter] for letter in text])
        check.that("each id is the one that char_to_id gives", np.array_equal(ids, wanted), wanted,
                   ids, "char_to_id[character], in the order of the text.")


def get_batch(answer, check: Checker) -> None:
    """x and y = x one step later, from random starts."""
    ids = check.rng.permutation(1000)   # every id once: a window shows where it starts
    place = np.argsort(ids)

    def batch(title, source, length, size, rng):
        pair = check.call(title, answer, source, length, size, rng)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            check.fail("it returns the pair (x, y)", "two arrays", type(pair).__name__,
                       "return x, y")
            return None
        return [check.array("x and y are integers of shape (batch, seq)", part, (size, length),
                            integer=True) for part in pair]

    pair = batch("it draws a batch", ids, 16, 8, np.random.default_rng(5))
    if pair is None:
        return
    x, y = pair
    check.that("x and y are integers of shape (batch, seq)", True)
    starts = place[x[:, 0]]
    windows = ids[np.minimum(starts[:, None] + np.arange(17), len(ids) - 1)]
    check.that("each row of x is a stretch of the text", np.array_equal(x, windows[:, :-1]),
               windows[0, :-1], x[0], "ids[start], ids[start + 1], ... ids[start + seq_length - 1]")
    check.that("y is x one step later", np.array_equal(y, windows[:, 1:]), windows[0, 1:], y[0],
               "y begins at start + 1 and is as long as x.")
    check.that("rows start at different places", len(set(starts.tolist())) > 2,
               "8 random starts", starts, "Draw one start for each row with rng.integers.")
    again = batch("it draws again", ids, 16, 8, np.random.default_rng(5))
    check.that("the same rng gives the same batch", np.array_equal(again[0], x), x[0], again[0][0],
               "Draw from the rng that is passed in, not from np.random.")
    rng = np.random.default_rng(6)
    first = batch("it draws", ids, 16, 8, rng)
    second = batch("it draws", ids, 16, 8, rng)
    check.that("the next batch is another one", not np.array_equal(first[0], second[0]),
               "other rows", second[0][0], "Do not make a new rng inside.")
    short = np.arange(100, 108)   # 8 ids: with seq_length 5 the starts are 0, 1 and 2
    pair = batch("it draws from a short text", short, 5, 400, np.random.default_rng(7))
    seen = sorted(set((pair[0][:, 0] - 100).tolist()))
    check.that("every start is possible, the first and the last included", seen == [0, 1, 2],
               "starts 0, 1, 2 of 8 ids with seq_length 5", f"starts {seen}",
               "The last start leaves seq_length + 1 ids; rng.integers excludes its upper end.")


CHECKS = {
    "perceptron": perceptron, "DenseLayer": dense_layer, "gradient_descent": gradient_descent,
    "rnn_step": rnn_step, "lstm_step": lstm_step, "vectorize": vectorize, "get_batch": get_batch,
    **MODEL_CHECKS,
}
