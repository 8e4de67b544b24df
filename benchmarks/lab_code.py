"""The labs' own code for the benchmarks: what is timed is what students run."""

import ast
import contextlib
import io
import linecache
import re
from pathlib import Path

from lab_utils import quiet_start
from lab_utils.config import ROOT
from lab_utils.errors import LabError
from lab_utils.grading.cells import needed

CELL = re.compile(r"^# %%", re.MULTILINE)
EXERCISE = re.compile(r'^ exercise="(\w+)"')


def functions(lab: str, *names: str, also: tuple[str, ...] = ()) -> dict:
    """Run the solved exercises ``names`` of a lab, and the cells that they need, imports first.

    ``also`` names functions that other cells define, such as trainings; those cells run too.

    Returns what they define. The functions find each other there, so that replacing, say,
    ``FastLSTM`` in it changes what ``build_model`` builds.

    Raises:
        LabError: if the lab or an exercise is missing.
    """
    path = _source(lab)
    text = path.read_text(encoding="utf-8")
    cells = [cell.split("\n", 1) for cell in CELL.split(text)[1:]]
    code = [(EXERCISE.match(head), body) for head, body in cells if "[markdown]" not in head]
    written = [match[1] for match, _ in code if match]
    if missing := [name for name in names if name not in written]:
        raise LabError(f"{path.name} has no exercise {missing[0]!r}.")
    defining = [re.compile(rf"^def {name}\(", re.MULTILINE) for name in also]
    if absent := [name for name, pattern in zip(also, defining, strict=True)
                  if not any(pattern.search(body) for _, body in code)]:
        raise LabError(f"{path.name} defines no function {absent[0]!r}.")
    runs = needed([(body, bool(match and match[1] in names)
                    or any(pattern.search(body) for pattern in defining))
                   for match, body in code], written)
    namespace = {"__name__": lab}
    with quiet_start(), contextlib.redirect_stdout(io.StringIO()):
        for index, ((match, body), run) in enumerate(zip(code, runs, strict=True)):
            if run:   # each cell has a name of its own, by which its text is found
                _execute(body, f"<{lab} {match[1] if match else index}>", namespace)
    return namespace


def settings(lab: str) -> dict:
    """The lab's settings for a full run: its ``CONFIG = {"full": dict(...), ...}``.

    Raises:
        LabError: if the lab is missing or has none.
    """
    for node in ast.walk(ast.parse(_source(lab).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and any(
                isinstance(target, ast.Name) and target.id == "CONFIG" for target in node.targets):
            return eval(compile(ast.Expression(node.value), lab, "eval"), {"dict": dict})["full"]
    raise LabError(f"labs/source has no CONFIG for {lab}.")


def _source(lab: str) -> Path:
    paths = sorted((ROOT / "labs" / "source").glob(f"{lab}_*.py"))
    if not paths:
        raise LabError(f"labs/source holds no {lab}: choose a lab that is there.")
    return paths[0]


def _execute(source: str, name: str, namespace: dict) -> None:
    # As in a notebook, the text stays at hand: tf.function reads it to compile loops.
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), namespace)
