"""What happened in many games: the memory of a policy-gradient update, and what is kept of it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .pong import PongGames


@dataclass
class Memory:
    """Arrays (time, envs, ...); ``values`` has one more step, the state after the last."""

    observations: np.ndarray
    actions: np.ndarray
    log_probs: np.ndarray
    values: np.ndarray
    rewards: np.ndarray
    dones: np.ndarray

    def flat(self, name: str) -> np.ndarray:
        """An array with time and envs joined, (time * envs, ...)."""
        array = getattr(self, name)
        return array.reshape(-1, *array.shape[2:])

    def points_won(self) -> float:
        """Share of the points played that were won; NaN if none was played."""
        won, lost = (self.rewards > 0).sum(), (self.rewards < 0).sum()
        return float(won / (won + lost)) if won + lost else float("nan")


def collect(games: PongGames, act: Callable, steps: int) -> Memory:
    """Play ``steps`` steps in every game.

    Args:
        act: observations (envs, ...) to (actions, log_probs, values, ...), each (envs,).
    """
    shape = (steps, games.num_envs)
    memory = Memory(np.empty(shape + games.observations.shape[1:], np.float32),
                    np.empty(shape, np.int64), np.empty(shape, np.float32),
                    np.empty((steps + 1, games.num_envs), np.float32),
                    np.empty(shape, np.float32), np.empty(shape, bool))
    for t in range(steps):
        memory.observations[t] = games.observations
        memory.actions[t], memory.log_probs[t], memory.values[t] = (
            np.asarray(part) for part in act(games.observations)[:3])
        _, memory.rewards[t], memory.dones[t] = games.step(memory.actions[t])
    memory.values[steps] = np.asarray(act(games.observations)[2])
    return memory


class Past:
    """Some steps of the latest memories, with the returns that followed: what a critic rereads.

    Args:
        memories: how many are remembered; the oldest makes room.
        steps: kept of each, drawn at random.
    """

    def __init__(self, memories: int, steps: int):
        self._steps = steps
        self._parts: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=memories)

    def add(self, memory: Memory, returns: np.ndarray, rng: np.random.Generator) -> None:
        """Keep some steps of a memory; returns: (time, envs)."""
        observations = memory.flat("observations")
        rows = rng.permutation(len(observations))[:self._steps]
        self._parts.append((observations[rows], returns.ravel()[rows]))

    def draw(self, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """At most ``rows`` observations (rows, ...) of one memory, and their returns (rows,)."""
        observations, returns = self._parts[rng.integers(len(self._parts))]
        chosen = rng.permutation(len(returns))[:rows]
        return observations[chosen], returns[chosen]
