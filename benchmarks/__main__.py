"""Measure speed and learning against named peers.

    python -m benchmarks NAME... [--json] [--repeat N] [--full]

Prints the table, and keeps the latest result of each NAME in ``benchmarks/results.json`` and
``benchmarks/README.md``.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

from lab_utils.errors import LabError
from lab_utils.quiet import quiet_start

from .frame import CLOCK, FOLDER, SCALES, Load, store, table

NAMES = {
    "lstm_step": "the training step of Lab 1",
    "music_to_loss": "seconds to 1.80 bits a character",
    "generate": "writing tunes, one and 100 at once",
    "vae_step": "the DB-VAE's training step, and one resampling",
    "cartpole": "CartPole until it is solved",
    "pong": "Pong's return over time",
    "pong_seeds": "Pong's return in full games, over seeds",
    "debias": "gaps of the detectors of Lab 2 over seeds",
    "check": "all checks of each lab",
    "grade": "submissions graded a minute",
    "startup": "import lab_utils",
    "scaling": "growth of time and memory, with figures",
}


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    names = "\n".join(f"  {name:14} {what}" for name, what in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.split("\n")[0],
        epilog=f"names:\n{names}", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="+", choices=NAMES, metavar="NAME", help="see below")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--repeat", type=int, metavar="N",
                        help="turns (default 5; 1 for a training)")
    parser.add_argument("--full", dest="scale", action="store_const", const="full",
                        default="default", help="the long form, where there is one")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall",
                        help="cpu: one thread's processor time, where other programs run too")
    parser.add_argument("--scale", choices=SCALES, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR",
                        help="where results.json and README.md are kept")
    args = parser.parse_args(arguments)
    if args.repeat is not None and args.repeat < 1:
        parser.error("--repeat needs a positive number")
    if args.clock == "cpu":   # before TensorFlow and PyTorch are imported
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS",
                     "MKL_NUM_THREADS"):
            os.environ[name] = "1"
        os.environ[CLOCK] = "cpu"
    measured = {}
    try:
        for name in args.name:
            started, load = time.perf_counter(), Load()
            with quiet_start():
                module = importlib.import_module(f"{__package__}.{name}")
            repeat = args.repeat or getattr(module, "REPEAT", 5)
            result = module.run(repeat, args.scale)
            measured[name] = store(name, result, args.scale, time.perf_counter() - started,
                                   load.others(), args.out)
    except LabError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Results of the names that were done are kept.", file=sys.stderr)
        return 130
    print(json.dumps(measured, indent=1) if args.json else table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
