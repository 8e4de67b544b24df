"""Generate the notebooks of a lab from its one source.

    python -m labs.build [--lab N ...] [--execute] [--budget quick|full] [--check]

From ``labs/source/NAME.py`` (Jupytext percent format) come

- ``labs/NAME.ipynb``: the student notebook, made by nbgrader's own preprocessors, with the badge
  and the installing cell of ``labs/repository.py``;
- ``labs/solutions/NAME.ipynb``: the solved one, with the outputs of its last execution. Changed
  code executes it anew, at ``--budget``; changed checks do so at the quick budget, and only what
  the check cells print is taken over.

A source writes ``# %% exercise="id"``, ``# %% check="id"`` and ``# %% [markdown] written="id"``;
the builder expands these to nbgrader's metadata. Points come from ``lab_utils.grading``.
"""

import argparse
import copy
import hashlib
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from lab_utils.files import write_text
from lab_utils.grading import points
from labs.repository import stamp

LABS = Path(__file__).resolve().parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError"
TEXT_STUB = "*Your answer here.*"
CHECKED = "nbval-check-output"   # the tag of cells whose output nbval compares
MARKER = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)


def sources() -> list[Path]:
    """The labs' sources, in order."""
    return sorted((LABS / "source").glob("lab*.py"))


def student_path(source: Path) -> Path:
    """Where the student notebook of a source lies."""
    return LABS / f"{source.stem}.ipynb"


def solved_path(source: Path) -> Path:
    """Where the solved notebook of a source lies."""
    return LABS / "solutions" / f"{source.stem}.ipynb"


def source_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a source; every cell gets a stable id and nbgrader's metadata."""
    lab = path.stem.split("_")[0]
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for index, cell in enumerate(notebook.cells):
        kind, name = next(((k, cell.metadata[k]) for k in ("exercise", "check", "written")
                           if k in cell.metadata), (None, None))
        cell.id = f"cell-{index:03d}" if kind is None else f"{kind}-{name}"[:64]
        if kind is not None:
            cell.metadata = nbformat.from_dict(_metadata(lab, kind, name))
        if kind == "check":
            # Removed for the student; when graded, the properties are tried on other inputs.
            cell.source += (
                "\n### BEGIN HIDDEN TESTS\n"
                f'assert grader.check("{name}", {name}, seed=1).passed, "{name}: see above"\n'
                "### END HIDDEN TESTS")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _metadata(lab: str, kind: str, name: str) -> dict:
    """nbgrader's cell metadata (schema 3) and the tag by which nbval compares outputs."""
    grade = {"schema_version": 3, "grade_id": name, "locked": False, "task": False}
    if kind == "exercise":
        return {"nbgrader": grade | {"solution": True, "grade": False}}
    if kind == "written":
        return {"nbgrader": grade | {"solution": True, "grade": True,
                                     "points": points(lab, name)}}
    return {"tags": [CHECKED],
            "nbgrader": grade | {"grade_id": f"check-{name}", "solution": False, "grade": True,
                                 "locked": True, "points": points(lab, name)}}


def instructor_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook that nbgrader starts from: the source at ``path``, its badge and setup cell."""
    return stamp(source_notebook(path), student_path(path).relative_to(LABS.parent))


def student_notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook that is handed out: stubs for solutions, no hidden tests, no outputs."""
    notebook, resources = instructor_notebook(path), {}
    config = Config()
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    config.ClearSolutions.text_stub = TEXT_STUB
    for preprocessor in (LockCells, ClearSolutions, ClearOutput, ClearHiddenTests,
                         ComputeChecksums):
        notebook, resources = preprocessor(config=config).preprocess(notebook, resources)
    return notebook


def solved_notebook(path: Path) -> nbformat.NotebookNode:
    """The solved notebook, not executed: the solutions without their markers."""
    notebook, _ = ClearHiddenTests().preprocess(source_notebook(path), {})
    notebook.metadata["checks"] = checks_digest(path)
    for cell in notebook.cells:
        cell.source = MARKER.sub("", cell.source).rstrip("\n")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def checks_digest(path: Path) -> str:
    """SHA-256 of the code that writes what the check cells of a lab print."""
    grading = LABS.parent / "lab_utils" / "grading"
    files = [*grading.glob(f"checks_{path.stem.split('_')[0]}*.py"),
             grading / "checker.py", grading / "grader.py"]
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def refresh_checks(notebook: nbformat.NotebookNode, title: str) -> None:
    """Take over what checks and report print when ``notebook`` runs at the quick budget."""
    from lab_utils.run import execute

    executed = execute(copy.deepcopy(notebook), title=title, budget="quick", out=Path("build"))
    for cell, new in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code" and cell.source.startswith("grader."):
            cell.outputs = new.outputs


def keep_outputs(notebook: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> bool:
    """Copy outputs from an executed notebook with the same code; False where the code differs."""
    def code(nb):
        return [cell for cell in nb.cells if cell.cell_type == "code"]

    if [cell.source for cell in code(notebook)] != [cell.source for cell in code(executed)]:
        return False
    for cell, old in zip(code(notebook), code(executed), strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return True


def text_of(notebook: nbformat.NotebookNode) -> str:
    """The file content of a notebook."""
    return nbformat.writes(notebook) + "\n"


def stale(source: Path) -> list[Path]:
    """The notebooks of ``source`` that do not follow from it."""
    expected = {student_path(source): student_notebook(source),
                solved_path(source): solved_notebook(source)}
    if solved_path(source).exists():
        keep_outputs(expected[solved_path(source)], nbformat.read(solved_path(source), 4))
    return [path for path, wanted in expected.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text_of(wanted)]


def build(source: Path, budget: str, execute_anew: bool) -> None:
    """Write both notebooks of ``source``; the solved one is executed when its cells changed."""
    write_text(student_path(source), text_of(student_notebook(source)))
    solved, path = solved_notebook(source), solved_path(source)
    old = nbformat.read(path, 4) if path.exists() else None
    kept = old is not None and keep_outputs(solved, old)
    if execute_anew or not kept:
        from lab_utils.run import execute
        solved = execute(solved, title=source.stem, budget=budget, out=Path("build"))
    elif old.metadata.get("checks") != solved.metadata["checks"]:
        refresh_checks(solved, source.stem)
    write_text(path, text_of(solved))
    print(f"{source.stem}: written")


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m labs.build",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("--lab", type=int, nargs="+", metavar="N", help="lab numbers, default all")
    parser.add_argument("--execute", action="store_true", help="execute the solved notebooks anew")
    parser.add_argument("--budget", choices=("quick", "full"), default="full")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if one is stale")
    args = parser.parse_args(arguments)
    chosen = [path for path in sources() if not args.lab or int(path.stem[3]) in args.lab]
    if args.check:
        found = [path for source in chosen for path in stale(source)]
        for path in found:
            print(f"{path.relative_to(LABS.parent)} is stale: run 'make notebooks'.")
        return 1 if found else 0
    for source in chosen:
        build(source, args.budget, args.execute)
    return 0


if __name__ == "__main__":
    sys.exit(main())
