"""A set of labelled pictures with known attributes, and the biased selection from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import LabError

if TYPE_CHECKING:
    import tensorflow as tf

TONES = tuple(range(1, 11))
TONE_GROUPS = tuple(f"tones {t}-{t + 1}" for t in range(1, 10, 2))


@dataclass(frozen=True)
class FaceSet:
    """Pictures, labels and attributes, all in the same order.

    Attributes:
        images: uint8 ``(n, height, width, 3)``.
        labels: uint8 ``(n,)``: 1 face, 0 no face.
        attributes: name to array ``(n,)``. Where an attribute is unknown, or the picture shows
            no face: 0 for whole numbers, NaN for numbers, ``""`` for text.
    """

    images: np.ndarray
    labels: np.ndarray
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.images), len(self.labels), *map(len, self.attributes.values())}
        if len(lengths) != 1:
            raise LabError(f"Images, labels and attributes differ in length ({sorted(lengths)}): "
                           "give one label and one value of each attribute per image.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: np.ndarray | slice | list[int]) -> "FaceSet":
        """A subset, by an index array, a boolean mask or a slice."""
        index = index if isinstance(index, slice) else np.atleast_1d(np.asarray(index))
        return FaceSet(self.images[index], self.labels[index],
                       {name: values[index] for name, values in self.attributes.items()})

    @property
    def faces(self) -> "FaceSet":
        """Only the faces."""
        return self[self.labels == 1]

    @property
    def nonfaces(self) -> "FaceSet":
        """Only what is no face."""
        return self[self.labels == 0]

    @property
    def tone_groups(self) -> np.ndarray:
        """Pair of Monk tones of each picture, str ``(n,)``: ``"tones 1-2"`` ... ``"tones 9-10"``;
        ``""`` where the tone is unknown."""
        tones = np.asarray(self.attributes["skin_tone"])
        names = np.array(("",) + TONE_GROUPS)
        return names[np.where(tones > 0, (tones + 1) // 2, 0)]

    def to_dataset(self, batch_size: int = 64, shuffle: bool = True,
                   seed: int = 0) -> "tf.data.Dataset":
        """Batches of (images float32 0..1 ``(batch, h, w, 3)``, labels float32 ``(batch,)``)."""
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((self.images, self.labels.astype(np.float32)))
        if shuffle:
            data = data.shuffle(len(self), seed=seed)
        return data.batch(batch_size).map(
            lambda images, labels: (tf.cast(images, tf.float32) / 255, labels)).prefetch(2)


@dataclass(frozen=True)
class Bias:
    """Which faces a biased training set is made of. Shares are fractions of its faces.

    Tone and pose are independent: each tone has the same share of frontal faces.

    Attributes:
        dark_share: share of the darker half of the Monk scale, tones 6 to 10; spread evenly
            within each half.
        frontal_share: share of faces turned by at most ``frontal_yaw``.
        frontal_yaw: degrees.
        tones: share of single tones instead of ``dark_share``, such as ``{1: 0.5, 10: 0.5}``;
            tones left out do not occur.
    """

    dark_share: float = 0.05
    frontal_share: float = 0.95
    frontal_yaw: float = 20.0
    tones: Mapping[int, float] | None = None

    def tone_shares(self) -> np.ndarray:
        """Share of each of the ten tones, ``(10,)``, sums to 1.

        Raises:
            LabError: if a share is not between 0 and 1, or they do not sum to 1.
        """
        for name in ("dark_share", "frontal_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise LabError(f"{name}={getattr(self, name)!r}: give a fraction from 0 to 1.")
        if not self.frontal_yaw > 0:
            raise LabError(f"frontal_yaw={self.frontal_yaw!r}: give an angle above 0 degrees.")
        if self.tones is None:
            return np.repeat([(1 - self.dark_share) / 5, self.dark_share / 5], 5)
        wrong = [t for t, share in self.tones.items() if t not in TONES or not 0 <= share <= 1]
        shares = np.array([self.tones.get(tone, 0.0) for tone in TONES], np.float64)
        if wrong or abs(shares.sum() - 1) > 1e-6:
            raise LabError(f"tones={dict(self.tones)!r}: give shares from 0 to 1 for tones 1 to "
                           "10 that sum to 1.")
        return shares

    def select(self, attributes: Mapping[str, np.ndarray], count: int,
               rng: np.random.Generator) -> np.ndarray:
        """Indices ``(count,)`` of faces, without repetition, in random order.

        Args:
            attributes: of a pool of faces, with ``skin_tone`` and ``yaw``.

        Raises:
            LabError: if the pool has too few faces of some kind.
        """
        tones, frontal = attributes["skin_tone"], np.abs(attributes["yaw"]) <= self.frontal_yaw
        shares = self.tone_shares()[:, None] * [self.frontal_share, 1 - self.frontal_share]
        cells = [np.flatnonzero((tones == tone) & (frontal == pose))
                 for tone in TONES for pose in (True, False)]
        wanted = _rounded(shares.ravel() * count, count)
        if any(len(cell) < n for cell, n in zip(cells, wanted, strict=True)):
            possible = min(len(cell) / share for cell, share in
                           zip(cells, shares.ravel(), strict=True) if share > 1e-6)
            raise LabError(f"The pool has too few faces for {count} with these shares: ask for "
                           f"at most {int(possible)}, or change the bias.")
        chosen = np.concatenate([rng.choice(cell, n, replace=False)
                                 for cell, n in zip(cells, wanted, strict=True)])
        return rng.permutation(chosen)


def _rounded(amounts: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers near ``amounts`` that sum to ``total`` (largest remainders)."""
    whole = np.floor(amounts + 1e-9).astype(int)
    order = np.argsort(-(amounts - whole), kind="stable")
    whole[order[:total - whole.sum()]] += 1
    return whole
