"""The notebooks follow from their sources, are small, and run; nbval executes the solved ones."""

import nbformat
import pytest

from lab_utils import run
from lab_utils.grading import exercises
from labs import build, tables

SOURCES = build.sources()
NAMES = [path.stem for path in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_notebooks_are_not_stale(source):
    assert build.stale(source) == [], "run 'make notebooks'"


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_every_exercise_is_in_the_notebook_once(source):
    lab = source.stem.split("_")[0]
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id")
           for cell in build.source_notebook(source).cells]
    for name in exercises(lab):
        assert ids.count(name) == 1, name
        assert name.startswith("written_") or ids.count(f"check-{name}") == 1, name


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_student_notebooks_hold_no_solution_and_no_output(source):
    text = build.student_path(source).read_text(encoding="utf-8")
    for marker in ("BEGIN SOLUTION", "HIDDEN TESTS", "END SOLUTION"):
        assert marker not in text
    for cell in nbformat.reads(text, 4).cells:
        assert cell.cell_type != "code" or not cell.outputs


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_solved_notebooks_are_executed_without_warnings_and_small(source):
    path = build.solved_path(source)
    assert path.stat().st_size < 5_000_000
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type != "code":
            continue
        assert cell.execution_count is not None
        for output in cell.outputs:
            assert output.output_type != "error"
            shown = output.get("text", "") + output.get("data", {}).get("text/plain", "")
            assert "warning" not in shown.lower(), cell.source
            assert "Path('/" not in shown, f"a path of this machine: {cell.source}"


def test_the_readme_quotes_the_results_of_the_full_runs():
    text = tables.README.read_text(encoding="utf-8")
    assert tables.updated(text) == text, "run 'make notebooks'"
    assert "| Lab 1" in text and "| Lab 2" in text and "| Lab 3" in text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_an_unsolved_notebook_runs_to_the_end_with_todo_at_each_check(source, tmp_path):
    student = nbformat.read(build.student_path(source), 4)
    done = run.execute(student, source.stem, "quick", tmp_path)
    for cell in done.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            text = "".join(output.get("text", "") for output in cell.outputs)
            assert text.startswith("[TODO]"), cell.source
