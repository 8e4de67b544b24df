"""Pong from pixels by the clock: the lab's PPO against Stable-Baselines3's, as it stands.

Both play the standard protocol (sticky actions 0.25, frame skip 4) for the same seconds on this
machine. At every minute, the return of a run is the mean of its latest 20 training games.
Stable-Baselines3 runs with the Atari settings of RL Baselines3 Zoo: 84 x 84 grey images, 4 of them
stacked, its CnnPolicy, 8 environments of 128 steps, 4 epochs, minibatches of 256, Adam 2.5e-4.
"""

import contextlib
import io
import tempfile
import time

import numpy as np

from lab_utils.rl import pong

from .frame import Result, Row, need
from .lab_code import functions

SECONDS = {"tiny": 15, "default": 240, "full": 720}
EVERY = {"tiny": 5, "default": 60, "full": 60}      # seconds between two readings
WORST = -21.0
GAMES = 20


class TimeIsUp(Exception):
    """Ends a training that counts in steps."""


class Readings:
    """The mean return of the latest games, at every ``every`` seconds up to ``limit``."""

    def __init__(self, limit: float, every: float):
        self.limit, self.every = limit, every
        self.started, self.values, self.mean = time.perf_counter(), [], WORST

    def update(self, returns) -> bool:
        """Note what is due; False when the time is up. Before the first game ends: -21."""
        now = time.perf_counter() - self.started
        self.mean = float(np.mean(returns[-GAMES:])) if len(returns) else WORST
        self._note(now)
        return now < self.limit

    def end(self) -> None:
        """The training ended before its time was up: it stays where it is."""
        self._note(self.limit)

    def _note(self, now: float) -> None:
        while (len(self.values) + 1) * self.every <= min(now, self.limit):
            self.values.append(self.mean)


def ours(lab: dict, seed: int, limit: float, every: float) -> list[float]:
    """Readings of the lab's training, which is left when its time is up."""
    collect, readings = lab["collect"], None

    def timed(games, act, steps):
        nonlocal readings
        readings = readings or Readings(limit, every)
        if not readings.update(games.returns):
            games.close()
            raise TimeIsUp
        return collect(games, act, steps)

    lab["collect"] = timed
    try:
        # Its progress bar counts to the end of a training that does not come.
        with (tempfile.TemporaryDirectory() as folder,
              contextlib.redirect_stdout(io.StringIO())):
            lab["train_pong"](seed, folder, plot=None)
        readings.end()
    except TimeIsUp:
        pass
    finally:
        lab["collect"] = collect
    return readings.values


def theirs(seed: int, limit: float, every: float) -> list[float]:
    """Readings of Stable-Baselines3."""
    import ale_py
    import gymnasium as gym
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    class Clock(BaseCallback):
        """Ends the training when the time is up."""

        def _on_training_start(self) -> None:
            self.readings = Readings(limit, every)

        def _on_step(self) -> bool:
            return self.readings.update([game["r"] for game in self.model.ep_info_buffer])

    gym.register_envs(ale_py)
    games = VecFrameStack(make_atari_env(
        "ALE/Pong-v5", 8, seed=seed, env_kwargs=dict(
            frameskip=1, repeat_action_probability=pong.STICKY)), 4)   # its wrapper skips frames
    model = PPO("CnnPolicy", games, n_steps=128, n_epochs=4, batch_size=256, ent_coef=0.01,
                learning_rate=lambda left: 2.5e-4 * left, clip_range=lambda left: 0.1 * left,
                stats_window_size=GAMES, seed=seed, device="cpu")
    clock = Clock()
    model.learn(10_000_000, callback=clock)
    games.close()
    return clock.readings.values


def run(repeat: int, scale: str) -> Result:
    """See the module; one seed a turn, each as long as the time that is given."""
    need("stable-baselines3")
    lab = functions("lab3", also=("train_pong",))
    limit, every = SECONDS[scale], EVERY[scale]
    turns = 1 if scale == "tiny" else max(1, repeat // 5)   # minutes each: few are enough
    curves = {"ours": [], "theirs": []}
    for seed in range(turns):
        curves["ours"].append(ours(lab, seed, limit, every))
        curves["theirs"].append(theirs(seed, limit, every))
    rows = []
    for i in range(int(limit // every)):
        # Points above the worst, so that there is a ratio; one point in 20 games at least.
        points = {name: [max(curve[i] - WORST, 1 / GAMES) for curve in runs]
                  for name, runs in curves.items()}
        means = {name: np.mean([curve[i] for curve in runs]) for name, runs in curves.items()}
        rows.append(Row(f"Pong after {(i + 1) * every} s", "points above -21", points["ours"],
                        points["theirs"], "Stable-Baselines3 PPO",
                        1.0 if (i + 1) * every >= 120 else None,
                        note=f"return {means['ours']:.1f} ours, {means['theirs']:.1f} theirs"))
    return Result(rows, {"every": every, **curves})
