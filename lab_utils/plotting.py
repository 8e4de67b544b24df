"""One look for every figure: colours that colour-blind readers can tell apart, labelled axes."""

import time

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler

# Okabe and Ito (2008), "Color Universal Design"; yellow left out, as it vanishes on white.
COLORS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
}
# Every line also differs in dash, so that a figure reads without colour.
DASHES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]


def use_style() -> None:
    """Set matplotlib's defaults for all figures of the labs."""
    plt.rcParams.update({
        "axes.prop_cycle": cycler(color=list(COLORS.values())) + cycler(linestyle=DASHES),
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "grid.alpha": 0.25,
        "figure.figsize": (7.0, 3.6),
        "figure.dpi": 90,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "image.cmap": "cividis",
        "legend.frameon": False,
        "lines.linewidth": 1.8,
    })


class LivePlot:
    """A plot that is redrawn in place while a training runs; outside a notebook it does nothing.

    Args:
        xlabel, ylabel: of the axes, with units.
        seconds: least time between two drawings.
    """

    def __init__(self, xlabel: str, ylabel: str, seconds: float = 5.0):
        from IPython import get_ipython

        self._labels, self._seconds = (xlabel, ylabel), seconds
        shell = get_ipython()
        self._on = shell is not None and hasattr(shell, "kernel")
        self._drawn, self._handle = time.monotonic(), None

    def update(self, history: dict[str, list]) -> None:
        """Draw ``{name: [[x, y], ...]}``, if the last drawing is long enough ago."""
        if self._on and time.monotonic() - self._drawn > self._seconds:
            self._draw(history)

    def close(self, history: dict[str, list]) -> None:
        """Draw a last time."""
        if self._on and history:
            self._draw(history)

    def _draw(self, history: dict[str, list]) -> None:
        from IPython.display import display

        fig = plot_history(history, *self._labels)
        if self._handle is None:
            self._handle = display(fig, display_id=True)
        else:
            self._handle.update(fig)
        plt.close(fig)
        self._drawn = time.monotonic()


def plot_history(history: dict[str, list], xlabel: str, ylabel: str):
    """Curves of ``{name: [[x, y], ...]}``; long ones as means of some 50 parts. Returns the figure.
    """
    fig, ax = plt.subplots()
    for name, rows in history.items():
        x, y = np.asarray(rows, float).T
        parts = np.array_split(np.arange(len(x)), min(len(x), 50))   # to the very last value
        ax.plot([x[part].mean() for part in parts], [y[part].mean() for part in parts], label=name,
                marker="o" if len(parts) < 40 else None, markersize=4)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return fig
