"""Unfinished answers do not hide the lesson.

In a student notebook an exercise that is not written yet raises ``NotImplementedError``. After
``install()`` a cell that runs into one prints a single ``[TODO]`` line instead of a traceback and
counts as run, so that "Run All" goes on. Names which such a cell would have defined are
remembered: a later cell that misses one of them prints a ``[TODO]`` line too.
"""

import ast
import sys

_installed = False
_missing: dict[str, str] = {}   # name -> the answer it waits for
_todo: dict = {"error": None, "answer": None}


def install() -> None:
    """Register with the running IPython shell; does nothing outside IPython."""
    global _installed
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None or _installed:
        return
    shell.set_custom_exc((NotImplementedError, NameError), _show)
    shell.events.register("post_run_cell", _after_cell)
    _installed = True


def _unfinished_function(traceback) -> str:
    """Name of the innermost function of the notebook, the one whose body is still a stub."""
    name = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        in_notebook = traceback.tb_frame.f_globals.get("__name__") == "__main__"
        if in_notebook and code.co_name != "<module>":
            owner = traceback.tb_frame.f_locals.get("self")
            name = type(owner).__name__ if owner is not None else code.co_name
        traceback = traceback.tb_next
    # tf.function traces a copy that AutoGraph names tf__NAME.
    return (name or "an answer above").removeprefix("tf__")


def _show(shell, kind, error, traceback, tb_offset=None):
    """IPython's custom exception handler: one line for a stub, the usual traceback otherwise."""
    if isinstance(error, NameError):
        answer = _missing.get(getattr(error, "name", None))
        if answer is None:
            shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
            return None
        text = f"[TODO] {error.name} comes from a cell that waits for {answer}."
    else:
        answer = _unfinished_function(traceback)
        text = f"[TODO] This cell needs {answer}, which is not written yet."
    print(text)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")   # else the cell shows a figure that it did not get to draw in
    _todo.update(error=error, answer=answer)
    return None


def _after_cell(result) -> None:
    """Forgive the cell its stub; remember the names it did not define."""
    source = getattr(result.info, "raw_cell", "") or ""
    if result.error_in_exec is None or result.error_in_exec is not _todo["error"]:
        if result.success:
            for name in _bound_names(source):
                _missing.pop(name, None)
        return
    from IPython import get_ipython
    defined = get_ipython().user_ns
    for name in _bound_names(source):
        if name not in defined:
            _missing[name] = _todo["answer"]
    _todo.update(error=None, answer=None)
    result.error_in_exec = None


def _bound_names(source: str) -> set[str]:
    """Names that the top level of a cell would bind."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):   # magics, or no Python at all
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return names
