"""Which cells of a submitted notebook have to run before its answers can be checked.

Cells that train, compose or plot with an answer take minutes and earn nothing. What runs is: the
answers, their checks, and the cells that define a name which something that runs reads: imports,
settings, a student's own helpers. Left out is every cell that, as it runs, uses an answer, or a
name that another such cell would have defined.
"""

import ast
import re
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_TIMED = re.compile(r"^%%?(time|timeit|capture)\b[ \t]*", re.MULTILINE)   # these run what follows
_UNKNOWN = {"*", "get_ipython", "exec", "globals", "setattr"}   # these may define anything


@dataclass
class _Names:
    """The names that a cell has to do with."""

    now: set[str] = field(default_factory=set)                    # read as the cell runs
    later: dict[str, set[str]] = field(default_factory=dict)      # definition -> read in its body
    bound: set[str] = field(default_factory=set)                  # defined or changed

    def uses(self) -> set[str]:
        """What running the cell needs; a definition that it also calls runs its body."""
        return self.now.union(*(self.later[name] for name in self.now & self.later.keys()))


def needed(sources: Iterable[tuple[str, bool]], answers: Iterable[str]) -> list[bool]:
    """Whether each code cell has to run, in order.

    Args:
        sources: for each cell its text, and whether it runs in any case (answers, checks).
        answers: ids of the exercises.
    """
    sources = list(sources)
    cells = [_names(text) for text, _ in sources]
    runs = [always for _, always in sources]
    waiting, possible = set(answers), []   # waiting: using these is work that grading can spare
    for cell, always in zip(cells, runs, strict=True):
        possible.append(always or not (cell.uses() & waiting))
        waiting |= {name for name in cell.bound
                    if not possible[-1] or cell.later.get(name, set()) & waiting}
    wanted = set(_UNKNOWN)
    while True:
        for cell, run in zip(cells, runs, strict=True):
            if run:
                wanted |= cell.now.union(*cell.later.values())
        more = [run or (can and bool((cell.bound | (cell.now & _UNKNOWN)) & wanted))
                for cell, run, can in zip(cells, runs, possible, strict=True)]
        if more == runs:
            return runs
        runs = more


def _names(text: str) -> _Names:
    """The names of one cell, IPython's magics allowed for; none where it is no Python."""
    names = _Names()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            if not isinstance(node, ast.Lambda):
                names.bound.add(node.name)
                names.later[node.name] = _read(node)
            if isinstance(node, ast.ClassDef):
                outside = [*node.decorator_list, *node.bases]
            else:
                outside = [*getattr(node, "decorator_list", []), *node.args.defaults,
                           *filter(None, node.args.kw_defaults)]
            for outer in outside:
                visit(outer)
            return
        if isinstance(node, ast.Name):
            (names.bound if isinstance(node.ctx, ast.Store) else names.now).add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.bound.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            names.bound.add(_root(node))              # settings["x"] = 1
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            names.bound.add(_root(node.value.func))   # layers.append(1)
        for child in ast.iter_child_nodes(node):
            visit(child)

    try:
        visit(ast.parse(TransformerManager().transform_cell(_TIMED.sub("", text))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Names()
    return names


def _root(node: ast.AST) -> str:
    """The name that an attribute or item belongs to; empty where it is none."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
        if isinstance(node, ast.Name):
            return node.id
    return ""


def _read(node: ast.AST) -> set[str]:
    """Names that a definition reads from outside: its parameters and own variables are not."""
    names, tables = set(), [symtable.symtable(ast.unparse(node), "<cell>", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        if table.get_type() != "module":
            names |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return names
