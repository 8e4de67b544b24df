"""The music model of Lab 1 and its training step, in its own code, with Keras's LSTM, in PyTorch.

All three: embedding of 64, one LSTM, dropout 0.25, dense; cross-entropy; gradient clipped to
global norm 1; Adam.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .lab_code import functions

EMBEDDING, DROPOUT, CLIP, LEARNING_RATE = 64, 0.25, 1.0, 3e-3


@dataclass
class Music:
    """The training text of Lab 1: its ids (characters,), and how many different ones."""

    ids: np.ndarray
    vocabulary: int
    corpus: object
    char_to_id: dict[str, int]

    @classmethod
    @functools.cache
    def load(cls) -> "Music":
        """Read the tunes."""
        from lab_utils.music.composing import vocabulary
        from lab_utils.music.corpus import load_corpus

        corpus = load_corpus()
        text = corpus.text("train")
        characters, char_to_id = vocabulary("".join(
            corpus.text(split) for split in ("train", "validation", "test")))
        ids = np.array([char_to_id[c] for c in text], "int32")
        return cls(ids, len(characters), corpus, char_to_id)


def keras_step(music: Music, units: int, batch: int, time: int,
               layer: type | None = None) -> Callable[[], float]:
    """The lab's training step on random batches; ``layer`` stands in for the lab's LSTM."""
    lab = functions("lab1", "get_batch", "build_model", "compute_loss", "train_step")
    if layer is not None:
        lab["FastLSTM"] = layer
    keras, tf = lab["keras"], lab["tf"]
    keras.utils.set_random_seed(1)
    model = lab["build_model"](music.vocabulary, EMBEDDING, units)
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(1)

    def step() -> float:
        x, y = lab["get_batch"](music.ids, time, batch, rng)
        return float(lab["train_step"](model, optimizer, tf.constant(x), tf.constant(y), CLIP))

    return step


def torch_step(music: Music, units: int, batch: int, time: int) -> Callable[[], float]:
    """The same step in PyTorch."""
    import torch
    from torch import nn

    torch.manual_seed(1)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(music.vocabulary, EMBEDDING)
            self.lstm = nn.LSTM(EMBEDDING, units, batch_first=True)
            self.dropout = nn.Dropout(DROPOUT)
            self.dense = nn.Linear(units, music.vocabulary)

        def forward(self, x):
            return self.dense(self.dropout(self.lstm(self.embedding(x))[0]))

    device = "cuda" if torch.cuda.is_available() else "cpu"
    net = Net().to(device)
    optimizer = torch.optim.Adam(net.parameters(), LEARNING_RATE)
    get_batch = functions("lab1", "get_batch")["get_batch"]
    rng = np.random.default_rng(1)

    def step() -> float:
        x, y = (torch.from_numpy(np.asarray(part, "int64")).to(device)
                for part in get_batch(music.ids, time, batch, rng))
        loss = nn.functional.cross_entropy(net(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        return loss.item()

    return step


def operations(units: int, vocabulary: int) -> int:
    """Floating-point operations of training on one character, in its matrix products.

    A product of (1, n) by (n, m) takes 2 n m; going back takes twice as many as going forward.
    """
    return 3 * 2 * (4 * units * (EMBEDDING + units) + units * vocabulary)
