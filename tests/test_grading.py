"""The Grader: messages, hostile answers, scores."""

import json
import random

import numpy as np
import pytest

from lab_utils import Grader, LabError
from lab_utils.config import ROOT
from lab_utils.grading.registry import POINTS
from lab_utils.grading.report import as_csv, as_html
from tests.solved import definitions


@pytest.fixture
def grader(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_OUT", str(tmp_path))
    return Grader("lab1")


def right(x, w, b):
    return 1 / (1 + np.exp(-(np.dot(x, w) + b)))


def test_a_right_answer_earns_its_points_and_a_stub_is_to_do(grader, capsys):
    def stub(x, w, b):
        raise NotImplementedError

    result = grader.check("perceptron", stub)
    assert (result.todo, result.passed, result.earned) == (True, False, 0)
    assert "[TODO] perceptron" in capsys.readouterr().out
    result = grader.check("perceptron", right)
    assert (result.todo, result.passed, result.earned, result.points) == (False, True, 4, 4)
    assert "[FAIL]" not in capsys.readouterr().out


def test_the_report_is_written_and_adds_up(grader, tmp_path, capsys):
    grader.check("perceptron", right)
    summary = grader.report()
    assert summary == json.loads((tmp_path / "lab1_results.json").read_text())
    assert summary["earned"] == 4
    assert summary["points"] + summary["by_hand"] == 100
    assert "to do" in capsys.readouterr().out


def test_a_wrong_answer_is_told_expected_got_and_a_hint(grader, capsys):
    grader.check("perceptron", lambda x, w, b: np.tanh(np.dot(x, w) + b))
    printed = capsys.readouterr().out
    assert "expected: 0.00247262" in printed and "got: -0.999" in printed and "hint:" in printed


def test_what_holds_for_several_inputs_is_said_once():
    lab3 = definitions("lab3")
    printed = Grader("lab3").check("build_policy", lab3.build_policy).text().splitlines()
    assert len(printed) > 5 and len(set(printed)) == len(printed)


def prints(x, w, b):
    print("noise" * 100)
    return right(x, w, b)


def for_ever(x, w, b):
    while True:
        pass


def recurses(x, w, b):
    return recurses(x, w, b)


def leaves(x, w, b):
    raise SystemExit


def interrupts(x, w, b):
    raise KeyboardInterrupt


def generator(x, w, b):
    yield 1


def nan(x, w, b):
    return right(x, w, b) * np.nan


def nothing(x, w, b):
    return None


def gigabyte(x, w, b):
    return np.broadcast_to(np.float32(1), (1 << 15, 1 << 15))


def breaks(x, w, b):
    return np.dot(x, w)[0] + undefined_name  # noqa: F821


class Odd:
    def __array__(self, dtype=None, copy=None):
        raise ValueError("no array")


@pytest.mark.parametrize(("answer", "sentence"), [
    (for_ever, "still running after"), (recurses, "calls itself without end"),
    (leaves, "SystemExit"), (interrupts, "interrupted"), (generator, "a generator"),
    (nan, "NaN"), (nothing, "is a return missing"), (gigabyte, "1,073,741,824 numbers"),
    (breaks, "in breaks at: return np.dot(x, w)[0] + undefined_name"),
    (lambda x, w, b: Odd(), "no array"), (lambda x, w, b: "text", "elements of type"),
    (lambda: 0, "takes 0 positional arguments"), (7, "not callable"),
])
def test_a_hostile_answer_gets_a_sentence(grader, answer, sentence, capsys, monkeypatch):
    monkeypatch.setattr("lab_utils.grading.guard.call.__kwdefaults__", {"seconds": 0.5})
    result = grader.check("perceptron", answer)
    assert not result.passed
    assert sentence in capsys.readouterr().out


def test_what_an_answer_prints_or_plots_is_held_back(grader, capsys):
    import matplotlib.pyplot as plt

    def plots(x, w, b):
        plt.figure()
        return prints(x, w, b)

    before = plt.get_fignums()
    assert grader.check("perceptron", plots).passed
    assert "noise" not in capsys.readouterr().out
    assert plt.get_fignums() == before


def test_random_state_is_left_as_it_was(grader):
    def draws(x, w, b):
        random.random(), np.random.rand()  # noqa: B018, NPY002
        return right(x, w, b)

    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    grader.check("perceptron", draws)
    assert states == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


def test_checking_twice_prints_the_same(grader, capsys):
    grader.check("perceptron", right)
    first = capsys.readouterr().out
    grader.check("perceptron", right)
    assert capsys.readouterr().out == first


def test_unknown_labs_and_exercises_are_named():
    with pytest.raises(LabError, match="lab9"):
        Grader("lab9")
    with pytest.raises(LabError, match="no exercise 'foo'"):
        Grader("lab1").check("foo", right)


def test_the_instructors_page_has_each_exercise_with_its_points():
    page = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")
    listed = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    assert [(name.strip(" `"), int(worth)) for name, worth in listed] == [
        (name, worth) for exercises in POINTS.values() for name, worth in exercises.items()]


def test_words_of_a_submission_are_no_markup_and_no_formula():
    row = {"points": 4, "earned": 0, "reason": "=1+1<script>", "report": ""}
    result = {"file": "<b>.ipynb", "lab": "lab1", "earned": 0, "points": 4, "notes": ["@x", "<i>"],
              "exercises": {"perceptron": row}}
    page = as_html([result], {"files out of reach": False})
    assert "<script>" not in page and "<b>" not in page and "<i>" not in page
    assert "files out of reach: no" in page and "0 of 1" in page
    lines = as_csv([result]).splitlines()
    assert lines[1].endswith(",'=1+1<script>") and lines[2].endswith(",'@x; <i>")
