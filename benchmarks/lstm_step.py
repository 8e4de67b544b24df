"""Lab 1's training step: the lab's LSTM beside Keras's and PyTorch's, and the machine's limit.

Each of them, in a process of its own, draws batches from the tunes and trains the same model; see
``music_peers``. The products of our layer with U are also timed without anything else: what is left
to gain elsewhere.
"""

from collections.abc import Callable

from lab_utils import quiet_start

from .apart import Processes
from .frame import Result, Row, in_turns, need, rate
from .music_peers import Music, keras_step, operations, torch_step

with quiet_start():
    import keras
    import tensorflow as tf

    from lab_utils.lstm import cut, product

SIZES = ((512, 64, 128), (1024, 32, 100), (1024, 8, 100))   # units, batch, time
# Times Keras's rate at 1024 units; at least PyTorch's everywhere; share of the machine's rate.
TO_KERAS, TO_PYTORCH, TO_MACHINE = {1024: 1.8}, 1.0, {(1024, 32, 100): 0.6}


def training(kind: str, units: int, batch: int, time: int, seconds: float) -> Callable:
    """A run for ``in_turns``: characters a second of "ours", "Keras" or "PyTorch"."""
    music = Music.load()
    if kind == "PyTorch":
        step = torch_step(music, units, batch, time)
    else:
        layer = keras.layers.LSTM if kind == "Keras" else None
        step = keras_step(music, units, batch, time, layer)
    return rate(step, batch * time, seconds)


def gemm(kind: str, side: int, seconds: float) -> Callable:
    """A run for ``in_turns``: GFLOP/s of a product of square float32 matrices."""
    if kind == "PyTorch":
        import torch

        b = torch.randn(side, side)

        def multiply():
            return (b @ b)[0, 0].item()
    else:
        a, compiled = tf.random.normal((side, side), seed=1), tf.function(tf.matmul)

        def multiply():
            return compiled(a, a)[0, 0].numpy()
    return rate(multiply, 2 * side**3 / 1e9, seconds)


def products(units: int, batch: int, time: int, seconds: float) -> Callable:
    """A run for ``in_turns``: characters a second of one training step's products with U alone,
    step by step as in the layer."""
    U = tf.random.normal((units, 4 * units), stddev=units**-0.5, seed=1)
    start = tf.random.normal((batch, units), seed=2)

    @tf.function
    def step():
        forward, back = cut(U, batch), cut(U, batch, transpose=True)
        h, dz = start, tf.zeros((batch, 4 * units))
        for _ in tf.range(time):
            dz = product(h, forward)
            h = dz[:, :units]
        for _ in tf.range(time):
            h = product(dz, back)
            dz += h[:, :1]           # the next product waits for this one
        states, slopes = tf.tile(h, (time, 1)), tf.tile(dz, (time, 1))
        return tf.matmul(states, slopes, transpose_a=True)[0, 0]

    return rate(lambda: step().numpy(), batch * time, seconds)


def case(size: tuple[int, int, int]) -> str:
    """The words for units, batch and time."""
    units, batch, time = size
    return f"{units} units, {batch} x {time} characters"


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    need("torch")
    vocabulary = Music.load().vocabulary
    sizes, seconds, side = (((16, 2, 8),), 0.01, 64) if scale == "tiny" else (SIZES, 3.0, 1536)
    rows, details = [], {}
    with Processes() as apart:
        for size in sizes:
            details[case(size)] = in_turns(repeat, {
                **{kind: apart.run(kind, training, kind, *size, seconds)
                   for kind in ("ours", "Keras", "PyTorch")},
                "products with U": apart.run("products", products, *size, seconds),
                "GEMM, TensorFlow": apart.run("GEMM, TensorFlow", gemm, "TensorFlow", side,
                                              seconds / 4),
                "GEMM, PyTorch": apart.run("GEMM, PyTorch", gemm, "PyTorch", side, seconds / 4),
            })
    for size in sizes:
        units, values = size[0], details[case(size)]
        rows += [
            Row(case(size), "characters/s", values["ours"], values["Keras"], "keras.layers.LSTM",
                TO_KERAS.get(units)),
            Row(case(size), "characters/s", values["ours"], values["PyTorch"], "PyTorch nn.LSTM",
                TO_PYTORCH),
            Row(f"{case(size)}: all of it, beside its products with U alone", "characters/s",
                values["ours"], values["products with U"], "the products alone"),
            Row(f"{case(size)}: its products with U alone", "characters/s",
                values["products with U"], values["Keras"], "keras.layers.LSTM, all of it")]
        gflops = operations(units, vocabulary) / 1e9
        limit = [max(pair) for pair in zip(values["GEMM, TensorFlow"], values["GEMM, PyTorch"],
                                           strict=True)]
        rows.append(Row(case(size), "GFLOP/s", [gflops * value for value in values["ours"]], limit,
                        f"one product of matrices of side {side}", TO_MACHINE.get(size)))
    return Result(rows, details)
