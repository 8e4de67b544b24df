"""The Grader: run the check of an exercise, print it line by line, keep the score."""

import contextlib
import json
import random
from dataclasses import dataclass, field

import numpy as np

from ..config import output_dir
from ..files import write_text
from ..todo import install
from .checker import Checker, Property, Stop
from .guard import Todo
from .registry import check_of, exercises, points


@dataclass
class CheckResult:
    """What a check found."""

    exercise: str
    points: int
    passed: bool = False
    todo: bool = False
    properties: list[Property] = field(default_factory=list)

    @property
    def earned(self) -> int:
        """All of the points, or none."""
        return self.points if self.passed else 0

    def text(self) -> str:
        """The report, one line a property."""
        if self.todo:
            return f"[TODO] {self.exercise}: not written yet ({self.points} points)"
        lines = []
        for item in self.properties:
            line = f"[{'PASS' if item.passed else 'FAIL'}] {self.exercise}: {item.title}"
            if item.passed and line in lines:   # tried on several inputs, said once
                continue
            lines.append(line)
            if not item.passed:
                lines += [f"       {name}: {text}" for name, text in
                          (("expected", item.expected), ("got", item.got), ("hint", item.hint))
                          if text]
        return "\n".join([*lines, f"{self.earned} of {self.points} points"])

    def _ipython_display_(self) -> None:
        """Nothing: the report is printed already."""


class Grader:
    """Checks the exercises of one lab.

    Args:
        lab: "lab1", "lab2" or "lab3".

    Raises:
        LabError: if there is no such lab.
    """

    def __init__(self, lab: str):
        self.lab = lab
        self.results = {name: CheckResult(name, points(lab, name), todo=True)
                        for name in exercises(lab) if not name.startswith("written_")}
        install()

    @staticmethod
    def exercises(lab: str) -> list[str]:
        """Ids of a lab's exercises."""
        return exercises(lab)

    def check(self, exercise: str, answer, *, seed: int = 0) -> CheckResult:
        """Check ``answer``, print the report and return it; a wrong answer never raises.

        Args:
            exercise: the exercise's id.
            answer: the student's function or class.
            seed: of the inputs drawn; another seed tries the same properties on others.

        Raises:
            LabError: if the lab has no such exercise.
        """
        check = check_of(self.lab, exercise)
        result = run_check(check, exercise, points(self.lab, exercise), answer, seed)
        self.results[exercise] = result
        print(result.text())
        return result

    def report(self) -> dict:
        """Print the table of scores and write ``<lab>_results.json``; returns what was written."""
        print(f"{'exercise':26}{'points':>8}{'earned':>8}")
        for name, result in self.results.items():
            state = "  to do" if result.todo else ""
            print(f"{name:26}{result.points:8}{result.earned:8}{state}")
        by_hand = sum(points(self.lab, name) for name in exercises(self.lab)
                      if name.startswith("written_"))
        earned = sum(result.earned for result in self.results.values())
        total = sum(result.points for result in self.results.values())
        print(f"{'sum':26}{total:8}{earned:8}")
        print(f"Written questions, graded by hand: {by_hand} points.")
        summary = {"lab": self.lab, "earned": earned, "points": total, "by_hand": by_hand,
                   "exercises": {name: {"earned": result.earned, "points": result.points,
                                        "todo": result.todo}
                                 for name, result in self.results.items()}}
        write_text(output_dir() / f"{self.lab}_results.json", json.dumps(summary, indent=2) + "\n")
        return summary


def run_check(check, exercise: str, worth: int, answer, seed: int = 0) -> CheckResult:
    """Run one check function with the student's random state put back afterwards."""
    checker = Checker(exercise, seed)
    result = CheckResult(exercise, worth)
    with _random_state_kept():
        try:
            check(answer, checker)
        except Todo:
            result.todo = True
        except Stop:
            pass
        except Exception as error:   # an answer so odd that the check itself stumbles
            checker.fail("its result can be used", "what the docstring says",
                         f"{type(error).__name__}: {' '.join(str(error).split())[:150]}",
                         "Look at the type and shape of what you return.")
    result.properties = checker.properties
    result.passed = bool(checker.properties) and not result.todo and all(
        item.passed for item in checker.properties)
    return result


@contextlib.contextmanager
def _random_state_kept():
    """Python's and NumPy's global random states; TensorFlow has no public way to read its own."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
