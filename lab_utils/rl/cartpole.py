"""CartPole-v1, many environments at once: whole episodes, evaluation, frames."""

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from ..errors import LabError

ENV_ID = "CartPole-v1"
MAX_STEPS = 500    # the environment's own limit
SOLVED = 475.0     # mean return of 100 episodes, by Gymnasium's register


@dataclass
class Episodes:
    """Finished episodes, one after the other.

    ``observations`` (n, 4) float32, ``actions`` (n,), ``rewards`` (n,) float32, and ``lengths``
    (episodes,), which add up to n.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    lengths: np.ndarray

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """``values`` (n, ...) cut into episodes."""
        return np.split(values, np.cumsum(self.lengths)[:-1])


def make_vector(num_envs: int, env_id: str = ENV_ID):
    """Gymnasium's vectorised environment.

    Raises:
        LabError: if Gymnasium does not know ``env_id``.
    """
    try:
        return gym.make_vec(env_id, num_envs=num_envs, vectorization_mode="vector_entry_point")
    except gym.error.Error as error:
        raise LabError(f"Gymnasium has no vectorised environment {env_id!r} ({error}): "
                       f"use {ENV_ID!r}.") from error


def play(envs, act: Callable, seed: int | None = None) -> Episodes:
    """One episode in each environment.

    Args:
        envs: from ``make_vector``.
        act: observations (envs, 4) to actions (envs,).
        seed: of the environments; None goes on with the random state they have.

    Raises:
        LabError: if ``act`` does not give one action an environment.
    """
    observations, _ = envs.reset(seed=seed)
    alive = np.ones(envs.num_envs, bool)
    steps, actions_taken, rewards, living = [], [], [], []
    while alive.any():
        actions = np.asarray(act(observations))
        if actions.shape != (envs.num_envs,) or not 0 <= actions.min() <= actions.max() <= 1:
            raise LabError(f"The policy gave actions of shape {actions.shape} between "
                           f"{actions.min()} and {actions.max()}: CartPole needs "
                           f"({envs.num_envs},), each 0 or 1.")
        steps.append(observations.copy())
        actions_taken.append(actions)
        living.append(alive.copy())
        observations, reward, terminated, truncated, _ = envs.step(actions)
        rewards.append(reward)
        alive &= ~(terminated | truncated)   # what comes after an episode's end is left out
    mask = np.stack(living, axis=1)          # (envs, time): episodes stay together
    def flat(values):
        return np.stack(values, axis=1)[mask]
    return Episodes(flat(steps).astype("float32"), flat(actions_taken),
                    flat(rewards).astype("float32"), mask.sum(axis=1))


def evaluate(act: Callable, episodes: int = 100, seed: int = 10_000) -> np.ndarray:
    """Returns of ``episodes`` fresh episodes, shape (episodes,)."""
    envs = make_vector(episodes)
    try:
        return play(envs, act, seed).lengths.astype(float)   # one point a step
    finally:
        envs.close()


def film(act: Callable, seed: int = 0, max_steps: int = MAX_STEPS) -> np.ndarray:
    """Frames of one episode, (time, height, width, 3) uint8, drawn without a display."""
    import os

    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    env = gym.make(ENV_ID, render_mode="rgb_array")
    observation, _ = env.reset(seed=seed)
    frames, done = [env.render()], False
    while not done and len(frames) < max_steps:
        action = int(np.asarray(act(observation[None]))[0])
        observation, _, terminated, truncated, _ = env.step(action)
        frames.append(env.render())
        done = terminated or truncated
    env.close()
    return np.stack(frames)
