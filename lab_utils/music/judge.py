"""Judge generated tunes beside real ones: valid? in time? in key? copied?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .notation import NotATune, Tune, parse_tune

MIN_BARS = 8


@dataclass
class Judgement:
    """What was measured on a set of texts. Shares are fractions; copied runs count notes."""

    name: str
    sampled: int
    tunes: list[Tune]
    reasons: Counter = field(default_factory=Counter)
    bars_correct: float = float("nan")
    in_key: float = float("nan")
    copied: np.ndarray = field(default_factory=lambda: np.zeros(0, int))

    @property
    def valid(self) -> float:
        """Share of the texts that are tunes of at least eight bars."""
        return len(self.tunes) / max(self.sampled, 1)

    def pitches(self) -> np.ndarray:
        """MIDI numbers of all notes."""
        return np.array([p for tune in self.tunes for p in _pitches(tune)], int)

    def intervals(self) -> np.ndarray:
        """Steps from note to note in semitones."""
        steps = [np.diff(_pitches(tune)) for tune in self.tunes]
        return np.concatenate(steps) if steps else np.zeros(0, int)


def _pitches(tune: Tune) -> list[int]:
    return [note.pitch for note in tune.notes() if note.pitch is not None]


def bars_right(tune: Tune) -> tuple[int, int]:
    """(bars of the right length, all bars).

    A bar is right if it fills the metre. At a boundary of a part a shorter one is right too, if
    the tune has a bar at the other end of a part that makes it full: a pickup and its last bar.
    """
    bars, full = tune.bars(), tune.bar_length
    pickups = {bar.duration for bar in bars if bar.opens and bar.duration < full}
    lasts = {bar.duration for bar in bars if bar.closes and bar.duration < full}
    right = sum(bar.duration == full or (bar.opens and full - bar.duration in lasts)
                or (bar.closes and full - bar.duration in pickups) for bar in bars)
    return right, len(bars)


class CopyDetector:
    """Finds the longest run of notes (pitch and duration) that a tune shares with others."""

    def __init__(self, tunes: Iterable[Tune]):
        self._codes: dict = {}
        self._text = "\0".join(self._encode(tune) for tune in tunes)

    def _encode(self, tune: Tune) -> str:
        # One character a note, so that Python's own substring search does the work.
        return "".join(chr(self._codes.setdefault((note.pitch, note.duration),
                                                  len(self._codes) + 1)) for note in tune.notes())

    def longest(self, tune: Tune) -> int:
        """Length in notes of the longest run of ``tune`` that occurs in the other tunes."""
        text, best = self._encode(tune), 0
        for start in range(len(text)):
            while start + best < len(text) and text[start:start + best + 1] in self._text:
                best += 1
        return best


def judge(name: str, texts: Iterable[str | Tune], copies: CopyDetector) -> Judgement:
    """Judge generated texts, or real tunes given as ``Tune``.

    Args:
        name: what the set is called in tables and plots.
        texts: ABC text of one tune each, or parsed tunes.
        copies: made from the training tunes.
    """
    tunes, reasons, sampled = [], Counter(), 0
    for text in texts:
        sampled += 1
        try:
            tune = text if isinstance(text, Tune) else parse_tune(text)
            if len(tune.bars()) < MIN_BARS:
                raise NotATune(f"Fewer than {MIN_BARS} bars.")
            tunes.append(tune)
        except NotATune as error:
            reasons[str(error)] += 1
    result = Judgement(name, sampled, tunes, reasons)
    if tunes:
        right, bars = np.sum([bars_right(tune) for tune in tunes], axis=0)
        notes = [note for tune in tunes for note in tune.notes() if note.pitch is not None]
        result.bars_correct = float(right / bars)
        result.in_key = float(np.mean([n.alteration == n.key_alteration for n in notes]))
        result.copied = np.array([copies.longest(tune) for tune in tunes])
    return result


def table(*judgements: Judgement) -> str:
    """The measures side by side, then why texts were no tunes."""
    width = max(len(j.name) for j in judgements) + 3
    rows = [("texts", [f"{j.sampled}" for j in judgements]),
            ("are tunes of 8 bars or more", [f"{j.valid:.1%}" for j in judgements]),
            ("bars of the right length", [f"{j.bars_correct:.1%}" for j in judgements]),
            ("notes in the key", [f"{j.in_key:.1%}" for j in judgements])]
    for label, measure in (("median", np.median), ("longest", np.max)):
        rows.append((f"copied run, {label} (notes)",
                     [f"{measure(j.copied):.0f}" if len(j.copied) else "-" for j in judgements]))
    lines = [" " * 34 + "".join(f"{j.name:>{width}}" for j in judgements)]
    lines += [f"{label:34}" + "".join(f"{cell:>{width}}" for cell in cells)
              for label, cells in rows]
    for j in judgements:
        lines += [f"{j.name}, not a tune: {reason} ({count}x)"
                  for reason, count in j.reasons.most_common(5)]
    return "\n".join(lines)


def best_tune(judgement: Judgement) -> Tune:
    """The tune with the most right bars; among equals the one that copies least.

    Raises:
        NotATune: if there is no valid tune at all.
    """
    if not judgement.tunes:
        raise NotATune("None of the samples is a tune: train longer, or load the shipped model.")
    def merit(index: int):
        right, bars = bars_right(judgement.tunes[index])
        return right / bars, -int(judgement.copied[index]), min(bars, 16)

    return judgement.tunes[max(range(len(judgement.tunes)), key=merit)]
