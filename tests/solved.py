"""The functions and classes of a lab's source, solutions included, without running the lab."""

import ast
import contextlib
import linecache
from types import SimpleNamespace

from labs import build

KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def definitions(lab: str) -> SimpleNamespace:
    """Everything that the cells of ``lab`` (such as "lab1") import or define, and its settings."""
    source = next(path for path in build.sources() if path.stem.startswith(lab))
    names: dict = {"__name__": f"solved_{lab}"}
    cells = [cell for cell in build.solved_notebook(source).cells if cell.cell_type == "code"]
    for node in (node for cell in cells for node in ast.parse(cell.source).body):
        if isinstance(node, KEPT) or _is_setting(node) or _is_quiet_import(node):
            text, file = ast.unparse(node), f"<{lab}: {len(linecache.cache)}>"
            # TensorFlow's AutoGraph reads the source of what it compiles.
            linecache.cache[file] = (len(text), None, text.splitlines(True), file)
            with contextlib.suppress(NameError):   # a default that the lab computes
                exec(compile(text, file, "exec"), names)
    return SimpleNamespace(**names)


def _is_setting(node: ast.stmt) -> bool:
    """``CONFIG = ...`` or ``CONFIG["quick"] = ...``"""
    if not isinstance(node, ast.Assign):
        return False
    names = [target.value if isinstance(target, ast.Subscript) else target
             for target in node.targets]
    return all(isinstance(name, ast.Name) and name.id.isupper() for name in names)


def _is_quiet_import(node: ast.stmt) -> bool:
    """``with quiet_start(): import ...``"""
    return isinstance(node, ast.With) and all(isinstance(inner, ast.Import) for inner in node.body)
