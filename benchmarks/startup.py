"""How long ``import lab_utils`` takes beside ``import tensorflow``, each in a fresh process."""

import subprocess
import sys
import time

from lab_utils.config import ROOT
from lab_utils.errors import LabError

from .frame import Result, Row, by_processor, in_turns

# Parts that must not import TensorFlow: what the command line and the checks of files need.
LIGHT = ("lab_utils", "lab_utils.config", "lab_utils.files", "lab_utils.results",
         "lab_utils.plotting", "lab_utils.competition", "lab_utils.doctor", "lab_utils.run",
         "lab_utils.music.notation", "lab_utils.music.corpus", "lab_utils.music.judge",
         "lab_utils.music.sound", "lab_utils.music.sheet", "lab_utils.grading.cli",
         "lab_utils.faces", "lab_utils.rl")
ALL = "import lab_utils; from lab_utils import Grader, LabError, budget, quiet_start, use_style"


def imports(code: str) -> float:
    """Seconds of a fresh Python that runs ``code`` and ends.

    Raises:
        LabError: if it fails.
    """
    code += "\nimport time\nprint(time.process_time())"
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise LabError(f"{code!r} fails: {done.stderr.strip().splitlines()[-1]}.")
    return float(done.stdout) if by_processor() else seconds


def heavy() -> list[str]:
    """Those of the light parts that cannot be imported where TensorFlow cannot."""
    code = f"""
import importlib, sys
sys.modules["tensorflow"] = sys.modules["keras"] = None   # importing them now fails
for name in {LIGHT}:
    try:
        importlib.import_module(name)
    except ImportError:
        print(name)
"""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.split()


def added() -> float:
    """Seconds that lab_utils takes to import where TensorFlow already is."""
    clock = "process_time" if by_processor() else "perf_counter"
    code = (f"import tensorflow; from time import {clock} as clock; started = clock(); {ALL}; "
            "print(clock() - started)")
    return float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True,
                                text=True, check=True).stdout)


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    values = in_turns(repeat, {
        "lab_utils": lambda: imports(ALL),
        "tensorflow": lambda: imports("import tensorflow"),
        "on top": added,
    }, warm=scale != "tiny")
    return Result([
        Row("a fresh Python that imports lab_utils and its public names", "s", values["lab_utils"],
            values["tensorflow"], "import tensorflow", more_is_better=False),
        Row("what lab_utils adds to import tensorflow", "s", values["on top"], target=0.3,
            more_is_better=False),
        Row(f"parts that import TensorFlow without need, of {len(LIGHT)}", "parts",
            [len(heavy())], target=0, more_is_better=False),
    ])
