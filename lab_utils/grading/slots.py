"""Examiners at work side by side: each a process that grades one submission at a time."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ..config import ROOT
from ..errors import LabError

START_SECONDS, GRACE_SECONDS = 120.0, 60.0


class Slot:
    """One examiner; started when first used, and anew when it is lost.

    Args:
        limits: ``seconds``, ``cell_seconds``, ``gigabytes`` and ``seed``, see ``examiner.grade``.
        spawn: start each student's process as a new Python instead of forking it.
    """

    def __init__(self, limits: dict, spawn: bool = False):
        self.isolation: dict[str, bool] = {}
        self.limits, self._spawn = limits, spawn
        self._process: subprocess.Popen | None = None
        self._closed = False

    def grade(self, path: Path) -> dict:
        """The result of one submission; of the second try if the examiner is lost in the first.

        Raises:
            LabError: if no examiner can be started.
        """
        task = json.dumps({"path": str(path.resolve()), **self.limits}) + "\n"
        for _ in range(2):
            if self._process is None:
                self._start()
            with contextlib.suppress(OSError):
                self._process.stdin.write(task)
                self._process.stdin.flush()
            result = self._line(self.limits["seconds"] + GRACE_SECONDS)
            if result is not None:
                return result | {"file": str(path)}
            self.close(for_good=self._closed)
        from .submission import Submission
        reason = "the examiner ended while it graded this: look at it by hand"
        return Submission.unreadable(path, reason).result({}, [reason], 0, 0.0)

    def close(self, for_good: bool = True) -> None:
        """End the examiner, and with it what it started."""
        process, self._process = self._process, None
        self._closed = for_good
        if process is None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()

    def _start(self) -> None:
        if self._closed:
            raise LabError("Grading was stopped.")
        keep = ("PATH", "SYSTEMROOT", "VIRTUAL_ENV", "LANG", "TEMP", "TMP", "HOME", "TMPDIR")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab_utils.grading.examiner", *["--spawn"] * self._spawn],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            encoding="utf-8", cwd=tempfile.gettempdir(),
            start_new_session=hasattr(os, "setsid"),
            env={name: os.environ[name] for name in keep if name in os.environ}
            | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3",
               "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
               "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        ready = self._line(START_SECONDS)
        if ready is None:
            self.close(for_good=self._closed)
            raise LabError("The process that grades could not be started: run "
                           "`python -m lab_utils doctor`.")
        self.isolation = ready["ready"]

    def _line(self, seconds: float) -> dict | None:
        """The next line of the examiner; None if there is none in time."""
        process = self._process
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            line = process.stdout.readline()
            return json.loads(line) if line.endswith("\n") else None
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()


class Slots:
    """Several slots; a context manager that ends them."""

    def __init__(self, number: int, limits: dict, spawn: bool = False):
        self._all = [Slot(limits, spawn) for _ in range(max(1, number))]
        self._free: queue.SimpleQueue = queue.SimpleQueue()
        for slot in self._all:
            self._free.put(slot)

    def grade(self, path: Path) -> dict:
        """The result of one submission, by the next slot that is free."""
        slot = self._free.get()
        try:
            return slot.grade(path)
        finally:
            self._free.put(slot)

    @property
    def isolation(self) -> dict[str, bool]:
        """What keeps submissions apart here, see ``confine.describe``; empty before the first."""
        return next((slot.isolation for slot in self._all if slot.isolation), {})

    def __enter__(self) -> "Slots":
        return self

    def __exit__(self, *error) -> None:
        for slot in self._all:
            slot.close()
