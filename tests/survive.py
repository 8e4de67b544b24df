"""Kill a training again and again, and see that it ends as an unbroken one does.

A small network is trained through ``lab_utils.training.TrainingRun`` with a checkpoint at each
step, its best weights and a ``results.json``. After a random number of steps and a random part of
one the process gets SIGKILL, and a new one goes on. After each kill every file that is not marked
as half written must be whole; in the end the weights must be those of an unbroken run.
"""

import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from lab_utils import quiet_start

with quiet_start():
    import keras
    import tensorflow as tf

from lab_utils.config import ROOT
from lab_utils.results import read_results, record
from lab_utils.training import TrainingRun, load_weights

STEPS_BETWEEN = 10   # kills come after 1 to this many steps
PART_OF_STEP = 0.03  # seconds


@dataclass
class Outcome:
    """What came of a killed training."""

    kills: int
    half_written: int     # kills that hit a file being written
    difference: float     # largest relative difference from the weights of the unbroken run
    steps_logged: bool    # whether the history holds each step once


def network() -> keras.Model:
    """With dropout, so that the state of its generator matters."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, activation="tanh"),
                             keras.layers.Dropout(0.5), keras.layers.Dense(1)])


def train(folder: Path, steps: int, pipe: Connection | None = None) -> None:
    """Train, or go on training, in ``folder``; each step's number goes into ``pipe``."""
    os.environ["LAB_OUT"] = str(folder)
    model, optimizer = network(), keras.optimizers.Adam(0.01)

    @tf.function
    def step_of(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True)[:, 0] - y) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    run = TrainingRun(folder, model, optimizer, steps, {}, save_seconds=0, plot=None)
    with run:
        for step in run:
            x = run.rng(step).normal(size=(16, 8)).astype("float32")
            run.log(loss=step_of(tf.constant(x), tf.constant(x.sum(axis=1))))
            run.keep_if_best(1 / (step + 1))
            record("survive", step=step)
            if pipe:
                pipe.send(step)
    np.savez(folder / "final.npz", *model.get_weights(), steps=[s for s, _ in run.history["loss"]])


def _quiet_train(folder: Path, steps: int, pipe: Connection) -> None:
    sys.stdout = open(os.devnull, "w")   # the bars of twenty processes
    train(folder, steps, pipe)


def half_written(folder: Path) -> list[Path]:
    """Files that a killed process was writing; none of them bears a name that is read."""
    # os.walk passes over a folder that the process removes meanwhile; rglob fails.
    paths = [Path(where, name) for where, folders, files in os.walk(folder)
             for name in folders + files]
    return [path for path in paths if path.name.startswith(".part-")
            or "temp" in path.name or (path.name.startswith("ckpt-") and path.is_file()
                                       and not path.with_suffix(".index").exists())]


def _await_writing(folder: Path, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not half_written(folder) and time.monotonic() < end:
        pass


def check_whole(folder: Path) -> None:
    """Read what a reader would read.

    Raises:
        LabError: if something is half written.
    """
    read_results(folder / "results.json")
    for path in folder.glob("*/best.weights.h5"):
        load_weights(network(), path)


def survive(folder: Path, kills: int, seed: int = 0) -> Outcome:
    """Train in ``folder`` with ``kills`` kills, beside an unbroken run."""
    rng, steps = np.random.default_rng(seed), kills * STEPS_BETWEEN + 20
    # The processes are forked from one that has imported TensorFlow but not yet used it.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.survive"])

    def start(where: Path):
        where.mkdir(exist_ok=True)
        pipe, end = context.Pipe(duplex=False)
        process = context.Process(target=_quiet_train, args=(where, steps, end))
        process.start()
        end.close()
        return process, pipe

    def finish(where: Path):
        process, pipe = start(where)
        try:
            while True:
                pipe.recv()
        except EOFError:
            process.join()
        assert process.exitcode == 0, f"exit code {process.exitcode}"
        with np.load(where / "final.npz") as file:
            return [file[name] for name in file.files if name != "steps"], file["steps"].tolist()

    expected, _ = finish(folder / "unbroken")
    broken, hits = folder / "broken", 0
    for number in range(kills):
        process, pipe = start(broken)
        for _ in range(rng.integers(1, STEPS_BETWEEN + 1)):
            pipe.recv()
        if number % 2:   # every second time, while a file is being written
            _await_writing(broken)
        else:
            time.sleep(rng.uniform(0, PART_OF_STEP))
        process.kill()
        process.join()
        hits += bool(half_written(broken))
        check_whole(broken)
    weights, logged = finish(broken)
    difference = max(float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-3)))
                     for a, b in zip(weights, expected, strict=True))
    return Outcome(kills, hits, difference, logged == list(range(1, steps + 1)))
