"""Fresh Python processes that have TensorFlow imported already, one for each submission.

The nursery is a process that imports, runs nothing, and forks on request. Each child is a warden:
it starts the student's process, confined, watches it and what that starts, and leaves none alive.
Requests come over a socket, with the two sockets of the new process.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable

import psutil

from ..config import ROOT
from . import confine
from .remote import Session

PROCESSES = 64           # of one submission, threads not counted
THREADS = 512            # as the system counts them
WATCH_SECONDS = 0.25


# ---- the examiner's side -------------------------------------------------------------------

def forked(nursery: socket.socket, folder: str, limits: dict) -> Session:
    """A session with a process that the nursery forks."""
    ours, theirs = socket.socketpair()
    control, warden = socket.socketpair()
    with theirs, warden:
        request = json.dumps({"folder": folder, **limits}).encode()
        socket.send_fds(nursery, [request], [theirs.fileno(), warden.fileno()])

    def why() -> str:
        control.settimeout(3)
        with contextlib.suppress(OSError):
            return control.recv(200).decode(errors="replace")
        return ""

    def kill() -> None:
        with contextlib.suppress(OSError):
            control.shutdown(socket.SHUT_WR)   # the warden's sign to end everything

    def close() -> None:
        kill()
        control.settimeout(15)
        with contextlib.suppress(OSError):
            while control.recv(200):           # until the warden is gone, and with it the rest
                pass
        control.close()
        ours.close()

    return Session(ours.makefile("rb"), ours.makefile("wb"), kill, why, close)


def spawned(folder: str, limits: dict) -> Session:
    """A session with a new Python: slower, for systems that cannot fork."""
    keep = ("PATH", "SYSTEMROOT", "VIRTUAL_ENV", "LANG", "TEMP", "TMP")
    process = subprocess.Popen(
        [sys.executable, "-m", "lab_utils.grading.student", str(limits["seconds"]),
         str(limits["gigabytes"])], cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in keep if name in os.environ}
        | {"PYTHONPATH": str(ROOT)} | surroundings(folder),
        start_new_session=hasattr(os, "setsid"))
    over, reasons = threading.Event(), []

    def kill() -> None:
        for member in _family(process.pid):
            with contextlib.suppress(psutil.Error):
                member.kill()
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            reason = _too_much(process.pid, limits["gigabytes"])
            if reason:
                reasons.append(reason)
                kill()
                return

    def close() -> None:
        over.set()
        kill()
        process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()

    threading.Thread(target=watch, daemon=True).start()
    return Session(process.stdout, process.stdin, kill, lambda: "".join(reasons), close)


def _family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; empty if it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _too_much(pid: int, gigabytes: float) -> str:
    """Why a submission has to be stopped: it has too many processes, or too much memory."""
    family, used = _family(pid), 0
    if len(family) > PROCESSES:
        return f"it started more than {PROCESSES} processes and was stopped"
    for member in family:
        with contextlib.suppress(psutil.Error):
            used += member.memory_info().rss
    if used > gigabytes * 2 ** 30:
        return f"it used more than {gigabytes:g} GB of memory and was stopped"
    return ""


def surroundings(folder: str) -> dict[str, str]:
    """The environment variables of a student's process."""
    return {"HOME": folder, "TMPDIR": folder, "LAB_OUT": folder, "MPLCONFIGDIR": folder,
            "LAB_BUDGET": "quick", "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


# ---- the nursery's side --------------------------------------------------------------------

def serve(requests: socket.socket, student: Callable[[socket.socket], None]) -> None:
    """Fork a warden for every request, until the other side is gone.

    Args:
        requests: where they come from.
        student: what the student's process does with its socket.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C is the command's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)   # ended wardens vanish
    confine.prctl(confine.DUMPABLE, 0)              # no other process reads or changes our memory
    keep = requests.fileno()                        # nothing else is inherited by a submission
    os.closerange(3, keep)
    os.closerange(keep + 1, 4096)
    while True:
        text, handles, _, _ = socket.recv_fds(requests, 65536, 2)
        if not text:
            return
        if os.fork() == 0:
            try:
                requests.close()
                _warden(json.loads(text), *handles, student)
            finally:
                os._exit(0)
        for handle in handles:
            os.close(handle)


def _warden(task: dict, theirs: int, control_handle: int,
            student: Callable[[socket.socket], None]) -> None:
    """Start the student's process, watch it, end it and all that it started."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    control = socket.socket(fileno=control_handle)
    confine.prctl(confine.SUBREAPER, 1)     # what is orphaned comes to us
    apart = confine.unshare(task["another_user"])
    pid = os.fork()
    if pid == 0:
        try:
            control.close()
            os.setsid()
            _settle(task, apart)
            student(socket.socket(fileno=theirs))
        finally:
            os._exit(0)
    os.close(theirs)
    reason = _watch(pid, control, task)
    _end_all(pid)
    with contextlib.suppress(OSError):
        control.send(reason.encode())


def _settle(task: dict, apart: bool) -> None:
    """Confine this process to its folder and limits."""
    folder = task["folder"]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
                       **surroundings(folder)})
    tempfile.tempdir = folder
    if task["another_user"]:
        confine.leave_root(folder)
    confine.limit(task["seconds"], task["gigabytes"], THREADS)
    confine.landlock(folder)
    if not apart:
        confine.refuse_sockets()
    confine.prctl(confine.DUMPABLE, 1)   # TensorFlow reads its own /proc/self
    confine.prctl(confine.PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _watch(pid: int, control: socket.socket, task: dict) -> str:
    """Wait until the process ends, takes too much, or is to be ended; returns why it ended."""
    control.settimeout(WATCH_SECONDS)
    while True:
        try:
            if not control.recv(1):
                return ""
        except TimeoutError:
            pass
        except OSError:
            return ""
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return f"Python ended here ({_ending(code)})"
        reason = _too_much(pid, task["gigabytes"])
        if reason:
            return reason


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _end_all(pid: int) -> None:
    """Kill the process, its group, and what was orphaned to us, until nothing is left."""
    me, end = psutil.Process(), time.monotonic() + 10
    with contextlib.suppress(psutil.Error, OSError):
        for child in me.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.suspend()
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        try:
            children = me.children(recursive=True)
        except psutil.Error:
            children = []
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        try:
            os.waitpid(-1, os.WNOHANG if children else 0)
        except ChildProcessError:
            return
