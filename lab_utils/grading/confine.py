"""Take away from a process what grading does not need: user, network, files, other processes.

Linux offers most of it, in parts that a machine may forbid; ``describe`` says what is in force
here. Each function is called in a process that is to be confined, before a submission runs in it.
"""

import contextlib
import ctypes
import functools
import os
import socket
import struct
import sys
from pathlib import Path

from ..config import ROOT

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = (0x00020000, 0x08000000, 0x10000000, 0x20000000,
                                          0x40000000)
PDEATHSIG, DUMPABLE, SUBREAPER, NO_NEW_PRIVS = 1, 4, 36, 38   # linux/prctl.h
FIRST_UID = 2_000_000     # above what systems give to people
# linux/landlock.h. Rights on files: execute, write, read, list, ...; on files alone the first
# three, truncate and ioctl.
EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
ALL_FILES = [0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1]
ON_FILES = EXECUTE | WRITE | READ | 1 << 14 | 1 << 15


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> bool:
    """A setting of this process (Linux); whether it took."""
    if sys.platform != "linux":
        return False
    return _libc().prctl(option, value, 0, 0, 0) == 0


def unshare(keep_rights: bool) -> bool:
    """Namespaces for processes to come: no network, and none of the other processes in sight.

    Args:
        keep_rights: stay in this user namespace, where root has the rights of root.
    """
    if sys.platform != "linux":
        return False
    libc, wanted = _libc(), NEWPID | NEWNET | NEWIPC
    if keep_rights and libc.unshare(wanted) == 0:
        return True
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(wanted | NEWUSER) != 0:
        return False
    prctl(DUMPABLE, 1)   # /proc/self is ours again
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    prctl(DUMPABLE, 0)
    return True


def leave_root(folder: str) -> bool:
    """Become a user that owns nothing but ``folder``, where this process may choose its user."""
    if not hasattr(os, "setresuid") or os.getuid() != 0:
        return False
    uid = FIRST_UID + os.getppid() % 1_000_000
    try:
        os.chown(folder, uid, uid)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError:
        return False
    return True


def limit(seconds: float, gigabytes: float, processes: int) -> None:
    """Limits of time, memory, file size and number of processes."""
    try:
        import resource
    except ImportError:
        return
    kinds = {"CPU": int(2 * seconds) + 1, "DATA": int(gigabytes * 2 ** 30), "FSIZE": 2 ** 28,
             "CORE": 0, "NOFILE": 512}
    if os.getuid() >= FIRST_UID:      # counted for each user: only where it has one of its own
        kinds["NPROC"] = processes
    for kind, value in kinds.items():
        with contextlib.suppress(ValueError, OSError, AttributeError):
            number = getattr(resource, f"RLIMIT_{kind}")
            hard = resource.getrlimit(number)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (value, value))


def landlock(folder: str) -> bool:
    """Allow reading of what Python and the labs need, writing in ``folder``, no TCP, and no
    signals to others. The checks, the solutions and everybody's files stay out of reach."""
    if sys.platform != "linux":
        return False
    libc = _libc()
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        return False
    files = ALL_FILES[min(version, 5)]
    rules = struct.pack("=QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    rules = rules[:24 if version >= 6 else 16 if version >= 4 else 8]
    handle = libc.syscall(444, rules, len(rules), 0)
    if handle < 0:
        return False
    try:
        for path, rights in _allowed(folder):
            with contextlib.suppress(OSError):
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
                if not os.path.isdir(path):
                    rights &= ON_FILES
                rule = struct.pack("=Qi", rights & files, place)
                libc.syscall(445, handle, 1, rule, 0)
                os.close(place)
        return prctl(NO_NEW_PRIVS, 1) and libc.syscall(446, handle, 0) == 0
    finally:
        os.close(handle)


def _allowed(folder: str) -> list[tuple[str, int]]:
    read = READ | LIST | EXECUTE
    paths = [(folder, -1), ("/dev/null", -1), ("/dev/zero", read), ("/dev/urandom", read),
             ("/dev/random", read), ("/proc/self", read), ("/sys/devices/system", read),
             *((f"/proc/{name}", read) for name in ("cpuinfo", "meminfo", "stat", "version")),
             *((path, read) for path in ("/usr", "/lib", "/lib64", "/bin", "/etc", "/opt")),
             *((path, read) for path in {sys.prefix, sys.base_prefix})]
    paths += [(path, read) for path in sys.path if path.endswith(("-packages", ".zip"))]
    ours = ROOT / "lab_utils"   # the checks are in there too, but not among what may be read
    return [*paths, (str(ROOT / "data"), read), (str(ours), LIST),
            *((str(path), read) for path in ours.iterdir() if path.name != "grading")]


def refuse_sockets() -> None:
    """Where the system cannot take the network away, Python at least makes no connection."""
    def refused(*args, **kwargs):
        raise PermissionError("there is no network while a submission is graded")

    socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refused
    socket.create_connection = socket.getaddrinfo = refused


@functools.cache
def describe() -> dict[str, bool]:
    """What this machine allows, tried in a process of its own."""
    names = ("no network, other processes out of sight", "files out of reach", "another user")
    if sys.platform != "linux":
        return dict.fromkeys(names, False)
    incoming, outgoing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            import tempfile
            folder = tempfile.mkdtemp(prefix="grading-")
            another = readable_by_others()
            found = [unshare(another), False, another and leave_root(folder)]
            found[1] = landlock(folder)
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            os.write(outgoing, bytes(found))
        finally:
            os._exit(0)
    os.close(outgoing)
    found = os.read(incoming, 3)
    os.close(incoming)
    os.waitpid(pid, 0)
    return dict(zip(names, map(bool, found.ljust(3, b"\0")), strict=True))


def readable_by_others() -> bool:
    """Whether another user could run Python and read the labs here."""
    for path in (Path(sys.executable).resolve(), Path(os.__file__).resolve(), ROOT / "data"):
        for part in (path, *path.parents):
            needed = 0o001 if part != path or part.is_dir() else 0o004
            if not part.stat().st_mode & needed:
                return False
    return True
