"""Figures that set generated tunes beside real ones."""

import matplotlib.pyplot as plt
import numpy as np

from ..plotting import COLORS
from .judge import Judgement

HATCHES = ["", "///", "..."]


def plot_comparison(*judgements: Judgement):
    """Histograms of pitch, interval and longest copied run, one bar a set; returns the figure."""
    fig, axes = plt.subplots(1, 3, figsize=(12, 3.6))
    panels = [(axes[0], [j.pitches() for j in judgements], 2, "pitch (MIDI number, 60 = middle C)",
               "share of notes"),
              (axes[1], [j.intervals() for j in judgements], 2, "step to the next note (semitones)",
               "share of steps"),
              (axes[2], [j.copied for j in judgements], 3, "longest copied run (notes)",
               "share of tunes")]
    for ax, values, step, xlabel, ylabel in panels:
        joined = np.concatenate(values)
        low, high = np.percentile(joined, [0.2, 99.8]) if len(joined) else (0, 1)
        edges = np.arange(np.floor(low) - 0.5, high + step, step)
        width = step / (len(judgements) + 0.4)
        for index, (judgement, value) in enumerate(zip(judgements, values, strict=True)):
            counts, _ = np.histogram(value, edges)
            ax.bar(edges[:-1] + step / 2 + (index - (len(judgements) - 1) / 2) * width,
                   counts / max(len(value), 1), width, label=judgement.name,
                   color=list(COLORS.values())[index], hatch=HATCHES[index % 3],
                   edgecolor="white", linewidth=0.5)
        ax.set(xlabel=xlabel, ylabel=ylabel)
    axes[0].legend()
    return fig
