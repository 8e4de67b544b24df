"""The numbers of a run, gathered in one ``results.json``."""

import json
import os
from pathlib import Path

from .config import output_dir
from .errors import LabError
from .files import write_text


def read_results(path: str | os.PathLike) -> dict:
    """Read a ``results.json``; an absent file is an empty dictionary."""
    path = Path(path)
    if not path.exists():
        return {}
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise LabError(f"{path} is damaged and cannot be read: delete it and run again.") from error
    if not isinstance(results, dict):
        raise LabError(f"{path} does not hold a table of results: delete it and run again.")
    return results


def record(lab: str, **values) -> dict:
    """Set ``values`` under ``lab`` (such as "lab1") in ``results.json`` of the output folder.

    What earlier cells recorded for the lab stays. Returns all of the lab's results.
    """
    path = output_dir() / "results.json"
    results = read_results(path)
    results.setdefault(lab, {}).update(values)
    write_text(path, json.dumps(results, indent=2, sort_keys=True) + "\n")
    return results[lab]
