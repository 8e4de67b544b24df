"""Helpers for the three lab notebooks: data, plots, checks, and what is not the lesson.

Importing this package is fast: nothing heavy is loaded until it is used.
"""

import importlib
import os

__version__ = "0.1.0"

# TensorFlow's C++ start-up notices are not for students; has an effect if set before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow leaves oneDNN off on processors without AVX-512, where it, too, nearly halves the time
# of the labs' convolutions; likewise.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Public names and the modules they live in, imported on first use (PEP 562).
_LAZY = {
    "Grader": "lab_utils.grading",
    "LabError": "lab_utils.errors",
    "budget": "lab_utils.config",
    "quiet_start": "lab_utils.quiet",
    "use_style": "lab_utils.plotting",
}

__all__ = [*_LAZY, "__version__"]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
