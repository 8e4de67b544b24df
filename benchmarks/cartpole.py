"""CartPole until it is solved: the lab's REINFORCE against Stable-Baselines3's PPO.

Ours trains with the lab's settings until a batch of 64 episodes lasts 490 steps on average, PPO
until its latest 32 last 475; then 100 fresh ones judge each policy, off the clock. PPO runs with
the settings that RL Baselines3 Zoo has tuned for CartPole-v1 (8 environments of 32 steps, 20
epochs, minibatches of 256, Adam from 1e-3 to 0).
"""

import time

import numpy as np

from lab_utils.rl import cartpole

from .frame import Result, Row, need
from .lab_code import functions

TARGET = 10               # times sooner than the peer
EPISODES = 32             # over which the peer's training is watched
STEPS = {"tiny": 2_000, "default": 100_000, "full": 100_000}   # of the peer, at most
UPDATES = {"tiny": 2, "default": 80, "full": 80}               # of ours, at most


def ours(lab: dict, seed: int, updates: int) -> tuple[float, float]:
    """Seconds of training, and the mean return of 100 evaluation episodes."""
    model, _, seconds = lab["train_cartpole"](seed, updates=updates)
    return seconds, float(cartpole.evaluate(lab["actor"](model)).mean())


def theirs(seed: int, steps: int) -> tuple[float, float]:
    """The same for Stable-Baselines3."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Solved(BaseCallback):
        """Stops when the latest episodes are long enough."""

        def _on_step(self) -> bool:
            latest = [episode["r"] for episode in self.model.ep_info_buffer]
            return len(latest) < EPISODES or np.mean(latest) < cartpole.SOLVED

    model = PPO("MlpPolicy", make_vec_env(cartpole.ENV_ID, 8, seed=seed), n_steps=32,
                batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8, ent_coef=0.0,
                learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left,
                stats_window_size=EPISODES, seed=seed, device="cpu")
    started = time.perf_counter()
    model.learn(steps, callback=Solved())
    seconds = time.perf_counter() - started
    model.get_env().close()
    return seconds, float(cartpole.evaluate(
        lambda observations: model.predict(observations, deterministic=True)[0]).mean())


def run(repeat: int, scale: str) -> Result:
    """See the module; one seed a turn."""
    need("stable-baselines3")
    lab = functions("lab3", also=("train_cartpole", "actor"))
    ours(lab, 100, 2)                     # a first round, not counted: it compiles and imports
    theirs(100, 256)
    pairs = [(ours(lab, seed, UPDATES[scale]), theirs(seed, STEPS[scale]))
             for seed in range(repeat)]
    mine, others = zip(*pairs, strict=True)          # (seconds, return) by seed
    note = (f"evaluated: {np.mean([run[1] for run in mine]):.0f} ours, "
            f"{np.mean([run[1] for run in others]):.0f} theirs")
    return Result([Row("CartPole-v1 until solved, as in the lab", "s", [run[0] for run in mine],
                       [run[0] for run in others], "Stable-Baselines3 PPO", TARGET,
                       more_is_better=False, note=note)], {"ours": mine, "theirs": others})
