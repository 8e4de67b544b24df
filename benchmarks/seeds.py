"""Long trainings over several seeds, of which those that are finished are kept."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from lab_utils.files import write_text
from lab_utils.results import read_results


def over_seeds(seeds: Iterable[int], train: Callable[[int], dict], settings: dict,
               path: Path | None) -> list[dict]:
    """What ``train(seed)`` gives (JSON) for each seed.

    With a ``path``, each is kept there when it is done and not trained again by the next call, so
    that an interrupted run goes on; other ``settings`` begin anew.
    """
    known = json.dumps(settings, sort_keys=True, default=str)
    kept = read_results(path) if path else {}
    if kept.get("settings") != known:
        kept = {"settings": known, "runs": {}}
    for seed in seeds:
        if str(seed) not in kept["runs"]:
            kept["runs"][str(seed)] = train(seed)
            if path:
                write_text(path, json.dumps(kept))
    return [kept["runs"][str(seed)] for seed in seeds]
