"""The README's tables of results, from what full runs and benchmarks recorded.

    python -m labs.tables [--check]

What stands between the two comments ``results`` in ``README.md`` is replaced.
"""

import argparse
import re
import sys

import numpy as np

from benchmarks.frame import Row, cells
from benchmarks.pong_seeds import EARLY
from lab_utils.config import MODELS, ROOT
from lab_utils.faces import TONE_GROUPS
from lab_utils.files import write_text
from lab_utils.results import read_results

README = ROOT / "README.md"
BENCHMARKS = ROOT / "benchmarks" / "results.json"
BETWEEN = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def music(r: dict) -> str:
    """Lab 1: generated tunes beside held-out real ones."""
    return f"""\
| Lab 1, {r["train_steps"]:,} training steps in {r["train_seconds"] / 60:.1f} min | generated | held-out real tunes |
|---|---|---|
| validation bits per character | {r["val_bits_per_char"]:.3f} | |
| samples that are tunes of 8 bars or more ({r["tunes_sampled"]}, temperature 0.5) | \
{100 * r["tunes_valid"] / r["tunes_sampled"]:.0f} % | 100 % |
| bars of the right length | {100 * r["bars_correct"]:.1f} % | {100 * r["bars_correct_held_out"]:.1f} % |
| longest run of notes copied from the training tunes | {r["longest_copied_notes"]} | \
{r["longest_copied_notes_held_out"]} |
| characters a second, one tune / 100 at once | {r["generate_chars_per_second"]:,} / \
{r["generate_chars_per_second_100"]:,} | |
"""  # noqa: E501


def faces(measured: dict) -> str:
    """Lab 2: recall by tone and gap of each detector, over seeds."""
    names = list(measured["gap"])
    lines = [f"| Lab 2, {measured['seeds']} seeds, mean recall at a false-positive rate of "
             f"{measured['false_positive_rate']:.0%} | " + " | ".join(names) + " |",
             "|---|" + "---|" * len(names)]
    for group in TONE_GROUPS:
        lines.append(f"| {group} | " + " | ".join(
            f"{100 * measured['groups'][name][group]['mean']:.1f} %" for name in names) + " |")
    lines.append("| all faces | " + " | ".join(
        f"{100 * measured['overall'][name]['mean']:.1f} %" for name in names) + " |")
    lines.append("| gap, tones 1-2 minus 9-10, points [95 % interval] | " + " | ".join(
        "{:.1f} [{:.1f}, {:.1f}]".format(
            np.mean(100 * np.array(gap["seeds"])), *(100 * x for x in gap["interval_95"]))
        for gap in measured["gap"].values()) + " |")
    return "\n".join(lines) + (
        "\n\nThe oracle may look at the tone of each training face; the DB-VAE may not. It closes "
        f"{measured['closed_of_what_the_oracle_closes']:.0%} of the\ngap that the oracle closes.\n")


def games(r: dict, seeds: dict) -> str:
    """Lab 3: CartPole and Pong; ``seeds`` is what ``benchmarks pong_seeds`` found, by seed."""
    def means(player):
        return ", ".join(f"{sum(run['returns'][player]) / len(run['returns'][player]):+.1f}"
                         for run in seeds.values())
    longest = max(run["seconds"] for run in seeds.values())
    return f"""\
| Lab 3 | training | evaluation |
|---|---|---|
| CartPole-v1 | {r["cartpole_train_seconds"]:.1f} s | mean return {r["cartpole_return_mean"]:.0f} \
of 500 over 100 episodes |
| Pong from pixels, sticky actions {r["pong_sticky"]} | {r["pong_train_seconds"] / 60:.1f} min, \
{r["pong_agent_steps"] / 1e6:.2f} million steps | mean return over {r["pong_games"]} games: \
{r["pong_return_mean"]:+.1f} sampled, {r["pong_return_mean_greedy"]:+.1f} greedy (-21 to 21) |
| Seeds {", ".join(seeds)}, judged over other games | {EARLY / 60:.0f} min | \
{means("early")} sampled |
| | {longest / 60:.1f} min at most | {means("sampled")} sampled; {means("greedy")} greedy |
"""


def peers(measured: dict) -> str:
    """Ours beside each peer that there is a target for, from ``benchmarks/results.json``."""
    lines = ["| Beside a peer, on the same machine in the same run | ours | peer | theirs | "
             "times better | to reach |", "|---|---|---|---|---|---|"]
    for name in sorted(measured):
        for row in (Row(**row) for row in measured[name]["rows"]):
            if row.theirs and row.target is not None:
                lines.append(f"| {name}: " + " | ".join(cells(row)[:6]) + " |")
    return "\n".join(lines) + ("\n\n[benchmarks/README.md](benchmarks/README.md) has all rows, and "
                               "says why a target is missed and how to measure again.\n")


def results() -> str:
    """All tables, Markdown."""
    recorded = {lab: read_results(MODELS / f"{lab}_results.json").get(lab) for lab in
                ("lab1", "lab3")}
    benchmark = read_results(MODELS / "lab2_benchmark.json")
    measured = read_results(BENCHMARKS)
    seeds = measured["pong_seeds"]["details"]["seeds"]
    parts = [music(recorded["lab1"]), faces(benchmark), games(recorded["lab3"], seeds),
             peers(measured)]
    return "\n" + "\n".join(parts) + "\n"


def updated(text: str) -> str:
    """The README with the tables of today."""
    return BETWEEN.sub(lambda match: match[1] + results() + match[2], text)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m labs.tables",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if they are stale")
    args = parser.parse_args(arguments)
    text = README.read_text(encoding="utf-8")
    if updated(text) == text:
        return 0
    if args.check:
        print("The tables in README.md are stale: run 'make notebooks'.")
        return 1
    write_text(README, updated(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
