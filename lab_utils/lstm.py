"""An LSTM layer with Keras's weights and results that trains faster on a CPU.

Keras's layer multiplies input, state and weight gradient at every time step. Of these only the
product with the state must wait for the step before it. Here the rest is taken out of the loop:

- the input's part x W + b of all steps is one large product;
- going back, the weight gradient dU = sum_t h_(t-1)^T dz_t is one large product after the loop;
- the product with the state reads the same U at every step, so U is cut once by columns: into
  halves, one for each core; a large one into panels that each fit in a core's cache.

Equations and gate order (i, f, g, o) are those of ``keras.layers.LSTM``. On a GPU, and for options
that the fast path does not cover, Keras's own layer runs.
"""

import keras
import tensorflow as tf

PANEL = 128   # columns of U that are multiplied at once


@tf.custom_gradient
def lstm_sequence(xz: tf.Tensor, U: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor):
    """Run an LSTM over time.

    Args:
        xz: the inputs' part x W + b of the gates, shape (time, batch, 4 units).
        U: recurrent weights, shape (units, 4 units).
        h0, c0: initial state, shape (batch, units) each.

    Returns:
        h, c of every step, shape (time, batch, units) each. First-order gradients only.
    """
    h, c, gates = _forward(xz, U, h0, c0)

    def gradient(dh, dc):
        h_before = tf.concat([h0[None], h[:-1]], axis=0)
        c_before = tf.concat([c0[None], c[:-1]], axis=0)
        dz, dh0, dc0 = _backward(dh, dc, c, c_before, gates, U)
        units = tf.shape(U)[0]
        dU = tf.matmul(tf.reshape(h_before, (-1, units)), tf.reshape(dz, (-1, 4 * units)),
                       transpose_a=True)
        return dz, dU, dh0, dc0

    return (h, c), gradient


def _forward(xz, U, h0, c0):
    """h, c of shape (time, batch, units) and the gates' values, (time, batch, 4 units)."""
    steps = tf.shape(xz)[0]
    U = cut(U, h0.shape[0])

    def arrays(shape):
        return tf.TensorArray(xz.dtype, steps, element_shape=shape)

    def step(t, h, c, hs, cs, gates):
        z_i, z_f, z_g, z_o = tf.split(xz[t] + product(h, U), 4, axis=-1)
        i, f, g, o = tf.sigmoid(z_i), tf.sigmoid(z_f), tf.tanh(z_g), tf.sigmoid(z_o)
        c = f * c + i * g
        h = o * tf.tanh(c)
        return (t + 1, h, c, hs.write(t, h), cs.write(t, c),
                gates.write(t, tf.concat([i, f, g, o], axis=-1)))

    *_, hs, cs, gates = tf.while_loop(
        lambda t, *_: t < steps, step,
        (0, h0, c0, arrays(h0.shape), arrays(c0.shape), arrays(xz.shape[1:])),
        maximum_iterations=steps)
    return hs.stack(), cs.stack(), gates.stack()


def _backward(dh_out, dc_out, c, c_before, gates, U):
    """dz of all steps, (time, batch, 4 units), and the gradients of the initial state."""
    steps = tf.shape(c)[0]
    U_transposed = cut(U, c.shape[1], transpose=True)

    def step(t, dh, dc, dzs):
        i, f, g, o = tf.split(gates[t], 4, axis=-1)
        tanh_c = tf.tanh(c[t])
        dh = dh + dh_out[t]
        dc = dc + dc_out[t] + _tanh_gradient(tanh_c, dh * o)
        dz = tf.concat([_sigmoid_gradient(i, dc * g), _sigmoid_gradient(f, dc * c_before[t]),
                        _tanh_gradient(g, dc * i), _sigmoid_gradient(o, dh * tanh_c)], axis=-1)
        return t - 1, product(dz, U_transposed), dc * f, dzs.write(t, dz)

    _, dh0, dc0, dzs = tf.while_loop(
        lambda t, *_: t >= 0, step,
        (steps - 1, tf.zeros_like(c[0]), tf.zeros_like(c[0]),
         tf.TensorArray(c.dtype, steps, element_shape=gates.shape[1:])),
        maximum_iterations=steps)
    return dzs.stack(), dh0, dc0


def cut(U: tf.Tensor, batch: int | None, transpose: bool = False) -> list[tf.Tensor] | tf.Tensor:
    """U (n, m), or its transpose, cut by columns for ``product``.

    Returns two halves, (n, m / 2) each; of a U of 8 MB or more, for 16 rows or more, panels
    (m / PANEL, n, PANEL); all of U if it has an odd number of columns. Measured with oneDNN on two
    cores: two products side by side, a core for each, are quicker than one that both share. Panels
    are quicker still for large layers on processors without AVX-512, and no quicker with it.
    """
    n, m = U.shape
    columns = n if transpose else m
    many = batch is None or batch >= 16
    if many and n * m * U.dtype.size >= 8e6 and columns % PANEL == 0:
        if transpose:
            return tf.transpose(tf.reshape(U, (n // PANEL, PANEL, m)), (0, 2, 1))
        return tf.transpose(tf.reshape(U, (n, m // PANEL, PANEL)), (1, 0, 2))
    if columns % 2:
        return tf.transpose(U) if transpose else U
    if transpose:   # cutting rows copies nothing
        return [tf.transpose(rows) for rows in tf.split(U, 2, axis=0)]
    return tf.split(U, 2, axis=1)


def product(h: tf.Tensor, U: list[tf.Tensor] | tf.Tensor) -> tf.Tensor:
    """h U, shape (batch, m), for h (batch, n) and U (n, m) as ``cut`` gives it."""
    if isinstance(U, list):
        return tf.concat([tf.matmul(h, half) for half in U], axis=1)
    if U.shape.rank == 2:
        return tf.matmul(h, U)
    count, _, width = U.shape
    return tf.reshape(tf.transpose(tf.matmul(h[None], U), (1, 0, 2)), (-1, count * width))


def _sigmoid_gradient(y, dy):
    """dy y (1 - y), the gradient of z where y = sigmoid(z), in one pass."""
    return tf.raw_ops.SigmoidGrad(y=y, dy=dy)


def _tanh_gradient(y, dy):
    """dy (1 - y^2), the gradient of z where y = tanh(z), in one pass."""
    return tf.raw_ops.TanhGrad(y=y, dy=dy)


@keras.saving.register_keras_serializable(package="lab_utils")
class FastLSTM(keras.layers.LSTM):
    """``keras.layers.LSTM`` with a faster path on CPUs; the same arguments, weights and results.

    The fast path serves plain layers: default activations, no mask, dropout, unrolling, reversing
    or state kept between batches. Input (batch, time, features); output (batch, time, units), or
    (batch, units) without ``return_sequences``.
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """As ``keras.layers.LSTM``."""
        if not self._is_plain(mask) or tf.config.list_logical_devices("GPU"):
            return super().call(sequences, initial_state=initial_state, mask=mask,
                                training=training)
        x = tf.transpose(sequences, (1, 0, 2))
        time, batch = tf.unstack(tf.shape(x)[:2])
        if initial_state is None:
            h0 = c0 = tf.zeros((batch, self.units), x.dtype)
        else:
            h0, c0 = (tf.convert_to_tensor(state) for state in initial_state)
        W, U = (tf.cast(w, x.dtype) for w in (self.cell.kernel, self.cell.recurrent_kernel))
        xz = tf.matmul(tf.reshape(x, (-1, W.shape[0])), W)   # of all steps at once
        if self.use_bias:
            xz = tf.nn.bias_add(xz, tf.cast(self.cell.bias, x.dtype))
        xz = tf.reshape(xz, (time, batch, 4 * self.units))
        h, c = lstm_sequence(xz, U, h0, c0)
        output = tf.transpose(h, (1, 0, 2)) if self.return_sequences else h[-1]
        output.set_shape(self._output_shape(sequences))
        return [output, h[-1], c[-1]] if self.return_state else output

    def _is_plain(self, mask) -> bool:
        return (mask is None and self.activation is keras.activations.tanh
                and self.recurrent_activation is keras.activations.sigmoid
                and not (self.dropout or self.recurrent_dropout or self.unroll
                         or self.go_backwards or self.stateful))

    def _output_shape(self, sequences) -> tuple:
        batch, time = sequences.shape[:2]
        return (batch, time, self.units) if self.return_sequences else (batch, self.units)
