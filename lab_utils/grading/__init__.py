"""Checks of the graded exercises, and the Grader that runs them in a notebook."""

from .grader import CheckResult, Grader
from .registry import exercises, points

__all__ = ["CheckResult", "Grader", "exercises", "points"]
