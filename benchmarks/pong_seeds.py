"""Pong from pixels over seeds: what the lab's training reaches in four minutes, and at its end.

Judged apart from the training, in full games on the standard protocol (sticky actions 0.25). The
default trains one seed, ``--full`` three. Finished seeds are kept, so an interrupted run goes on.
"""

import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lab_utils.rl import pong

from .frame import Result, Row
from .lab_code import functions
from .seeds import over_seeds

SEEDS = {"tiny": 1, "default": 1, "full": 3}
EARLY = 240      # seconds
KEPT = Path("build") / "pong_seeds.json"


def run(repeat: int, scale: str) -> Result:
    """Train and judge; a row gives the worst seed, its note all of them."""
    lab = functions("lab3", also=("train_pong",))
    if scale == "tiny":
        lab["PONG"].update(envs=4, steps=32, updates=2, minibatch=64, games=1,
                           game_steps=200)
    seeds = range(1, SEEDS[scale] + 1)
    runs = over_seeds(seeds, lambda seed: one_seed(lab, seed), lab["PONG"],
                      None if scale == "tiny" else KEPT)
    seconds = max(run["seconds"] for run in runs)
    rows = []
    for name, case, target in (("early", f"after {EARLY} s, sampled", 0),
                               ("sampled", f"after {seconds:.0f} s at most, sampled", 15),
                               ("greedy", f"after {seconds:.0f} s at most, greedy", 15)):
        means = [np.mean(run["returns"][name]) for run in runs]
        rows.append(Row(f"Pong {case}, worst of {len(runs)} seeds", "mean return", [min(means)],
                        target=target, note=", ".join(f"{mean:+.1f}" for mean in means)))
    return Result(rows, {"seeds": {str(seed): run for seed, run in zip(seeds, runs, strict=True)}})


def one_seed(lab: dict, seed: int) -> dict:
    """Seconds, updates, and the returns of the games of each player."""
    update, started, early = lab["ppo_update"], time.perf_counter(), {}

    def timed(model, *rest):
        loss = update(model, *rest)
        if not early or time.perf_counter() - started <= EARLY:
            early.update(weights=model.get_weights(), updates=early.get("updates", 0) + 1)
        return loss

    lab["ppo_update"] = timed
    try:
        with (tempfile.TemporaryDirectory() as folder,
              contextlib.redirect_stdout(io.StringIO())):
            model, training = lab["train_pong"](seed, folder, plot=None)
            training.load_best()
    finally:
        lab["ppo_update"] = update
    before = lab["build_pong_policy"](3)
    before.set_weights(early["weights"])

    def player(model, output):   # 0: sampled actions, 3: the likeliest
        return lambda observations: lab["actor_critic"](model)(observations)[output].numpy()

    with contextlib.redirect_stdout(sys.stderr):   # where it says that a game was stopped
        returns = pong.evaluate({"early": player(before, 0), "sampled": player(model, 0),
                                 "greedy": player(model, 3)}, lab["preprocess"],
                                lab["PONG"]["games"], max_steps=lab["PONG"]["game_steps"])
    found = {"seconds": round(training.seconds, 1), "updates": training.step,
             "updates_early": early["updates"],
             "returns": {name: values.tolist() for name, values in returns.items()}}
    print(f"seed {seed}, {training.seconds:.0f} s: "
          + ", ".join(f"{name} {values.mean():+.2f}" for name, values in returns.items()),
          file=sys.stderr, flush=True)
    return found
