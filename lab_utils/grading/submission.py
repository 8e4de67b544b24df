"""Read a submitted notebook, and put its result together."""

import ast
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from .cells import needed
from .registry import POINTS, exercises, points

MAX_FILE = 2 ** 28      # bytes of a notebook, outputs and pictures included
MAX_CODE = 2 ** 19      # characters of all its code cells


class Unreadable(Exception):
    """The file is not a notebook that can be graded; the message says why."""


@dataclass
class Submission:
    """What of a notebook is run and checked.

    Attributes:
        file: where it came from.
        lab: "lab1", ...; None if it cannot be told.
        cells: text of each code cell, None for one that is left out.
        checks: exercise -> index of the cell after which it is checked.
    """

    file: str
    lab: str | None
    cells: list[str | None]
    checks: dict[str, int]

    @classmethod
    def unreadable(cls, path: Path, reason: str) -> "Submission":
        """What stands for a file that is no notebook."""
        return cls(str(path), lab_by_name(path), [], {})

    def result(self, found: dict[str, dict], notes: list[str], seed: int, seconds: float) -> dict:
        """Points of each exercise and in all, with the reasons where there are none."""
        rows = {}
        for name in exercises(self.lab) if self.lab else ():
            if name.startswith("written_"):
                continue
            event = found.get(name, {"passed": False, "reason": "no answer that could be checked"})
            worth, passed = points(self.lab, name), event["passed"] is True
            rows[name] = {"points": worth, "earned": worth if passed else 0,
                          "reason": event["reason"],
                          "report": event.get("report") or f"[FAIL] {name}: {event['reason']}"}
        return {"file": self.file, "lab": self.lab,
                "earned": sum(row["earned"] for row in rows.values()),
                "points": sum(row["points"] for row in rows.values()), "exercises": rows,
                "ran": [index for index, text in enumerate(self.cells) if text is not None],
                "notes": notes, "seed": seed, "seconds": round(seconds, 2)}


def lab_by_name(path: Path) -> str | None:
    """The lab that a file's name names."""
    return next((name for name in POINTS if name in path.name.lower()), None)


def read(path: Path) -> Submission:
    """What to run and check.

    Raises:
        Unreadable: if the file is not a notebook, or too large.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise Unreadable(f"this is larger than {MAX_FILE >> 20} MB")
        return understand(path, path.read_bytes())
    except OSError as error:
        raise Unreadable(f"this cannot be read: {error.strerror}") from error


def understand(path: Path, data: bytes) -> Submission:
    """As ``read``, of a file's contents."""
    texts = _code_cells(data)
    bound = [_defined(text) for text in texts]
    everything = set().union(*bound) if bound else set()
    lab = lab_by_name(path) or max(POINTS, key=lambda name: len(everything & set(POINTS[name])))
    answers = [name for name in exercises(lab) if not name.startswith("written_")]
    checks: dict[str, int] = {}
    for index, names in enumerate(bound):   # the last definition counts
        checks |= {name: index for name in answers if name in names}
    runs = needed([(text, bool(names & set(answers)))
                   for text, names in zip(texts, bound, strict=True)], answers)
    return Submission(str(path), lab, [text if run else None for text, run in
                                       zip(texts, runs, strict=True)], checks)


def slim(data: bytes) -> bytes:
    """A notebook without its outputs and pictures; what is none stays as it is."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
        for cell in notebook["cells"]:
            cell.pop("outputs", None)
            cell.pop("attachments", None)
        return json.dumps(notebook).encode()
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return data


def _code_cells(data: bytes) -> list[str]:
    """Text of each code cell; that of check cells is empty, as the instructor's run instead."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"this is not a notebook: {error}"[:200]) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("this is not a notebook: it has no list of cells (nbformat 4)")
    texts = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source, metadata = cell.get("source"), cell.get("metadata")
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        data = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        check = isinstance(data, dict) and data.get("grade") and not data.get("solution")
        text = source if isinstance(source, str) and not check else ""
        # What UTF-8 cannot hold cannot be Python either.
        texts.append(text.encode("utf-8", "replace").decode())
    if sum(map(len, texts)) > MAX_CODE:
        raise Unreadable(f"this has more than {MAX_CODE:,} characters of code")
    return texts


def _defined(text: str) -> set[str]:
    """Functions and classes, and names assigned, at the top level of a cell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(TransformerManager().transform_cell(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
