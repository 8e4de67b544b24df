"""Where things are, and how long trainings may take."""

import os
from pathlib import Path

from .errors import LabError

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
MODELS = DATA / "models"
BUDGETS = ("quick", "full")


def budget() -> str:
    """The training budget, from the environment variable ``LAB_BUDGET``.

    ``full`` (the default) is what a student runs; ``quick`` is for tests and a first look.

    Raises:
        LabError: if the variable holds anything else.
    """
    value = os.environ.get("LAB_BUDGET", "full")
    if value not in BUDGETS:
        raise LabError(f"LAB_BUDGET is {value!r}: set it to 'quick' or 'full'.")
    return value


def output_dir() -> Path:
    """The folder that a notebook writes its files to: ``LAB_OUT``, or ``build`` here; made.

    Raises:
        LabError: if it cannot be made.
    """
    return made(Path(os.environ.get("LAB_OUT", "build")))


def made(folder: Path) -> Path:
    """``folder``, which is made unless it is there.

    Raises:
        LabError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"{folder} cannot be made ({error.strerror}): choose another folder "
                       "with LAB_OUT.") from error
    return folder
