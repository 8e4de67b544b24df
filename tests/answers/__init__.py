"""A bank of answers to the exercises: right ones, written in different ways, and wrong ones.

``@right("id")`` and ``@wrong("id", "what is wrong")`` register an answer for the lab of the module.
"""

from collections import defaultdict

BANK = defaultdict(list)   # (lab, exercise) -> [(is right, what it is, answer)]


def _lab(answer) -> str:
    return answer.__module__.rsplit(".", 1)[-1].split("_")[0]


def right(exercise: str):
    """Register a right answer."""
    def register(answer):
        name = f"{answer.__name__}"
        BANK[_lab(answer), exercise].append((True, name, answer))
        return answer
    return register


def wrong(exercise: str, what: str):
    """Register a wrong answer and say what is wrong."""
    def register(answer):
        BANK[_lab(answer), exercise].append((False, what, answer))
        return answer
    return register
