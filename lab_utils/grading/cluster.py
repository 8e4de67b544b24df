"""Hand submissions to a Dask cluster, for a class that one machine is too small for.

The workers need this repository's version of ``lab_utils`` and its packages. A submission whose
worker is lost goes to another one; its result is taken once.
"""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ..errors import LabError
from .slots import Slot
from .submission import Submission, slim

CONNECT_SECONDS = 30
_here = threading.local()   # a worker's thread keeps its slot from one submission to the next


def graded(files: list[Path], limits: dict, address: str) -> Iterator[tuple[Path, dict]]:
    """Each file and its result, as they come.

    Args:
        files: the notebooks; their contents are sent.
        limits: see ``examiner.grade``.
        address: of the scheduler, such as ``tcp://host:8786``.

    Raises:
        LabError: if dask.distributed is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise LabError("--scheduler needs dask.distributed: pip install -e \".[cluster]\"."
                       ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise LabError(f"No Dask scheduler answers at {address}: start one with `dask scheduler` "
                       "and workers with `dask worker`.") from error
    run = secrets.token_hex(4)
    try:
        work = {client.submit(grade, path.name, slim(path.read_bytes()), limits,
                              key=f"grade-{run}-{number}"): path
                for number, path in enumerate(files)}
        for future in as_completed(work):
            path = work[future]
            if future.status == "finished":
                yield path, future.result() | {"file": str(path)}
            else:
                reason = f"the cluster could not grade this: {future.exception()}"[:300]
                yield path, Submission.unreadable(path, reason).result({}, [reason], 0, 0.0)
            future.release()
    finally:
        client.close()


def grade(name: str, data: bytes, limits: dict) -> dict:
    """On a worker: the result of one submission."""
    slot = getattr(_here, "slot", None)
    if slot is None or slot.limits != limits:
        if slot is not None:
            slot.close()
        slot = _here.slot = Slot(limits)
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return slot.grade(path)
