"""A class goes through nbgrader: hand out, collect, grade, points by hand, feedback, export."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import determine_grade

from lab_utils import LabError
from lab_utils.config import ROOT
from lab_utils.grading import exercises, points
from lab_utils.grading.autograde import ExecuteGraded
from lab_utils.grading.cells import needed
from labs import build, course

SOURCES = build.sources()
NAMES = [path.stem for path in SOURCES]


# ---- which cells run -----------------------------------------------------------------------

@pytest.mark.parametrize(("cells", "expected"), [
    (["import numpy as np", "import os", "np.zeros(1)"], [True, False, True]),
    (["n = 3", "size = n", "size", "answer(size)"], [True, True, False, False]),
    (["x = answer(1)", "size = x + 1", "size = 1"], [False, False, True]),
    (["def size(n):\n    return answer(n)", "np = size(2)"], [True, False]),
    (["def size(n):\n    return answer(n)\nsize(2)"], [False]),
    (["size = lambda: answer(1)", "%pip list", "%time run()", "!ls"], [True, True, False, True]),
    (["%%time\nanswer(2)", "%time answer(3)", "%%time\nsize = 2"], [False, False, True]),
    (["size = {}", "size['n'] = 2", "size.update(n=3)", "other = {}"], [True, True, True, False]),
    (["size = partial(answer, 1)", "np = size()"], [False, False]),
    (["class size(Base):\n    x = 1", "from math import *", "this is no Python"],
     [True, True, False]),
], ids=str)
def test_only_cells_that_the_checks_need_run(cells, expected):
    sources = [("def answer(n):\n    return np.ones(n) * size", True),
               *((text, False) for text in cells), ("grader.check('answer', answer)", True)]
    assert needed(sources, ["answer"]) == [True, *expected, True]


def test_what_a_definition_names_itself_needs_no_other_cell():
    cells = ["ids = load()", "def answer(ids):\n    n = len(ids)\n    return ids[n - 1] * SCALE",
             "n = 5", "SCALE = 2"]
    sources = [(text, number == 1) for number, text in enumerate(cells)]
    assert needed(sources, ["answer"]) == [False, True, False, True]


def test_a_helper_may_stand_below_the_answer_that_calls_it():
    cells = ["def answer():\n    return helper()", "def helper():\n    return SIZE", "SIZE = 2"]
    sources = [(text, number == 0) for number, text in enumerate(cells)]
    assert needed(sources, ["answer"]) == [True, True, True]


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_answers_and_checks_always_run_and_trainings_never(source):
    lab = source.stem.split("_")[0]
    cells = [cell for cell in build.source_notebook(source).cells if cell.cell_type == "code"]
    runs = needed([(cell.source, "nbgrader" in cell.metadata) for cell in cells], exercises(lab))
    for cell, run in zip(cells, runs, strict=True):
        assert run or "nbgrader" not in cell.metadata
        assert not run or "for step in" not in cell.source or "nbgrader" in cell.metadata
    assert runs[0] and not all(runs)


# ---- the submissions -----------------------------------------------------------------------

def answered(source: Path) -> nbformat.NotebookNode:
    """The student notebook with the source's solutions typed in."""
    notebook = nbformat.read(build.student_path(source), 4)
    solved = {cell.id: cell.source for cell in build.source_notebook(source).cells}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = build.MARKER.sub("", solved[cell.id])
    return notebook


def by_id(notebook: nbformat.NotebookNode, grade_id: str) -> nbformat.NotebookNode:
    """The cell of an exercise or check."""
    return next(cell for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def half_right(source: Path, ids: list[str]) -> nbformat.NotebookNode:
    """Every second answer is kept; the others return None, raise, or are stubs."""
    notebook = answered(source)
    spoilt = ["return None", "raise ValueError('no idea')", "raise NotImplementedError"]
    for number, name in enumerate(ids[1::2]):
        body = spoilt[number % 3]
        by_id(notebook, name).source = (
            f"class {name}:\n    def __init__(self, *args):\n        {body}" if name[0].isupper()
            else f"def {name}(*args, **kwargs):\n    {body}")
    return notebook


def cheating(source: Path, ids: list[str]) -> nbformat.NotebookNode:
    """Nothing is answered; each check is attacked in another way."""
    notebook = nbformat.read(build.student_path(source), 4)
    for name in ids:
        check = by_id(notebook, f"check-{name}")
        check.source = f"print('[PASS] {name}')"             # an edited check
        check.metadata.nbgrader.points = 1000                # of more worth
    by_id(notebook, ids[0]).source = "raise NotImplementedError"   # no name, a forgiven error
    notebook.cells.remove(by_id(notebook, f"check-{ids[1]}"))      # a check taken out
    by_id(notebook, ids[2]).source = (                             # a Grader that says yes
        "class Yes:\n    passed = True\n"
        "type(grader).check = lambda *args, **kwargs: Yes()\n"
        "import lab_utils.grading.grader as module\n"
        "module.run_check = lambda *args, **kwargs: Yes()")
    by_id(notebook, ids[3]).source = (                             # errors that nobody sees
        "get_ipython().set_custom_exc((AssertionError, NameError), lambda *args, **kwargs: None)")
    by_id(notebook, ids[4]).source = f"{ids[4]} = type('All', (), {{'__eq__': lambda *a: True}})()"
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES[:1], ids=NAMES[:1])
def test_a_submission_whose_process_ends_keeps_what_it_earned(source):
    lab = source.stem.split("_")[0]
    ids = [item for item in exercises(lab) if not item.startswith("written_")]
    notebook = answered(source)
    by_id(notebook, ids[2]).source += "\nimport os\nos._exit(1)"
    ExecuteGraded().preprocess(notebook, {"unique_key": source.stem})
    lost = {item: by_id(notebook, f"check-{item}").outputs[-1] for item in ids
            if determine_grade(by_id(notebook, f"check-{item}"))[0] != points(lab, item)}
    assert list(lost) == ids[2:3], lost
    error = lost[ids[2]]
    assert error.ename == "NotPassed" and "Python ended here" in error.evalue


def test_a_check_that_is_not_of_the_lab_is_refused():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert True", metadata={
        "nbgrader": {"grade": True, "solution": False, "grade_id": "check-mine"}})])
    with pytest.raises(LabError, match="check .mine."):
        ExecuteGraded().preprocess(notebook, {"unique_key": "lab1_music_generation"})


# ---- the round trip ------------------------------------------------------------------------

def nbgrader(folder: Path, *arguments: str) -> str:
    """Run a command of nbgrader in the course's folder; its output."""
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=folder, text=True,
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_round_trip(source, tmp_path):
    lab, name = source.stem.split("_")[0], source.stem
    ids = [item for item in exercises(lab) if not item.startswith("written_")]
    written = [item for item in exercises(lab) if item.startswith("written_")]
    by_checks = sum(points(lab, item) for item in ids)

    assert course.main([str(tmp_path), "--lab", lab[3:]]) == 0
    nbgrader(tmp_path, "generate_assignment", lab)
    assert (nbformat.read(tmp_path / "release" / lab / f"{name}.ipynb", 4)
            == nbformat.read(build.student_path(source), 4))

    students = {"perfect": answered(source),
                "empty": nbformat.read(build.student_path(source), 4),
                "half": half_right(source, ids),
                "cheat": cheating(source, ids)}
    downloads = tmp_path / "downloaded" / lab / "archive"
    downloads.mkdir(parents=True)
    for student, notebook in students.items():
        nbformat.write(notebook, downloads / f"{student}_{name}.ipynb")
    nbgrader(tmp_path, "zip_collect", lab)
    nbgrader(tmp_path, "autograde", lab)

    right = {"perfect": set(ids), "empty": set(), "half": set(ids[::2]), "cheat": set()}
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "deep-learning") as book:
        for student, passed in right.items():
            submission = book.find_submission_notebook(name, lab, student)
            scores = {grade.name.removeprefix("check-"): grade for grade in submission.grades}
            for item in ids:
                expected = points(lab, item) if item in passed else 0
                assert scores[item].score == expected, (student, item)
                assert scores[item].max_score == points(lab, item)
            for item in written:
                answered_it = student in ("perfect", "half")
                assert scores[item].needs_manual_grade == answered_it, (student, item)
                if answered_it:   # what a person does in the formgrader
                    scores[item].manual_score = points(lab, item)
        book.db.commit()

    nbgrader(tmp_path, "generate_feedback", lab)
    nbgrader(tmp_path, "export", "--to", "grades.csv")
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        totals = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    half = sum(points(lab, item) for item in [*ids[::2], *written])
    assert totals == {"perfect": 100, "empty": 0, "half": half, "cheat": 0}
    assert by_checks + sum(points(lab, item) for item in written) == 100
    for student in students:
        page = tmp_path / "feedback" / student / lab / f"{name}.html"
        assert "points" in page.read_text(encoding="utf-8")
