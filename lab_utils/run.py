"""Execute the solved notebooks without a display and gather what they make in one folder."""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from tqdm.auto import tqdm

from .config import BUDGETS, ROOT, made
from .errors import LabError
from .files import write_text

SOLUTIONS = ROOT / "labs" / "solutions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m lab_utils run``."""
    parser.add_argument("--lab", type=int, nargs="+", metavar="N", help="lab numbers, default all")
    parser.add_argument("--budget", choices=BUDGETS, default="quick",
                        help="quick: a look in minutes; full: all trainings (default: quick)")
    parser.add_argument("--out", type=Path, default=Path("build"), metavar="DIR",
                        help="folder for notebooks, sound, video, models, results (default: build)")


def main(args: argparse.Namespace) -> int:
    """Execute the chosen labs; 0 only when every cell of each ran."""
    paths = sorted(SOLUTIONS.glob("lab*.ipynb"))
    if args.lab:
        known = {int(path.stem[3]) for path in paths}
        if unknown := set(args.lab) - known:
            raise LabError(f"There is no lab {min(unknown)}: choose from "
                           f"{', '.join(map(str, sorted(known)))}.")
        paths = [path for path in paths if int(path.stem[3]) in args.lab]
    if not paths:
        raise LabError(f"No notebooks in {SOLUTIONS}: run 'make notebooks' first.")
    failed = []
    for path in paths:
        started = time.perf_counter()
        try:
            execute(nbformat.read(path, 4), title=path.stem, budget=args.budget, out=args.out)
            outcome = "every cell ran"
        except LabError as error:
            failed.append(path.stem)
            outcome = f"stopped. {error}"
        print(f"{path.stem}: {outcome} ({time.perf_counter() - started:.0f} s)", flush=True)
    print(f"What they made is in {args.out.resolve()}")
    return 1 if failed else 0


def execute(notebook: nbformat.NotebookNode, title: str, budget: str,
            out: Path) -> nbformat.NotebookNode:
    """Execute ``notebook`` in place with a bar by cell; write it and its HTML page to ``out``.

    The notebook runs in ``labs/`` with ``LAB_BUDGET`` and ``LAB_OUT`` set. What ran before a
    failure or an interruption is written too.

    Raises:
        LabError: when a cell raised an exception; says which.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    out = made(Path(out).resolve())
    environment = os.environ | {
        "LAB_BUDGET": budget, "LAB_OUT": str(out), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    client = NotebookClient(notebook, timeout=None, kernel_name="python3",
                            extra_arguments=["--IPKernelApp.log_level=40"],   # errors only
                            resources={"metadata": {"path": str(ROOT / "labs")}},
                            coalesce_streams=True)   # of a progress bar, the last state
    bar = tqdm(total=len(notebook.cells), desc=title, unit="cell", file=sys.stdout,
               disable=None if budget == "quick" else False)
    try:
        with client.setup_kernel(env=environment):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                bar.update()
    except CellExecutionError as error:
        raise LabError(f"Cell {index} of {title} failed with {error.ename}: {error.evalue}. "
                       f"See {out / (title + '.ipynb')}.") from error
    except DeadKernelError as error:
        raise LabError(f"The Python process of {title} died at cell {index}, perhaps for lack of "
                       "memory: close other programs and run again.") from error
    finally:
        bar.close()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)   # times of each cell: noise in a diff
            if cell.cell_type == "code":           # what a bar that was cleared leaves behind
                cell.outputs = [output for output in cell.get("outputs", [])
                                if output.output_type != "stream" or output.text.strip()]
        _save(notebook, title, out)
    return notebook


def _save(notebook: nbformat.NotebookNode, title: str, out: Path) -> None:
    from nbconvert import HTMLExporter

    notebook = nbformat.from_dict(notebook)
    write_text(out / f"{title}.ipynb", nbformat.writes(notebook) + "\n")
    page, _ = HTMLExporter().from_notebook_node(notebook, {"metadata": {"name": title}})
    write_text(out / f"{title}.html", page)
