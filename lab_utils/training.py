"""Training runs that show progress, can be interrupted, and resume where they were.

    with TrainingRun(folder, model, optimizer, steps=1000, config=CONFIG, seed=SEED) as run:
        for step in run:
            x, y = get_batch(ids, length, batch, run.rng(step))
            run.log(loss=train_step(model, optimizer, x, y, clip))
            if run.due(100):
                run.validate(loss=validation_loss(model))

A checkpoint (``tf.train.Checkpoint``) holds the weights, the optimizer, the step and the history,
and is written every ``save_seconds`` beside the one before, which stays until the next. Random
numbers come from the seed and the step, so that a resumed run draws what an unbroken one would have
drawn.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from .config import made
from .errors import LabError
from .files import written_whole
from .plotting import LivePlot


class TrainingRun:
    """One training run; see the module for how it is used.

    Args:
        folder: where checkpoints go; each ``config`` gets a folder of its own in it.
        model, optimizer: Keras objects; the optimizer is built here.
        steps: length of the run.
        config: all settings of the run, as JSON can write them. Other settings, another run.
        seed: of ``rng``.
        patience: validations without a new minimum after which the run ends; None: never.
        save_seconds: time between checkpoints.
        plot: y axis label of a live plot, or None for no plot.
    """

    def __init__(self, folder: str | os.PathLike, model: keras.Model, optimizer, steps: int,
                 config: dict, seed: int = 0, patience: int | None = None,
                 save_seconds: float = 30, plot: str | None = "loss"):
        self.model, self.total, self.seed = model, steps, seed
        self.patience, self.save_seconds = patience, save_seconds
        text = json.dumps([config, steps, seed], sort_keys=True, default=str)
        self.folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:12]
        optimizer.build(model.trainable_variables)
        self._state = tf.Variable("", dtype=tf.string, trainable=False)
        # All variables by themselves: weights, states of dropout's generators, moments, counters.
        self._checkpoint = tf.train.Checkpoint(state=self._state, variables=[
            variable.value for variable in model.variables + optimizer.variables])
        self.step = 0            # steps done
        self.seconds = 0.0       # of training, over all resumptions
        self.history: dict[str, list] = {}   # name -> [[step, value], ...]
        self._shown: dict[str, float] = {}
        self.best, self._since_best = float("inf"), 0
        self.resumed_at = 0
        self._stop = False
        self._plot = LivePlot("training step", plot) if plot else None

    # ---- the loop ------------------------------------------------------------------------

    def __enter__(self) -> "TrainingRun":
        self._open()
        self._old_handler = None
        if threading.current_thread() is threading.main_thread():
            # An interruption ends the loop after the step under way: nothing is half done.
            self._old_handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if self._old_handler is not None:
            signal.signal(signal.SIGINT, self._old_handler)
        if self._plot:
            self._plot.close(self.history)

    def _interrupt(self, signum, frame) -> None:
        if self._stop:
            raise KeyboardInterrupt   # the second time, at once
        self._stop = True

    def __iter__(self) -> Iterator[int]:
        """The numbers of the steps still to do, with a progress bar."""
        bar = tqdm(total=self.total, initial=self.step, unit="step", mininterval=2, ncols=100,
                   file=sys.stdout)
        saved = started = time.perf_counter()
        before, first = self.seconds, self.step
        try:
            while self.step < self.total and not self._stop and not self._patience_spent():
                yield self.step
                self.step += 1
                self.seconds = before + time.perf_counter() - started
                bar.set_postfix_str(self._postfix(), refresh=False)
                bar.update()
                if time.perf_counter() - saved > self.save_seconds:
                    self.save()
                    saved = time.perf_counter()
            bar.set_postfix_str(self._postfix())
        finally:
            bar.close()
        if self.step > first or first == 0:   # what is complete is not written again
            self.save()
        if self._stop:
            print(f"Interrupted after step {self.step}, which is saved: run the cell again to "
                  "go on from there.")
        elif self._patience_spent():
            print(f"Stopped early: no new minimum in {self.patience} validations.")

    def rng(self, step: int) -> np.random.Generator:
        """The random generator of a step."""
        return np.random.default_rng([self.seed, step])

    def due(self, every: int) -> bool:
        """Whether the step under way is a multiple of ``every``, or the last."""
        return (self.step + 1) % every == 0 or self.step + 1 == self.total

    def log(self, **values) -> None:
        """Note values of the step under way.

        Raises:
            LabError: if one is NaN or infinite; the last checkpoint stays as it was.
        """
        self.check_finite(**values)
        for name, value in values.items():
            self.history.setdefault(name, []).append([self.step + 1, float(value)])
        if self._plot:
            self._plot.update(self.history)

    def show(self, **values) -> None:
        """Values for the progress bar alone: the history does not keep them."""
        self._shown = values

    def steps_per_second(self) -> float:
        """Mean speed of the whole run so far; 0 before the end of its first step."""
        return self.step / self.seconds if self.seconds else 0.0

    def check_finite(self, **values) -> None:
        """Stop the run if a value of the step under way is no number.

        Raises:
            LabError: if one is NaN or infinite; the last checkpoint stays as it was.
        """
        for name, value in values.items():
            if not np.isfinite(float(value)):
                raise LabError(f"{name} became {float(value)} at step {self.step}: lower the "
                               "learning rate or clip the gradient. The last good state is kept.")

    def validate(self, **value) -> bool:
        """Log one validation value; keep the weights if it is a new minimum. True if it is."""
        self.log(**value)
        (number,) = value.values()
        return self.keep_if_best(float(number))

    def keep_if_best(self, value: float) -> bool:
        """Keep the weights if ``value`` is a new minimum. True if it is."""
        if value >= self.best:
            self._since_best += 1
            return False
        self.best, self._since_best = float(value), 0
        self.keep("best")
        return True

    def keep(self, name: str) -> None:
        """Write the weights as they are to ``<name>.weights.h5`` in the run's folder."""
        with written_whole(self.folder / f"{name}.weights.h5") as temporary:
            self.model.save_weights(temporary)

    def load_best(self) -> None:
        """Give the model the weights of the lowest validation value.

        Raises:
            LabError: if they are missing or damaged.
        """
        load_weights(self.model, self.folder / "best.weights.h5")

    # ---- checkpoints -----------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint; the one before stays until it is whole.

        Raises:
            LabError: if it cannot be written.
        """
        self._state.assign(json.dumps({
            "step": self.step, "seconds": self.seconds, "history": self.history,
            "best": self.best, "since_best": self._since_best}))
        try:
            self._checkpoint.write(str(self.folder / f"ckpt-{self.step}"))
            self._remove_files(keep=self._checkpoints()[-2:])
        except (tf.errors.OpError, OSError) as error:
            raise LabError(f"The checkpoint could not be written to {self.folder} "
                           f"({str(error)[:100]}): free some space and run the cell again. "
                           "The checkpoint before it is kept.") from error

    def _checkpoints(self) -> list[str]:
        """Names of the checkpoints, oldest first. TensorFlow writes the index last."""
        names = [path.stem for path in self.folder.glob("ckpt-*.index")]
        return sorted((name for name in names if name[5:].isdecimal()),
                      key=lambda name: int(name[5:]))

    def _remove_files(self, keep: list[str]) -> None:
        """Remove all other checkpoints, and what a killed process left half written."""
        for path in [*self.folder.glob("ckpt-*"), *self.folder.glob(".part-*")]:
            if path.name.split(".")[0] in keep:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _open(self) -> None:
        """Go on from the newest checkpoint that can be read."""
        made(self.folder)
        names = self._checkpoints()
        for name in reversed(names):
            try:
                self._checkpoint.read(str(self.folder / name)).assert_existing_objects_matched()
                state = json.loads(self._state.numpy())
            except (tf.errors.OpError, ValueError, IndexError, AssertionError, TypeError):
                continue
            self.step, self.seconds = state["step"], state["seconds"]
            self.history, self.best = state["history"], state["best"]
            self._since_best, self.resumed_at = state["since_best"], state["step"]
            done = "is complete" if self.step >= self.total else "goes on"
            print(f"This run {done}: step {self.step} of {self.total} ({self.folder.name}).")
            with contextlib.suppress(OSError):   # a folder that cannot be written is told later
                self._remove_files(keep=names[:names.index(name) + 1])
            return
        if names:
            aside = self.folder.with_name(self.folder.name + ".damaged")
            shutil.rmtree(aside, ignore_errors=True)
            self.folder.rename(aside)
            raise LabError(f"No checkpoint could be read; they were moved to {aside}. "
                           "Run the cell again to train from the start.")

    def _patience_spent(self) -> bool:
        return self.patience is not None and self._since_best >= self.patience

    def _postfix(self) -> str:
        values = {name: rows[-1][1] for name, rows in self.history.items()} | self._shown
        return ", ".join(f"{name} {value:.4g}" if abs(value) < 100 else f"{name} {value:,.0f}"
                         for name, value in values.items())


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Load weights from a ``.weights.h5`` file.

    Raises:
        LabError: if the file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"{path} is missing: train first, or fetch data/models again.")
    try:
        model.load_weights(path)
    except Exception as error:   # h5py and Keras raise several kinds
        raise LabError(f"{path} is damaged, or holds the weights of another architecture "
                       f"({str(error).splitlines()[0][:120]}).") from error
