"""Judge a detector by group, at one false-positive rate, with intervals.

The threshold is set on pictures that show no face, the recall is measured on faces, so every
detector lets through the same share of non-faces. The intervals are from the bootstrap (Efron,
1979): faces and non-faces are drawn anew with replacement, and the threshold set anew each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

from ..errors import LabError
from ..plotting import COLORS

MARKERS = "osD^vPX*"


@dataclass(frozen=True)
class Judgement:
    """What a detector finds of each group.

    Attributes:
        false_positive_rate: share of non-faces above the threshold.
        threshold: the score from which a picture counts as a face.
        overall: recall of all faces.
        recall: group to recall, in the order given.
        interval: group to (low, high), 95 %.
        gap: recall of the first group minus recall of the last.
        gap_interval: (low, high), 95 %.
    """

    false_positive_rate: float
    threshold: float
    overall: float
    recall: dict[str, float]
    interval: dict[str, tuple[float, float]]
    gap: float
    gap_interval: tuple[float, float]

    def as_results(self) -> dict:
        """For ``results.json``."""
        return {"overall": round(self.overall, 4), "gap": round(self.gap, 4),
                "gap_interval": [round(x, 4) for x in self.gap_interval],
                "false_positive_rate": self.false_positive_rate,
                "groups": {group: round(value, 4) for group, value in self.recall.items()}}


def judge(scores_faces: np.ndarray, scores_nonfaces: np.ndarray, groups: np.ndarray,
          order: list[str] | None = None, false_positive_rate: float = 0.02,
          resamples: int = 1000, seed: int = 0) -> Judgement:
    """Recall of each group at one false-positive rate, with bootstrap intervals.

    Args:
        scores_faces, scores_nonfaces: the larger, the more like a face; ``(n,)`` and ``(m,)``.
        groups: the group of each face, ``(n,)``; faces of group ``""`` count for the overall
            recall only.
        order: which groups, in this order; by default all, sorted. The gap is first minus last.
        resamples: how often faces and non-faces are drawn anew.
        seed: of those draws.

    Raises:
        LabError: if a group has no faces, or a score is not a number.
    """
    faces, others = _scores(scores_faces), _scores(scores_nonfaces)
    groups = np.asarray(groups, str)
    if groups.shape != faces.shape:
        raise LabError(f"There are {len(faces)} scores of faces and {len(groups)} groups: give one "
                       "group a face.")
    if not 0 < false_positive_rate < 1:
        raise LabError(f"false_positive_rate={false_positive_rate!r}: give a share between 0 and "
                       "1, such as 0.02.")
    order = sorted(set(groups) - {""}) if order is None else list(order)
    members = {group: np.flatnonzero(groups == group) for group in order}
    empty = [group for group, rows in members.items() if len(rows) == 0]
    if empty or not order:
        raise LabError(f"No face to judge in group {', '.join(map(repr, empty)) or 'of any name'}: "
                       "leave it out, or add faces of it.")
    threshold = float(np.quantile(others, 1 - false_positive_rate))
    recall = {group: float((faces[rows] > threshold).mean()) for group, rows in members.items()}
    rng = np.random.default_rng(seed)
    drawn = np.quantile(rng.choice(others, (resamples, len(others))), 1 - false_positive_rate,
                        axis=1)
    samples = {group: (rng.choice(faces[rows], (resamples, len(rows))) > drawn[:, None]).mean(1)
               for group, rows in members.items()}
    return Judgement(
        false_positive_rate, threshold, float((faces > threshold).mean()), recall,
        {group: _interval(values) for group, values in samples.items()},
        recall[order[0]] - recall[order[-1]],
        _interval(samples[order[0]] - samples[order[-1]]))


def _scores(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 1 or len(scores) == 0:
        raise LabError(f"The scores have shape {scores.shape}: give one number a picture, (n,).")
    if not np.isfinite(scores).all():
        raise LabError(f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores are not "
                       "finite numbers: look for NaN in the images, or train with a smaller "
                       "learning rate.")
    return scores


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def table(judgements: Mapping[str, Judgement]) -> str:
    """Recall by group in percent as lines of text: one column a detector, gaps last."""
    head = "recall, %"
    first = next(iter(judgements.values()))
    width = max(map(len, [*first.recall, head, "gap, first - last"]))

    def line(name: str, cells) -> str:
        return f"{name:{width}}" + "".join(f"{cell:>20}" for cell in cells)

    def cell(value: float, ends: tuple[float, float]) -> str:
        return f"{100 * value:.1f} [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"

    columns = judgements.values()
    return "\n".join([
        line(head, judgements),
        *(line(group, (cell(j.recall[group], j.interval[group]) for j in columns))
          for group in first.recall),
        line("all faces", (f"{100 * j.overall:.1f}" for j in columns)),
        line("gap, first - last", (cell(j.gap, j.gap_interval) for j in columns))])


def plot_judgements(judgements: Mapping[str, Judgement], ax=None, xlabel: str = "recall") -> None:
    """Recall by group as points with their 95 % intervals, one marker a detector."""
    if ax is None:
        ax = plt.subplots(figsize=(7, 0.6 + 0.55 * len(next(iter(judgements.values())).recall)))[1]
    groups = list(next(iter(judgements.values())).recall)
    rows = np.arange(len(groups), dtype=float)
    for k, (name, judgement) in enumerate(judgements.items()):
        y = rows + (k - (len(judgements) - 1) / 2) * 0.6 / max(len(judgements), 1)
        values = np.array([judgement.recall[group] for group in groups])
        ends = np.array([judgement.interval[group] for group in groups])
        ax.errorbar(values, y, xerr=np.maximum(np.abs(ends.T - values), 0), fmt=MARKERS[k % 8],
                    color=list(COLORS.values())[k % len(COLORS)], linestyle="none", markersize=5,
                    capsize=2, label=name)
    lowest = min(end for judgement in judgements.values()
                 for end, _ in judgement.interval.values())
    ax.set(yticks=rows, yticklabels=groups, ylim=(-0.6, len(groups) - 0.4),
           xlim=(max(0, np.floor(10 * lowest - 1) / 10), 1.01),
           xlabel=f"{xlabel} at a false-positive rate of "
                  f"{next(iter(judgements.values())).false_positive_rate:.0%}")
    ax.invert_yaxis()
    if len(judgements) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
