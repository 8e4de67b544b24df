"""Grades one submission after the other: ``python -m lab_utils.grading.examiner``.

The process imports what the labs need, then divides: one half becomes the nursery, which forks a
confined process for each submission; this half runs the checks, on values that come from there. A
task is a line of JSON on stdin, its result a line on stdout.
"""

import ast
import importlib
import json
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..config import ROOT
from ..quiet import quiet_start
from . import confine, nursery
from .grader import run_check
from .registry import check_of, points
from .remote import Ended, RemoteFunction, Session
from .student import Student, silence
from .submission import Submission, Unreadable, read

RESTARTS = 3


def grade(path: Path, start: Callable[[str, dict], Session], *, seconds: float,
          cell_seconds: float, gigabytes: float, seed: int | None = None) -> dict:
    """The result of one submission, see ``submission.result``.

    Args:
        path: the notebook.
        start: begins a student's process in a folder, with limits.
        seconds: wall-clock limit of the whole submission.
        cell_seconds: limit of one cell with its checks.
        gigabytes: memory limit of all its processes together.
        seed: of the checks' inputs; by default one that nobody can know beforehand.
    """
    seed = secrets.randbits(48) if seed is None else seed
    started = time.monotonic()
    try:
        submission = read(path)
    except Unreadable as error:
        return Submission.unreadable(path, str(error)).result({}, [str(error)], seed, 0.0)
    cells, checks = list(submission.cells), dict(submission.checks)
    found, notes = {}, []
    limits = {"seconds": seconds, "gigabytes": gigabytes}
    for _ in range(RESTARTS + 1):
        with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as folder:
            session = start(folder, limits)
            try:
                where = _run(session, submission.lab, cells, checks, found, notes, seed,
                             started + seconds, cell_seconds)
            finally:
                session.close()
        if where is None:
            break
        notes.append(f"cell {where}: {session.ended}")
        for name in [name for name, index in checks.items() if index == where]:
            found.setdefault(name, {"passed": False, "reason": session.ended})
        cells[where] = None
        checks = {name: index for name, index in checks.items() if name not in found}
        if time.monotonic() >= started + seconds or not checks:
            break
    return submission.result(found, list(dict.fromkeys(notes))[:20], seed,
                             time.monotonic() - started)


def _run(session: Session, lab: str, cells: list, checks: dict[str, int], found: dict, notes: list,
         seed: int, end: float, cell_seconds: float) -> int | None:
    """Run the cells, and each check after the cell that answers it; fills ``found``.

    Returns:
        the cell in which the student's process ended, or None if it came to its end.
    """
    for index, text in enumerate(cells):
        if text is None:
            continue
        session.deadline = min(end, time.monotonic() + cell_seconds)
        here = [name for name, where in checks.items() if where == index]
        try:
            reply, _ = session.request(do="cell", index=index, text=text, names=here,
                                       seconds=60)
        except Ended:
            return index
        if reply.get("note"):
            notes.append(f"cell {index}: {reply['note']}"[:300])
        names = reply.get("names")
        for name in here:
            if name not in found and isinstance(names, list) and name in names:
                result = run_check(check_of(lab, name), name, points(lab, name),
                                   RemoteFunction(session, ["name", name]), seed)
                if session.ended is not None:
                    return index
                found[name] = {"passed": result.passed, "reason": _reason(result),
                               "report": result.text()}
    return None


def _reason(result) -> str:
    if result.todo:
        return "not written"
    failed = [item for item in result.properties if not item.passed]
    if failed:
        return f"{failed[0].title}: got {failed[0].got}"[:300]
    return "" if result.passed else "no property was checked"


# ---- the process ---------------------------------------------------------------------------

def preload() -> None:
    """Import what the labs' notebooks import, but nothing of the checks."""
    names = {"matplotlib.pyplot", "IPython.display", "lab_utils.plotting", "psutil"}
    for source in sorted((ROOT / "labs").glob("*.ipynb")):
        for text in re.findall(r'"((?:import|from) [^"\\]+)(?:\\n)?",?$',
                               source.read_text(encoding="utf-8"), re.MULTILINE):
            try:
                statement = ast.parse(text).body[0]
            except SyntaxError:
                continue
            names |= ({alias.name for alias in statement.names}
                      if isinstance(statement, ast.Import) else {statement.module})
    with quiet_start():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
        for name in sorted(names):
            if not name.startswith("lab_utils.grading.checks"):
                try:
                    importlib.import_module(name)
                except ImportError:
                    pass


def main() -> None:
    """Grade what comes on stdin until it ends."""
    sys.path[:] = [path for path in sys.path if path and path != os.getcwd()
                   or Path(path).resolve() == ROOT]
    # Elsewhere than on Linux the libraries that TensorFlow loads do not all survive a fork.
    can_fork, starts = sys.platform == "linux" and "--spawn" not in sys.argv, []

    def start(folder: str, limits: dict) -> Session:
        if not starts:   # TensorFlow is imported when there is something to run
            starts.append(_divide() if can_fork else nursery.spawned)
        return starts[0](folder, limits)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming = os.fdopen(os.dup(0), "r", encoding="utf-8")
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence()
    outgoing.write(json.dumps({"ready": confine.describe()}) + "\n")
    outgoing.flush()
    for line in incoming:
        task = json.loads(line)
        result = grade(Path(task.pop("path")), start, **task)
        outgoing.write(json.dumps(result) + "\n")
        outgoing.flush()


def _divide() -> Callable[[str, dict], Session]:
    """Fork the nursery off; returns how to begin a student's process."""
    preload()
    another_user = confine.readable_by_others()
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        try:
            ours.close()
            silence()
            nursery.serve(theirs, _serve_student)
        finally:
            os._exit(0)
    theirs.close()
    confine.prctl(confine.DUMPABLE, 0)
    return lambda folder, limits: nursery.forked(
        ours, folder, limits | {"another_user": another_user})


def _serve_student(connection: socket.socket) -> None:
    Student().serve(connection.makefile("rb"), connection.makefile("wb"))


if __name__ == "__main__":
    main()
