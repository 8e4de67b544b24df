"""The answer bank through the process that grades a class: ``python -m tests.bank_in_class``.

Prints JSON: for each lab the number of right and wrong answers, and those that were judged wrongly.
A process of its own, since the nursery has to be forked before TensorFlow has run anything.
"""

import inspect
import json
import re
import sys
import tempfile
import time

from lab_utils.grading import examiner
from lab_utils.grading.registry import check_of
from lab_utils.grading.remote import Ended, RemoteFunction

BANK = """
ANSWERS = {}
def right(exercise):
    def register(answer):
        number = ANSWERS[exercise] = ANSWERS.get(exercise, -1) + 1
        globals()[f"answer_{exercise}_{number}"] = answer
        return answer
    return register
def wrong(exercise, what):
    return right(exercise)
"""


def judged(module, start) -> dict:
    """How the answers of one module of the bank fare."""
    from lab_utils.grading.grader import run_check

    lab = module.__name__.rsplit(".", 1)[-1].split("_")[0]
    from tests import answers
    bank = [(exercise, number, *entry[:2]) for (of_lab, exercise), entries in answers.BANK.items()
            if of_lab == lab for number, entry in enumerate(
                entry for entry in entries if entry[2].__module__ == module.__name__)]
    text = re.sub(r"^from \.\S* import .*$", "", inspect.getsource(module), flags=re.MULTILINE)
    helper = getattr(module, "wrongs", None)
    if helper and helper.__module__ != module.__name__:
        text = inspect.getsource(helper) + text
    with tempfile.TemporaryDirectory() as folder:
        session = start(folder, {"seconds": 600, "gigabytes": 16})
        try:
            mistakes, slowest = [], (0.0, "")
            for number, cell in enumerate((BANK, text)):
                reply, _ = session.request(do="cell", index=number, text=cell, names=[],
                                           seconds=60)
                assert not reply["note"], reply["note"]
            for exercise, number, is_right, what in bank:
                began = time.perf_counter()
                answer = RemoteFunction(session, ["name", f"answer_{exercise}_{number}"])
                result = run_check(check_of(lab, exercise), exercise, 1, answer, 0)
                slowest = max(slowest, (time.perf_counter() - began, exercise))
                if session.ended is not None:
                    raise Ended(session.ended)
                if result.passed != is_right:
                    mistakes.append(f"{lab} {exercise}, {what}: {result.text()}")
        finally:
            session.close()
    kinds = [is_right for _, _, is_right, _ in bank]
    return {"right": kinds.count(True), "wrong": kinds.count(False), "mistakes": mistakes,
            "slowest": slowest}


def main() -> None:
    """Judge all, print."""
    import importlib
    import pkgutil

    start = examiner._divide()
    from tests import answers
    found = {}
    for item in pkgutil.iter_modules(answers.__path__):
        if len(sys.argv) == 1 or item.name in sys.argv[1:]:
            module = importlib.import_module(f"{answers.__name__}.{item.name}")
            found[item.name] = judged(module, start)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
