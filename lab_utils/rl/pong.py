"""Pong from pixels: many games at once, on the standard protocol.

Sticky actions with probability 0.25 and a frame skip of 4 (Machado and others, 2018; the default
of ``ALE/Pong-v5``), full games to 21 points. Training, evaluation and video all show the policy
what one function, ``observe``, makes of the frames with the ``preprocess`` that is passed in.
"""

from collections.abc import Callable

import numpy as np

from ..errors import LabError

ACTIONS = np.array([0, 2, 3], np.int32)   # stay, up, down, in the emulator's numbers
STICKY = 0.25
FRAME_SKIP = 4
THREADS = 2    # of an emulator with many games
MAX_STEPS = 108_000 // FRAME_SKIP   # half an hour of play, at which the emulator ends a game


def observe(preprocess: Callable, frames: np.ndarray,
            previous: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """What the agent sees: the small image and its difference from the one before.

    Args:
        preprocess: raw frames (n, 210, 160[, 3]) uint8 to images (n, height, width).
        previous: images of the step before, or None after a reset.

    Returns:
        observations (n, height, width, 2) float32, and the images, to pass as ``previous``.
    """
    images = np.asarray(preprocess(frames), np.float32)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or len(images) != len(frames):
        raise LabError(f"preprocess gave shape {images.shape} for {len(frames)} frames: "
                       "it must give (batch, height, width).")
    before = images if previous is None else previous
    return np.stack([images, images - before], axis=-1), images


class PongGames:
    """``num_envs`` games of Pong at once; each restarts in the step in which it ends.

    Args:
        preprocess: raw grey frames to small images, see ``observe``.
        seed: of the first game; the others have the numbers after it.
        sticky: probability that the emulator repeats the action before; 0.25 is the standard.
        apart: each game in an emulator of its own, so that ``step`` can leave some out. Otherwise
            one emulator steps them all, which takes less time.
    """

    def __init__(self, num_envs: int, preprocess: Callable, seed: int, sticky: float = STICKY,
                 apart: bool = False):
        try:
            from ale_py.vector_env import AtariVectorEnv
            from gymnasium.vector import AutoresetMode
        except ImportError as error:
            raise LabError("ale-py, which carries Pong, is not installed: "
                           "run 'pip install -r requirements.txt'.") from error
        self._preprocess, self.num_envs = preprocess, num_envs
        size = 1 if apart else num_envs   # games of an emulator
        self._parts = [(AtariVectorEnv(
            "pong", size, img_height=210, img_width=160, grayscale=True, stack_num=1,
            maxpool=False, frameskip=FRAME_SKIP, repeat_action_probability=sticky,
            num_threads=1 if apart else THREADS, autoreset_mode=AutoresetMode.SAME_STEP,
            noop_max=30), slice(first, first + size)) for first in range(0, num_envs, size)]
        self.returns: list[float] = []   # of the games that ended, in order
        self._running = np.zeros(num_envs)
        self._frames = np.concatenate([
            emulator.reset(seed=seed + part.start)[0][:, 0] for emulator, part in self._parts])
        self.observations, self._images = observe(preprocess, self._frames, None)

    def step(self, actions: np.ndarray,
             playing: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take actions (n,) in 0..2; returns observations, rewards (n,) float32, dones (n,) bool.

        Where a game is done, the observation is the first of the next game. Emulators without a
        game that is ``playing`` (n,) stand still: no reward, not done.

        Raises:
            LabError: if the actions have another shape or range.
        """
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or not (0 <= actions.min()
                                                     and actions.max() < len(ACTIONS)):
            raise LabError(f"The policy gave actions of shape {actions.shape} up to "
                           f"{actions.max()}: Pong needs ({self.num_envs},), each 0, 1 or 2.")
        moving = [(emulator, part) for emulator, part in self._parts
                  if playing is None or playing[part].any()]
        rewards, dones = np.zeros(self.num_envs, np.float32), np.zeros(self.num_envs, bool)
        for emulator, part in moving:   # all are sent off before the first is waited for
            emulator.send(ACTIONS[actions[part]])
        for emulator, part in moving:
            frames, rewards[part], terminated, truncated, _ = emulator.recv()
            self._frames[part], dones[part] = frames[:, 0], terminated | truncated
        self.observations, self._images = observe(self._preprocess, self._frames, self._images)
        self.observations[dones, ..., 1] = 0   # a new game has no frame before
        self._running += rewards
        self.returns += self._running[dones].tolist()
        self._running[dones] = 0
        return self.observations, rewards, dones

    def close(self) -> None:
        """End the emulators."""
        for emulator, _ in self._parts:
            emulator.close()


def evaluate(players: dict[str, Callable], preprocess: Callable, games: int = 20,
             seed: int = 50_000, sticky: float = STICKY,
             max_steps: int = MAX_STEPS) -> dict[str, np.ndarray]:
    """Returns of ``games`` games of each player, -21 to 21, shape (games,).

    Args:
        players: by name, each from observations (games, height, width, 2) to actions (games,).
        max_steps: of the agent in a game; one that is not over by then counts as it stands, and a
            line says so.
    """
    returns = {}
    for number, (name, act) in enumerate(players.items()):
        returns[name], over = _play(act, preprocess, games, seed + number * games, sticky,
                                    max_steps)
        if not over.all():
            print(f"{name}: {(~over).sum()} of {games} games were stopped after {max_steps:,} "
                  "steps and count as they stand.")
    return returns


def _play(act: Callable, preprocess: Callable, games: int, seed: int, sticky: float,
          max_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (games,) of one player, and which games were over, (games,) bool."""
    playing = PongGames(games, preprocess, seed, sticky, apart=True)
    returns, over = np.zeros(games), np.zeros(games, bool)
    try:
        for _ in range(max_steps):
            if over.all():
                break
            _, rewards, dones = playing.step(np.asarray(act(playing.observations)), ~over)
            returns += rewards      # of a game that is over it is 0
            over |= dones
    finally:
        playing.close()
    return returns, over


def film(act: Callable, preprocess: Callable, seed: int = 0, max_steps: int = 900,
         scale: int = 2) -> tuple[np.ndarray, float]:
    """One game as the player sees it, with the agent's view beside it.

    Returns:
        frames (time, height, width, 3) uint8, and the return so far.

    Raises:
        LabError: if ale-py is missing.
    """
    import gymnasium as gym

    try:
        import ale_py
    except ImportError as error:
        raise LabError("ale-py, which carries Pong, is not installed: "
                       "run 'pip install -r requirements.txt'.") from error
    gym.register_envs(ale_py)
    env = gym.make("ALE/Pong-v5", frameskip=FRAME_SKIP, repeat_action_probability=STICKY)
    frame, _ = env.reset(seed=seed)
    images, total, clip, done = None, 0.0, [], False
    while not done and len(clip) < max_steps:
        observations, images = observe(preprocess, frame[None], images)
        clip.append(_with_view(frame, observations[0], scale))
        action = int(np.asarray(act(observations))[0])
        frame, reward, terminated, truncated, _ = env.step(int(ACTIONS[action]))
        total += reward
        done = terminated or truncated
    env.close()
    return np.stack(clip), total


def _with_view(frame: np.ndarray, observation: np.ndarray, scale: int) -> np.ndarray:
    """The game beside the two channels that the agent sees, one above the other."""
    game = np.kron(frame, np.ones((scale, scale, 1), np.uint8))
    panels = []
    for channel in (observation[..., 0], 0.5 + observation[..., 1] / 2):
        grey = np.uint8(255 * np.clip(channel, 0, 1))   # brighter than 1 is white: the ball shows
        zoom = max(1, game.shape[0] // 2 // max(grey.shape))
        panel = np.kron(grey, np.ones((zoom, zoom), np.uint8))
        full = np.full((game.shape[0] // 2, panel.shape[1]), 96, np.uint8)
        full[:panel.shape[0]] = panel[:full.shape[0]]
        panels.append(full)
    view = np.repeat(np.concatenate(panels)[..., None], 3, axis=-1)
    return np.concatenate([game, view], axis=1)
