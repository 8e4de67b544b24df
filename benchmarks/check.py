"""All checks of a lab on the solved exercises, in one fresh process, as in a notebook.

Always by the clock on the wall, as a student waits: checks run in a process of their own.
"""

import subprocess
import sys

from lab_utils.config import ROOT
from lab_utils.errors import LabError
from lab_utils.grading.registry import POINTS

from .frame import Result, Row, in_turns

LIMIT, LIMIT_ONE = 20, 2   # seconds, of a lab's checks and of the slowest
# The checks alone are timed: the imports before them are part of any notebook.
PROGRAM = """
import contextlib, io, sys, time
from benchmarks.lab_code import functions
from lab_utils import Grader
lab, wanted = sys.argv[1], sys.argv[2:]
answers = functions(lab, *wanted)
grader = Grader(lab)
failed, times = [], []
for name in wanted:
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        failed += [] if grader.check(name, answers[name]).passed else [name]
    times.append(time.perf_counter() - started)
print(sum(times), max(times), *failed)
"""


def seconds(lab: str, names: list[str]) -> tuple[float, float]:
    """Seconds of the checks ``names`` on the lab's own solutions: all, and the slowest.

    Raises:
        LabError: if one does not pass.
    """
    done = subprocess.run([sys.executable, "-c", PROGRAM, lab, *names], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"The checks of {lab} stop: {done.stderr.strip().splitlines()[-1]}.")
    value, slowest, *failed = done.stdout.split()
    if failed:
        raise LabError(f"{lab}'s own solutions fail {', '.join(failed)}: mend that first.")
    return float(value), float(slowest)


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    labs = [lab for lab in POINTS if list((ROOT / "labs" / "source").glob(f"{lab}_*.py"))]
    names = {lab: [name for name in POINTS[lab] if not name.startswith("written_")]
             [:2 if scale == "tiny" else None] for lab in labs}
    slowest: dict[str, list[float]] = {lab: [] for lab in labs}

    def all_checks(lab: str) -> float:
        value, longest = seconds(lab, names[lab])
        slowest[lab].append(longest)
        return value

    values = in_turns(repeat, {lab: lambda lab=lab: all_checks(lab) for lab in labs}, warm=False)
    return Result([row for lab in labs for row in (
        Row(f"{lab}, {len(names[lab])} exercises", "s", values[lab], target=LIMIT,
            more_is_better=False),
        Row(f"{lab}, the slowest check", "s", slowest[lab], target=LIMIT_ONE,
            more_is_better=False))])
