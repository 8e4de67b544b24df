"""Fuzz the tunes or the loaders.

    python -m tests.fuzz tunes|files [--count N] [--seed S] [--block B]

Runs N examples in processes of B examples each; block i has seed S + i, so that each can be run
again by itself. A process that crashes or hangs is reported with the example under way. Prints the
outcomes; exit code 0 when nothing was found.
"""

import argparse
import collections
import faulthandler
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

HANG = 60   # seconds without an end of one example: the process is ended


def block(what: str, count: int, number: int, notes: Path) -> None:
    """Run ``count`` examples in this process; writes outcomes, and each example before its try."""
    if what == "tunes":
        from tests.fuzz.tunes import like_abc as strategy
        from tests.fuzz.tunes import try_text as attempt
        attempt("K:G\nABc")   # what is imported late is no part of an example's time
    else:
        from tests.fuzz.damage import KINDS, pristine
        from tests.fuzz.damage import damages as strategy
        from tests.fuzz.damage import try_file as attempt
        for kind in KINDS:
            pristine(kind)
    outcomes = collections.Counter()

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, report_multiple_bugs=True,
              suppress_health_check=list(HealthCheck), print_blob=False,
              phases=(Phase.generate, Phase.shrink))
    @given(strategy())
    def run(case):
        (notes / "case").write_text(repr(case), encoding="utf-8", errors="backslashreplace")
        faulthandler.dump_traceback_later(HANG, exit=True)
        outcomes[attempt(case)] += 1

    try:
        run()
    finally:
        faulthandler.cancel_dump_traceback_later()
        (notes / "outcomes").write_text(json.dumps(outcomes))


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("tunes", "files"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--block", type=int, default=500)
    parser.add_argument("--notes", type=Path, help=argparse.SUPPRESS)   # of one block
    args = parser.parse_args()
    if args.notes:
        block(args.what, args.count, args.seed, args.notes)
        return 0
    total, failed, started = collections.Counter(), 0, time.perf_counter()
    for first in range(0, args.count, args.block):
        count, number = min(args.block, args.count - first), args.seed + first // args.block
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", args.what, "--count", str(count), "--seed",
                 str(number), "--notes", folder], capture_output=True, text=True)
            outcomes = Path(folder) / "outcomes"
            if outcomes.exists():
                total.update(json.loads(outcomes.read_text()))
            if done.returncode:
                failed += 1
                case = Path(folder) / "case"
                print(f"block of seed {number} ended with code {done.returncode}\n{done.stdout}\n"
                      f"{done.stderr[-6000:]}\nlast example: "
                      f"{case.read_text(encoding='utf-8') if case.exists() else 'none'}")
        print(f"{first + count:,} of {args.count:,} examples, {failed} blocks with a finding, "
              f"{time.perf_counter() - started:.0f} s", flush=True)
    for outcome, number in total.most_common():
        print(f"{number:7,} {outcome}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
