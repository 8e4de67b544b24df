"""Command line: ``python -m lab_utils run | grade | data | doctor``."""

import argparse
import importlib
import sys

from .errors import LabError

COMMANDS = {
    "run": ("lab_utils.run", "execute the solved labs and gather what they make"),
    "grade": ("lab_utils.grading.cli", "grade submitted notebooks"),
    "data": ("lab_utils.faces.cli", "verify or build the data sets"),
    "doctor": ("lab_utils.doctor", "say whether this machine has what the labs need"),
}


def main(arguments: list[str] | None = None) -> int:
    """Dispatch to the module of the command; a LabError is one line and exit code 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m lab_utils", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in arguments if word in COMMANDS), None)
    module = None
    for name, (module_name, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == chosen:   # only what is asked for is imported
            module = importlib.import_module(module_name)
            module.add_arguments(command)
    args = parser.parse_args(arguments)
    try:
        return module.main(args)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What was done is kept.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
