"""Submissions a minute of ``python -m lab_utils grade``, with the cells that train left out.

Each submission is a lab's solved notebook: all in it is right, so every check runs to its end. The
time is that of the whole command, the start of Python and TensorFlow included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab_utils.config import ROOT
from lab_utils.errors import LabError

from .frame import Result, Row, in_turns

REPEAT = 1
TARGET = 20.0      # a minute
SUBMISSIONS = {"tiny": 1, "default": 20, "full": 60}


def a_minute(solved: Path, number: int) -> float:
    """Submissions a minute.

    Raises:
        LabError: if one does not get all points.
    """
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        text = solved.read_bytes()
        for student in range(number):
            (Path(folder) / f"{student:03d}_{solved.name}").write_bytes(text)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "lab_utils", "grade", folder, "--json", "--out",
             str(Path(folder) / "grades"), "--jobs", str(min(2, os.cpu_count() or 1))],
            cwd=ROOT, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise LabError(f"Grading stops: {done.stderr.strip().splitlines()[-1]}.")
    for result in json.loads(done.stdout):
        if result["earned"] != result["points"] or len(result["exercises"]) == 0:
            raise LabError(f"A solved {solved.stem} earns {result['earned']} of "
                           f"{result['points']}: {result['notes']}")
    return 60 * number / seconds


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    labs = sorted((ROOT / "labs" / "solutions").glob("lab*.ipynb"))
    number = SUBMISSIONS[scale]
    values = in_turns(repeat, {lab.stem: lambda lab=lab: a_minute(lab, number)
                               for lab in labs[:1 if scale == "tiny" else None]}, warm=False)
    return Result([Row(f"{name}, {number} perfect submissions, 2 at once", "submissions/min", rates,
                       target=TARGET) for name, rates in values.items()])
