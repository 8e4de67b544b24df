"""``python -m lab_utils grade FILE_OR_FOLDER...``: grade submitted notebooks.

Cells that train are left out, and the instructor's checks take the place of check cells. Each
result is written as soon as it is known; the same command goes on where it was stopped.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm.auto import tqdm

from ..errors import LabError
from ..files import write_text
from .report import as_csv, as_html
from .slots import Slots


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command ``grade``."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER",
                        help="notebooks, or folders that hold some")
    parser.add_argument("--out", type=Path, default=Path("grades"),
                        help="folder of the results and reports, default grades")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
                        help="submissions at once, default one a core")
    parser.add_argument("--again", action="store_true", help="grade anew what has a result")
    parser.add_argument("--seconds", type=float, default=300, help="limit of a submission")
    parser.add_argument("--cell-seconds", type=float, default=120,
                        help="limit of a cell with its checks")
    parser.add_argument("--memory", type=float, default=8, metavar="GB",
                        help="limit of a submission, default 8")
    parser.add_argument("--seed", type=int, help="of the checks' inputs, to repeat a result; "
                        "by default another one for each submission, noted in its result")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="of a Dask cluster that grades, such as tcp://host:8786")


def main(args: argparse.Namespace) -> int:
    """Grade, write ``report.csv`` and ``report.html``; returns the exit code.

    Raises:
        LabError: if there is nothing to grade.
    """
    files = find(args.paths)
    results, waiting = {}, {}
    for path in files:
        kept = args.out / "results" / f"{digest(path)}.json"
        if kept.exists() and not args.again:
            results[path] = json.loads(kept.read_text(encoding="utf-8")) | {"file": str(path)}
        else:
            waiting[path] = kept
    limits = {"seconds": args.seconds, "cell_seconds": args.cell_seconds,
              "gigabytes": args.memory, "seed": args.seed}
    isolation = {}
    if args.scheduler and waiting:
        from .cluster import graded as graded_there
        graded = graded_there(list(waiting), limits, args.scheduler)
    else:
        graded = graded_here(list(waiting), limits, args.jobs, isolation)
    try:
        for path, result in tqdm(graded, total=len(waiting), desc="grading", unit="submission",
                                 disable=args.json):
            results[path] = result
            write_text(waiting[path], json.dumps(result, indent=2) + "\n")
    finally:
        graded.close()
        ordered = [results[path] for path in files if path in results]
        write_text(args.out / "report.csv", as_csv(ordered))
        write_text(args.out / "report.html", as_html(ordered, isolation))
    if args.json:
        print(json.dumps(ordered, indent=2))
    else:
        _print(ordered, isolation, args.out)
    return 0


def _print(results: list[dict], isolation: dict[str, bool], out: Path) -> None:
    for result in results:
        print(f"{result['earned']:4} of {result['points']:3}  {result['file']}  "
              f"{'; '.join(result['notes'])[:120]}")
    missing = [what for what, there in isolation.items() if not there]
    if missing:
        print(f"This machine does not allow: {', '.join(missing)}. Grade under an account that "
              "owns nothing.")
    print(f"Written: {out / 'report.csv'} and report.html")


def find(paths: list[Path]) -> list[Path]:
    """The notebooks among and below ``paths``, each once.

    Raises:
        LabError: if there is none.
    """
    files = []
    for path in paths:
        if path.is_dir():
            files += [file for file in sorted(path.rglob("*.ipynb"))
                      if ".ipynb_checkpoints" not in file.parts and file.is_file()]
        elif path.is_file():
            files.append(path)
        else:
            raise LabError(f"{path}: there is no such file or folder.")
    if not files:
        raise LabError("There is no notebook (.ipynb) to grade there.")
    return list(dict.fromkeys(files))


def digest(path: Path) -> str:
    """A name for a submission: another path or other contents have another."""
    text = hashlib.sha256(str(path.resolve()).encode() + b"\0" + path.read_bytes())
    return f"{path.stem[:60]}-{text.hexdigest()[:16]}"


def graded_here(files: list[Path], limits: dict, jobs: int, isolation: dict
                ) -> Iterator[tuple[Path, dict]]:
    """Each file and its result, as they come; ``isolation`` is filled on the way."""
    if not files:
        return
    with Slots(min(jobs, len(files)), limits) as slots:
        pool = ThreadPoolExecutor(min(jobs, len(files)))
        work = {pool.submit(slots.grade, path): path for path in files}
        try:
            for job in as_completed(work):
                yield work[job], job.result()
                isolation.update(slots.isolation)
        finally:   # also where the command is stopped: nothing new begins, what runs is ended
            pool.shutdown(wait=False, cancel_futures=True)
