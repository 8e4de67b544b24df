"""Text that looks like ABC, and what must hold for all of it.

Either ``parse_tune`` says in one sentence why the text is no tune, or the tune can be written,
heard and drawn, each within seconds; nothing but a ``LabError`` is ever raised.
"""

import functools
import tempfile
import time
from pathlib import Path

from hypothesis import strategies as st

from lab_utils import LabError, quiet_start

with quiet_start():
    import keras
    import tensorflow as tf

from lab_utils.music import corpus, sheet, sound
from lab_utils.music.composing import start_ids, vocabulary
from lab_utils.music.notation import NotATune, parse_tune
from tests.solved import definitions

SECONDS = 5         # of processor time, for one text: each of reading, sound and score
SAMPLES, LENGTH = 2_000, 300
HEADS = ("", "M:6/8\nL:1/8\nK:G\n", "M:C|\nL:1/16\nK:Ador\n", "K:Bb\n")
PIECES = ("|", "||", "|:", ":|", "::", "|]", "[1", "[2", "[3", ":|2", "(3", "(2", "(9:2:3", "(0",
          ")", "(", ">", "<", ">>>", "-", "^^", "__", "=", "'''", ",,,", "0", "99", "3/2", "////",
          "/0", "z", "x8", "[ceg]", "[", "]", "{a}", "{", '"Am"', '"', "!trill!", "!", "~", "\\\n",
          "\n", "%%", "K:Hm\n", "K:C#\n", "M:0/0\n", "M:none\n", "L:0\n", "L:1/512\n", "[K:D]",
          "V:2\n", "w:la\n", "X:\n", "\x00", "\ufeff", "é", "♯", "\u202e", "\t", "\r",
          "A" * 300, "|" * 200)


@functools.cache
def books() -> list[str]:
    """The tunes as their collections spell them."""
    return [text for folder in corpus.corpus_folders() for text in corpus.read_abc(folder)]


@functools.cache
def untrained() -> list[str]:
    """What the untrained model of Lab 1 writes (small, or sampling would take most of the time)."""
    lab = definitions("lab1")
    characters, ids = vocabulary("".join(books()) + "".join(HEADS))
    texts = []
    for seed, head in enumerate(HEADS):
        keras.utils.set_random_seed(seed)
        model = lab.build_model(len(characters), 8, 16)
        start = tf.constant(start_ids(head, SAMPLES // len(HEADS), ids))
        for row in lab.generate(model, start, LENGTH, 0.5).numpy():
            texts.append("".join(characters[i] for i in row).lstrip("\n"))
    return texts


@st.composite
def mutated_tunes(draw: st.DrawFn) -> str:
    """A real tune after up to eight edits: cut, insert, double, swap, drop, change a character."""
    text = books()[draw(st.integers(0, len(books()) - 1))]
    for _ in range(draw(st.integers(1, 8))):
        at, to = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        to = min(to, at + 40)
        text = draw(st.sampled_from([
            text[:at] + text[to:], text[:at] + draw(st.sampled_from(PIECES)) + text[at:],
            text[:to] + text[at:to] + text[to:], text[:at] + text[at:to][::-1] + text[to:],
            text[:at] + text[at:at + 1].swapcase() + text[at + 1:],
            text[:at] + draw(st.text(max_size=3)) + text[to:]]))
    return text


def samples() -> st.SearchStrategy[str]:
    """A sample of the untrained model, whole or cut."""
    return st.tuples(st.integers(0, SAMPLES - 1), st.integers(1, LENGTH)).map(
        lambda at: untrained()[at[0]][:at[1] + 20])


def like_abc() -> st.SearchStrategy[str]:
    """Both kinds."""
    return st.one_of(mutated_tunes(), samples())


def try_text(text: str) -> str:
    """Read, write, hear and draw ``text``; returns what came of it.

    Raises:
        AssertionError: if it took too long or the canonical form is not stable.
        Exception: whatever else than a ``LabError`` the code under test raised.
    """
    stages = [lambda folder: parse_tune(text), lambda folder: sound.to_wav(text, folder / "a.wav"),
              lambda folder: sheet.to_svg(text)]
    outcome = "heard and drawn"
    with tempfile.TemporaryDirectory() as folder:
        for stage in stages:
            started = time.process_time()
            try:
                stage(Path(folder))
            except LabError as error:
                assert str(error) and "\n" not in str(error)
                outcome = "no tune" if isinstance(error, NotATune) else "refused by music21"
            spent = time.process_time() - started
            assert spent < SECONDS, f"{spent:.1f} s"
    if outcome != "no tune":
        tune = parse_tune(text)
        assert parse_tune(tune.abc()).abc() == tune.abc()
    return outcome
