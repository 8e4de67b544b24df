"""Lab 1's training step: the lab's LSTM beside Keras's and PyTorch's, and the machine's limit.

Each of them draws batches from the tunes and trains the same model; see ``music_peers``. The
products of our layer with U are also timed without anything else: what is left to gain elsewhere.
"""

from lab_utils import quiet_start
from lab_utils.lstm import panels, product

from .frame import Result, Row, in_turns, need, rate
from .music_peers import Music, keras_step, operations, torch_step

with quiet_start():
    import keras
    import tensorflow as tf

SIZES = ((512, 64, 128), (1024, 32, 100), (1024, 8, 100))   # units, batch, time
# Times Keras's rate at 1024 units; at least PyTorch's everywhere; share of the machine's rate.
TO_KERAS, TO_PYTORCH, TO_MACHINE = {1024: 1.8}, 1.0, {(1024, 32, 100): 0.6}


def gemm(side: int = 1536):
    """Operations of one product of square float32 matrices, and it."""
    import torch

    a = tf.random.normal((side, side), seed=1)
    b = torch.randn(side, side)
    multiply = tf.function(tf.matmul)
    return 2 * side**3, lambda: multiply(a, a)[0, 0].numpy(), lambda: (b @ b)[0, 0].item()


def products(units: int, batch: int, time: int):
    """One training step's products with U alone, step by step as in the layer."""
    U = tf.random.normal((units, 4 * units), stddev=units**-0.5, seed=1)
    start = tf.random.normal((batch, units), seed=2)

    @tf.function
    def step():
        forward, back = panels(U, batch), panels(tf.transpose(U), batch)
        h, dz = start, tf.zeros((batch, 4 * units))
        for _ in tf.range(time):
            dz = product(h, forward)
            h = dz[:, :units]
        for _ in tf.range(time):
            h = product(dz, back)
            dz += h[:, :1]           # the next product waits for this one
        states, slopes = tf.tile(h, (time, 1)), tf.tile(dz, (time, 1))
        return tf.matmul(states, slopes, transpose_a=True)[0, 0]

    return lambda: step().numpy()


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    need("torch")
    music = Music.load()
    sizes, seconds = (((16, 2, 8),), 0.01) if scale == "tiny" else (SIZES, 3.0)
    flops, by_tensorflow, by_torch = gemm(64 if scale == "tiny" else 1536)
    rows, details = [], {}
    for units, batch, time in sizes:
        characters = batch * time
        values = in_turns(repeat, {
            "ours": rate(keras_step(music, units, batch, time), characters, seconds),
            "Keras": rate(keras_step(music, units, batch, time, keras.layers.LSTM), characters,
                          seconds),
            "PyTorch": rate(torch_step(music, units, batch, time), characters, seconds),
            "products with U": rate(products(units, batch, time), characters, seconds),
            "GEMM, TensorFlow": rate(by_tensorflow, flops / 1e9, seconds / 4),
            "GEMM, PyTorch": rate(by_torch, flops / 1e9, seconds / 4),
        })
        case = f"{units} units, {batch} x {time} characters"
        rows += [
            Row(case, "characters/s", values["ours"], values["Keras"], "keras.layers.LSTM",
                TO_KERAS.get(units)),
            Row(case, "characters/s", values["ours"], values["PyTorch"], "PyTorch nn.LSTM",
                TO_PYTORCH),
            Row(f"{case}: all of it, beside its products with U alone", "characters/s",
                values["ours"], values["products with U"], "the products alone"),
            Row(f"{case}: its products with U alone", "characters/s",
                values["products with U"], values["Keras"], "keras.layers.LSTM, all of it")]
        gflops = operations(units, music.vocabulary) / 1e9
        limit = [max(pair) for pair in zip(values["GEMM, TensorFlow"], values["GEMM, PyTorch"],
                                           strict=True)]
        rows.append(Row(case, "GFLOP/s", [gflops * value for value in values["ours"]], limit,
                        f"one product of matrices of side {round((flops / 2) ** (1 / 3))}",
                        TO_MACHINE.get((units, batch, time))))
        details[case] = values
    return Result(rows, details)
