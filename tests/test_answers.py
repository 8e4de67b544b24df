"""No right answer fails, no wrong one passes, and every failure comes with a hint."""

import importlib
import pkgutil
import time

import pytest

from lab_utils.grading import exercises, points
from lab_utils.grading.grader import run_check
from lab_utils.grading.registry import POINTS, check_of
from tests import answers
from tests.solved import definitions

for module in pkgutil.iter_modules(answers.__path__):
    importlib.import_module(f"{answers.__name__}.{module.name}")

BANKED = sorted(answers.BANK)


def graded(lab):
    return [name for name in exercises(lab) if not name.startswith("written_")]


@pytest.mark.parametrize("lab", POINTS)
def test_points_of_a_lab_add_up_to_100(lab):
    assert sum(points(lab, name) for name in exercises(lab)) == 100


@pytest.mark.parametrize("lab", sorted({lab for lab, _ in BANKED}))
def test_the_bank_is_large_enough(lab):
    for exercise in graded(lab):
        kinds = [is_right for is_right, _, _ in answers.BANK[lab, exercise]]
        assert kinds.count(True) >= 4 and kinds.count(False) >= 8, exercise


@pytest.mark.parametrize(("lab", "exercise"), BANKED)
def test_right_answers_pass_and_wrong_ones_do_not(lab, exercise):
    check, worth = check_of(lab, exercise), points(lab, exercise)
    times, mistakes = [], []
    for is_right, what, answer in answers.BANK[lab, exercise]:
        started = time.perf_counter()
        result = run_check(check, exercise, worth, answer)
        times.append(time.perf_counter() - started)
        if result.passed != is_right:
            mistakes.append(f"{what}\n{result.text()}")
        if not is_right and not result.passed:
            failed = [item for item in result.properties if not item.passed]
            if not failed or not all(item.hint and item.expected for item in failed):
                mistakes.append(f"no hint or expectation for: {what}\n{result.text()}")
    kinds = [is_right for is_right, _, _ in answers.BANK[lab, exercise]]
    print(f"{lab} {exercise}: {kinds.count(True)} right, {kinds.count(False)} wrong answers, "
          f"longest check {max(times):.2f} s")
    assert not mistakes, "\n\n".join(mistakes)


def test_a_model_that_nearly_always_writes_the_same_fails_no_right_generate():
    result = run_check(check_of("lab1", "generate"), "generate", points("lab1", "generate"),
                       definitions("lab1").generate, seed=1449)
    assert result.passed, result.text()
