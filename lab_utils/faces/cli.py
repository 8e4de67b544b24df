"""``python -m lab_utils data verify | build``."""

import argparse
from pathlib import Path

from ..errors import LabError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command ``data``."""
    parser.add_argument("action", choices=("verify", "build"),
                        help="verify: check the data sets; build: render the face data set")
    parser.add_argument("--folder", type=Path, help="another folder than data/faces")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="build only this fraction of the pictures (0 to 1; needs --folder)")


def main(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        LabError: if the data are wrong or an argument is.
    """
    from .build import FOLDER, build, verify

    if not 0 < args.scale <= 1:
        raise LabError(f"--scale {args.scale}: give a fraction above 0, at most 1.")
    folder = args.folder or FOLDER
    if args.action == "build":
        if args.scale < 1 and args.folder is None:
            raise LabError("--scale needs --folder: the shipped set is not replaced by a part.")
        build(folder, args.scale)
    for line in verify(folder):
        print(line)
    return 0
