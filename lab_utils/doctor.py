"""``python -m lab_utils doctor``: does this machine have what the labs need?

One line a point: a tick, or a cross and what to do.
"""

import argparse
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from .config import DATA, MODELS, ROOT

MEMORY_GB, DISK_GB = 4, 2
Finding = tuple[bool, str, str]   # fine, what was looked at, what to do otherwise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def main(args: argparse.Namespace) -> int:
    """Print all findings; 0 when every point is fine."""
    bad = 0
    for fine, what, remedy in findings():
        print(f"[{'ok' if fine else '!!'}] {what}" + ("" if fine else f": {remedy}"), flush=True)
        bad += not fine
    print("Everything is in place." if not bad else f"{bad} to mend, as said above.")
    return 1 if bad else 0


def findings() -> Iterator[Finding]:
    """All points in the order in which they are worth mending."""
    yield _python()
    yield from _packages()
    yield from _machine()
    yield _devices()
    yield from _data()
    yield from _sound_and_video()


def _python() -> Finding:
    version = sys.version_info[:2]
    return ((3, 10) <= version <= (3, 13), f"Python {platform.python_version()} on "
            f"{platform.system()} {platform.machine()}", "install Python 3.10 to 3.13")


def _packages() -> Iterator[Finding]:
    for line in (ROOT / "requirements-core.txt").read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        remedy = f"run: python -m pip install '{wanted.name}{wanted.specifier}'"
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield False, f"{wanted.name} is not installed", remedy
            continue
        fine = wanted.specifier.contains(version, prereleases=True)
        yield fine, f"{wanted.name} {version} (allowed: {wanted.specifier})", remedy


def _machine() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    yield (memory.available > MEMORY_GB * 1e9,
           f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB memory free, "
           f"{psutil.cpu_count()} cores",
           f"close other programs: the labs use up to {MEMORY_GB} GB")
    disk = shutil.disk_usage(Path.cwd()).free
    yield (disk > DISK_GB * 1e9, f"{disk / 1e9:.0f} GB disk free in {Path.cwd()}",
           f"free some: a full run writes up to {DISK_GB} GB")


def _devices() -> Finding:
    from .quiet import quiet_start

    try:
        with quiet_start():
            import tensorflow as tf
            gpus = tf.config.list_physical_devices("GPU")
    except ImportError as error:
        return False, f"TensorFlow does not start ({error})", "reinstall it with pip"
    return True, (f"TensorFlow {tf.__version__} starts; "
                  f"{len(gpus) or 'no'} GPU" + (", which will be used" if gpus else
                                               ", and none is needed")), ""


def _data() -> Iterator[Finding]:
    from .music.corpus import load_tunes

    try:
        yield True, f"{len(load_tunes()[0]):,} usable tunes in music21's corpus", ""
    except Exception as error:   # whatever is wrong belongs in the list
        yield False, "the tunes cannot be read", str(error)
    models = sorted(path.name for path in MODELS.glob("*.*"))
    yield bool(models), f"trained models: {', '.join(models) or 'none'}", "fetch data/models again"
    try:
        from .faces.build import verify
        yield True, f"face data set: {len(verify(DATA / 'faces'))} points verified", ""
    except Exception as error:
        yield False, "the face data set is not intact", str(error)


def _sound_and_video() -> Iterator[Finding]:
    parts = {"music21": "reading tunes", "pretty_midi": "the SoundFont", "verovio": "sheet music",
             "ale_py": "Pong", "pygame": "CartPole's picture"}
    for module, purpose in parts.items():
        yield (importlib.util.find_spec(module) is not None, f"{module} for {purpose}",
               "run: python -m pip install -r requirements.txt")
