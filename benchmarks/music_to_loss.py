"""Training seconds until validation costs 1.80 bits a character: Lab 1's recipe, a classic one.

The classic recipe: embedding of 256, ``keras.layers.LSTM`` of 1024, 8 random windows of 100
characters, Adam with a fixed 5e-3, no clipping. Both learn from the same tunes and are judged on
the same validation tunes. They train in turns of some seconds, so that both meet the same load;
the clock of each runs while it trains, not while it compiles or is judged. By default the classic
recipe is stopped at three times our time; ``--full`` lets it go on for up to half an hour.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tqdm import tqdm

from lab_utils import quiet_start
from lab_utils.music.composing import bits_per_character

from .frame import Result, Row, clock
from .lab_code import functions, settings
from .music_peers import Music

with quiet_start():
    import keras
    import numpy as np
    import tensorflow as tf

REPEAT = 1
GOAL = 1.80          # validation bits a character
TIMES = 3            # our time, the classic recipe may take
SLICE = 10.0         # seconds of a turn
LONGEST = 1800.0     # seconds


@dataclass
class Learner:
    """A training whose clock can be stopped, and its validation history."""

    step: Callable[[int], object]     # one training step, given its number
    bits: Callable[[], float]         # validation bits a character
    steps: int = 0
    seconds: float = 0.0
    history: list[list[float]] = field(default_factory=list)   # [seconds, bits]

    def __post_init__(self):
        self.step(0)   # compiles
        self.history.append([0.0, self.bits()])

    def train(self, seconds: float) -> None:
        """Train for about ``seconds``, then judge."""
        started = clock()
        while clock() - started < seconds:
            self.steps += 1
            self.step(self.steps)
        self.seconds += clock() - started
        self.history.append([round(self.seconds, 2), round(self.bits(), 4)])

    def crossing(self, goal: float) -> float | None:
        """When ``goal`` was reached, on the line between two judgements; None if it was not."""
        for (t0, b0), (t1, b1) in zip(self.history, self.history[1:], strict=False):
            if b1 <= goal:
                return t1 if b0 <= goal else t0 + (t1 - t0) * (b0 - goal) / (b0 - b1)
        return None


def ours(music: Music, tunes: list, seed: int, **changed) -> Learner:
    """Lab 1's model and recipe; ``changed`` replaces settings."""
    config = settings("lab1") | changed
    lab = functions("lab1", "get_batch", "build_model", "compute_loss", "train_step",
                    also=("row_length", "learning_rates"))
    keras.utils.set_random_seed(seed)
    model = lab["build_model"](music.vocabulary, config["embedding_dim"], config["rnn_units"])
    optimizer = keras.optimizers.Adam(lab["learning_rates"](config))
    optimizer.build(model.trainable_variables)

    def step(number: int):
        length = lab["row_length"](min(number, config["steps"] - 1), config)
        x, y = lab["get_batch"](music.ids, length, config["batch_size"],
                                np.random.default_rng([seed, number]))
        return float(lab["train_step"](model, optimizer, tf.constant(x), tf.constant(y),
                                       config["clip_norm"]))

    return Learner(step, lambda: bits_per_character(model, tunes, music.char_to_id))


def classic(music: Music, tunes: list, seed: int, embedding_dim: int = 256,
            rnn_units: int = 1024, batch_size: int = 8, seq_length: int = 100) -> Learner:
    """The classic recipe; see the module."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(music.vocabulary, embedding_dim),
        keras.layers.LSTM(rnn_units, return_sequences=True),
        keras.layers.Dense(music.vocabulary)])
    optimizer = keras.optimizers.Adam(5e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def update(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(
                y, model(x, training=True), from_logits=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def step(number: int):
        rng = np.random.default_rng([seed, number])
        windows = (rng.integers(0, len(music.ids) - seq_length, (batch_size, 1))
                   + np.arange(seq_length + 1))
        part = tf.constant(music.ids[windows])
        return float(update(part[:, :-1], part[:, 1:]))

    return Learner(step, lambda: bits_per_character(model, tunes, music.char_to_id))


def race(mine: Learner, peer: Learner, goal: float, times: float | None, slice_seconds: float,
         longest: float) -> None:
    """Train both in turns: ours until ``goal``, the peer until then or ``times`` our time."""
    with tqdm(unit="turn", ncols=90, disable=None) as bar:
        while True:
            reached = mine.crossing(goal)
            end = longest if reached is None or times is None else times * reached
            mine_goes_on = reached is None and mine.seconds < longest
            peer_goes_on = peer.crossing(goal) is None and peer.seconds < min(longest, end)
            if not mine_goes_on and not (peer_goes_on and reached is not None):
                return
            if mine_goes_on:
                mine.train(slice_seconds)
            if peer_goes_on:
                peer.train(min(slice_seconds * (1 if mine_goes_on else 2), end - peer.seconds))
            bar.set_postfix_str(f"ours {mine.history[-1][1]:.2f}, peer {peer.history[-1][1]:.2f}")
            bar.update()


def run(repeat: int, scale: str) -> Result:
    """See the module."""
    tf.get_logger().setLevel("ERROR")   # two models are judged in turns, each compiled anew
    music = Music.load()
    tiny = scale == "tiny"
    tunes = music.corpus.validation[:4 if tiny else None]
    goal = 5.5 if tiny else GOAL
    small = dict(embedding_dim=8, rnn_units=16, batch_size=4, seq_length=16) if tiny else {}
    times, theirs, stopped, details = [], [], False, {}
    for seed in range(1, repeat + 1):
        mine, peer = ours(music, tunes, seed, **small), classic(music, tunes, seed, **small)
        race(mine, peer, goal, None if scale == "full" else TIMES, 0.2 if tiny else SLICE,
             20.0 if tiny else LONGEST)
        times.append(mine.crossing(goal) or mine.seconds)
        theirs.append(peer.crossing(goal) or peer.seconds)
        stopped |= peer.crossing(goal) is None
        details[f"seed {seed}"] = {"ours": mine.history, "classic": peer.history,
                                   "steps": [mine.steps, peer.steps]}
    note = "" if all(bits[-1][1] <= goal for bits in
                     (details[seed]["ours"] for seed in details)) else "ours did not reach it"
    return Result([Row(f"{goal:.2f} validation bits a character", "s", times, theirs,
                       "classic recipe", TIMES, more_is_better=False, stopped=stopped,
                       note=note)], details)
