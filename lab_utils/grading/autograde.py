"""nbgrader's execution step for these labs; ``python -m labs.course`` configures it.

Nothing of a submission runs in nbgrader's own process or kernel: the examiner of ``python -m
lab_utils grade`` does the work, and each check cell gets its verdict as output, an error where the
answer did not pass.
"""

import tempfile
from pathlib import Path

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Integer

from ..errors import LabError
from .registry import POINTS
from .slots import Slot

NOT_RUN = "Not run: grading does not need this cell."


class ExecuteGraded(NbGraderPreprocessor):
    """Grade the notebook in a confined process, and write the verdicts into its check cells."""

    timeout = Integer(120, help="seconds for one cell with its checks").tag(config=True)
    seconds = Integer(300, help="seconds for one submission").tag(config=True)
    gigabytes = Float(8.0, help="memory of one submission").tag(config=True)
    _slot: Slot | None = None   # of the class: kept from one submission to the next

    def preprocess(self, nb, resources):
        """Fill in the outputs of ``nb``.

        Raises:
            LabError: if a check cell is not one of the lab's.
        """
        lab = resources["unique_key"].split("_")[0]
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        checks = {index: cell.metadata.nbgrader.grade_id.removeprefix("check-")
                  for index, cell in enumerate(code) if is_check(cell)}
        for name in checks.values():
            if name not in POINTS.get(lab, {}):
                raise LabError(f"The check {name!r} is not one of {lab}: checks are written in "
                               "lab_utils/grading, see docs/instructors.md.")
        result = self._grade(nb, lab)
        self.log.info("%s of %s points. %s", result["earned"], result["points"],
                      "; ".join(result["notes"]))
        for index, cell in enumerate(code):
            if index in checks:
                cell.outputs = verdict(result["exercises"][checks[index]])
            elif index not in result["ran"]:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout",
                                                       text=NOT_RUN + "\n")]
        return nb, resources

    def _grade(self, nb: nbformat.NotebookNode, lab: str) -> dict:
        limits = {"seconds": self.seconds, "cell_seconds": self.timeout,
                  "gigabytes": self.gigabytes, "seed": None}
        if ExecuteGraded._slot is None or ExecuteGraded._slot.limits != limits:
            ExecuteGraded._slot = Slot(limits)
        with tempfile.TemporaryDirectory(prefix="submission-") as folder:
            path = Path(folder) / f"{lab}.ipynb"   # by its name the examiner knows the lab
            nbformat.write(nb, path)
            return ExecuteGraded._slot.grade(path)


def is_check(cell: nbformat.NotebookNode) -> bool:
    """Whether nbgrader scores a cell by its outputs."""
    data = cell.metadata.get("nbgrader", {})
    return bool(data.get("grade")) and not data.get("solution")


def verdict(row: dict) -> list[nbformat.NotebookNode]:
    """The outputs by which nbgrader scores a check cell: all points without an error, else none."""
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=row["report"] + "\n")]
    if not row["earned"]:
        outputs.append(nbformat.v4.new_output("error", ename="NotPassed", evalue=row["reason"],
                                              traceback=[row["reason"]]))
    return outputs
