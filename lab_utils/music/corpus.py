"""The tunes: two printed collections that music21 carries, or a user's own ABC files.

O'Neill's Music of Ireland (Chicago, 1903; the folder calls it oneills1850) and Ryan's Mammoth
Collection (Boston, 1883). Both books are out of copyright; the ABC transcriptions are by
volunteers who are named in the files, and lie in the corpus of the installed music21 package,
whose licence page says: distributed with the permission of the encoders. They are read from
there; nothing is redistributed here.
"""

import importlib.util
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import LabError
from .notation import NotATune, Tune, parse_tune

FOLDERS = ("oneills1850", "ryansMammoth")
SHINGLE = 8          # consecutive intervals that make a fingerprint
SHARED = 0.25        # share of the smaller tune's fingerprints that makes two tunes versions of one
MAX_FILE_BYTES = 50_000_000


@dataclass
class Corpus:
    """Tunes split by tune; versions of one tune are all on one side."""

    train: list[Tune]
    validation: list[Tune]
    test: list[Tune]
    found: int = 0
    dropped: Counter = field(default_factory=Counter)
    repeats: int = 0   # tunes with a version of themselves elsewhere

    def text(self, split: str) -> str:
        """All tunes of "train", "validation" or "test", each ended by a blank line."""
        return "".join(tune.abc() for tune in getattr(self, split))

    def report(self) -> str:
        """The counts, as a small table."""
        rows = [f"{self.found:6,} tunes found"]
        rows += [f"{count:6,} dropped: {reason}" for reason, count in self.dropped.most_common()]
        kept = len(self.train) + len(self.validation) + len(self.test)
        rows.append(f"{kept:6,} kept, {self.repeats:,} of them have another version in the books")
        rows += [f"{len(getattr(self, split)):6,} tunes, {len(self.text(split)):9,} characters "
                 f"for {split}" for split in ("train", "validation", "test")]
        return "\n".join(rows)


def corpus_folders() -> list[Path]:
    """Folders of the two collections in the installed music21.

    Raises:
        LabError: if music21 or its corpus is missing.
    """
    spec = importlib.util.find_spec("music21")   # found without importing it, which takes seconds
    if spec is None:
        raise LabError("music21, which carries the tunes, is not installed: "
                       "run 'pip install -r requirements.txt'.")
    folders = [Path(spec.submodule_search_locations[0]) / "corpus" / name for name in FOLDERS]
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise LabError(f"The installed music21 lacks its corpus folder {missing[0].name}: "
                       "reinstall music21 with pip.")
    return folders


def read_abc(path: str | os.PathLike) -> list[str]:
    """The text of every tune in an .abc file, or in all .abc files of a folder.

    Raises:
        LabError: if there is nothing to read, or it is no ABC.
    """
    path = Path(path)
    if not path.exists():
        raise LabError(f"{path} does not exist: give an .abc file or a folder with some.")
    files = sorted(path.rglob("*.abc")) if path.is_dir() else [path]
    if not files:
        raise LabError(f"{path} holds no .abc files.")
    tunes: list[str] = []
    for file in files:
        try:
            if file.stat().st_size > MAX_FILE_BYTES:
                raise LabError(f"{file} is larger than {MAX_FILE_BYTES // 10**6} MB: split it.")
            raw = file.read_bytes()
        except OSError as error:
            raise LabError(f"{file} cannot be read ({error.strerror}).") from error
        tunes += [tune for tune in re.split(r"(?m)^(?=X:)", _decode(raw)) if tune.startswith("X:")]
    if not tunes:
        raise LabError(f"{path} holds no tunes: each begins with a line such as 'X:1'.")
    return tunes


def _decode(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")   # ABC 2.0's default; never fails


def load_tunes(path: str | os.PathLike | None = None) -> tuple[list[Tune], Counter]:
    """Parse the two collections, or ``path``; returns the tunes and why others were dropped.

    Raises:
        LabError: if nothing can be read, or no tune is left.
    """
    texts = read_abc(path) if path is not None else [
        tune for folder in corpus_folders() for tune in read_abc(folder)]
    tunes, dropped = [], Counter()
    for text in texts:
        try:
            tune = parse_tune(text)
            bars = tune.bars()
            if len(bars) < 8:
                raise NotATune("Fewer than eight bars.")
            if len(tune.abc()) > 2_000:
                raise NotATune("Longer than 2,000 characters.")
            tunes.append(tune)
        except NotATune as error:
            dropped[error.kind] += 1
    if not tunes:
        raise LabError(f"No tune could be used. Most often: {dropped.most_common(1)[0][0]}")
    return tunes, dropped


def fingerprints(tune: Tune) -> set[tuple[int, ...]]:
    """Runs of ``SHINGLE`` intervals in semitones: the same in every key."""
    pitches = [note.pitch for note in tune.notes() if note.pitch is not None]
    steps = np.diff(pitches).tolist()
    return {tuple(steps[i:i + SHINGLE]) for i in range(len(steps) - SHINGLE + 1)}


def versions(tunes: list[Tune]) -> np.ndarray:
    """Group number of each tune, shape (n,); versions of one tune share a number."""
    prints = [fingerprints(tune) for tune in tunes]
    where = defaultdict(list)
    for index, marks in enumerate(prints):
        for mark in marks:
            where[mark].append(index)
    shared = Counter()
    for members in where.values():
        if 1 < len(members) <= 40:   # a run that 40 tunes share is a commonplace
            shared.update((a, b) for i, a in enumerate(members) for b in members[i + 1:])
    group = np.arange(len(tunes))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = i = group[group[i]]
        return i

    for (a, b), count in shared.items():
        if count >= SHARED * min(len(prints[a]), len(prints[b])):
            group[root(a)] = root(b)
    return np.array([root(i) for i in range(len(tunes))])


def load_corpus(path: str | os.PathLike | None = None, seed: int = 0) -> Corpus:
    """Load, clean and split the tunes: about 80 % to train, 10 % each to validate and to test.

    Raises:
        LabError: as ``load_tunes``, or if there are too few tunes to split.
    """
    tunes, dropped = load_tunes(path)
    groups = versions(tunes)
    names = np.unique(groups)
    if len(names) < 10:
        raise LabError(f"Only {len(names)} different tunes: at least 10 are needed.")
    shares = np.random.default_rng(seed).permutation(len(names)) / len(names)
    share = dict(zip(names.tolist(), shares.tolist(), strict=True))
    sides = {"train": [], "validation": [], "test": []}
    for tune, name in zip(tunes, groups.tolist(), strict=True):
        part = share[name]
        sides["train" if part < 0.8 else "validation" if part < 0.9 else "test"].append(tune)
    sizes = Counter(groups.tolist())
    repeats = sum(sizes[name] > 1 for name in groups.tolist())
    return Corpus(**sides, found=len(tunes) + dropped.total(), dropped=dropped, repeats=repeats)
