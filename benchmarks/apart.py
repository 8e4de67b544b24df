"""Runs for ``in_turns`` that each have a process of their own.

In one process libraries share the memory that others have given back, and their idle threads wait
beside those at work: both change what is measured.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


class Processes:
    """Processes by name, from the first use of a name to the end of the ``with`` block."""

    def __enter__(self) -> "Processes":
        self._pools: dict[str, ProcessPoolExecutor] = {}
        # On a GPU, TensorFlow would leave nothing to the others.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        return self

    def __exit__(self, *_) -> None:
        for pool in self._pools.values():
            pool.shutdown()

    def run(self, name: str, make: Callable[..., Callable[[], float]], *args) -> Callable:
        """What ``make(*args)`` returns, but made and called in the process ``name``.

        ``make`` and ``args`` must be picklable. The process keeps what it made last.
        """
        if name not in self._pools:   # a new Python, not a copy of this one with its threads
            self._pools[name] = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return lambda: self._pools[name].submit(_call, make, *args).result()


@functools.lru_cache(maxsize=1)
def _made(make, *args):
    return make(*args)


def _call(make, *args) -> float:
    return _made(make, *args)()
