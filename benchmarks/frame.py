"""Measure in turns, and keep the numbers: what every benchmark shares.

A benchmark is a module with ``run(repeat, scale) -> Result`` (and ``REPEAT``, if its default is not
5). It measures ours and the peer by
``in_turns``, A, B, A, B, so that whatever else the machine does disturbs both alike, and gives one
``Row`` a comparison. ``store`` keeps the latest result of each benchmark in ``results.json`` and
writes the table.
"""

import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tqdm import tqdm

from lab_utils.errors import LabError
from lab_utils.files import write_text, written_whole
from lab_utils.results import read_results

FOLDER = Path(__file__).resolve().parent
# tiny: a test that everything runs; default: seconds to a few minutes; full: to the end.
SCALES = ("tiny", "default", "full")
CLOCK = "LAB_BENCHMARK_CLOCK"
PACKAGES = ("tensorflow", "keras", "numpy", "torch", "stable-baselines3", "gymnasium", "ale-py")


@dataclass
class Row:
    """One comparison, or, without a peer, one measurement against a limit.

    Args:
        case: the work, such as "512 units, 64 x 128 characters".
        unit: of the values, such as "characters/s" or "s".
        ours, theirs: one value a turn; ``theirs`` is empty without a peer.
        peer: what ``theirs`` measured.
        target: the ratio to reach; without a peer, the limit of our value.
        more_is_better: True for rates, False for durations.
        stopped: the peer did not finish: ``theirs`` is where it was stopped.
        note: a short remark for the table.
    """

    case: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    peer: str = ""
    target: float | None = None
    more_is_better: bool = True
    stopped: bool = False
    note: str = ""

    def ratios(self) -> list[float]:
        """How many times better ours was, turn by turn."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [a / b if self.more_is_better else b / a for a, b in pairs]

    def reached(self) -> bool | None:
        """Whether the target is reached; None if there is none."""
        if self.target is None:
            return None
        if self.theirs:
            return statistics.median(self.ratios()) >= self.target
        value = statistics.median(self.ours)
        return value >= self.target if self.more_is_better else value <= self.target


@dataclass
class Result:
    """What a benchmark found: rows for the table; ``details`` (JSON) for plots and readers;
    ``figures``, matplotlib's, by file name."""

    rows: list[Row]
    details: dict = field(default_factory=dict)
    figures: dict = field(default_factory=dict)


def clock() -> float:
    """Seconds by the clock that ``--clock`` chose: wall, or the processor time of this process."""
    return time.process_time() if by_processor() else time.perf_counter()


def by_processor() -> bool:
    """Whether processor time is measured; by the environment, so that it reaches subprocesses."""
    return os.environ.get(CLOCK) == "cpu"


def in_turns(repeat: int, runs: dict[str, Callable[[], float]],
             warm: bool = True) -> dict[str, list[float]]:
    """Call each of ``runs`` in turn, ``repeat`` times over, and gather what they return.

    With ``warm``, a round before these is not counted: it compiles and fills caches.
    """
    values = {name: [] for name in runs}
    with tqdm(total=(repeat + warm) * len(runs), leave=False, unit="turn", ncols=90,
              disable=None) as bar:
        for turn in range(repeat + warm):
            for name, run in runs.items():
                bar.set_description(name)
                value = run()
                if turn or not warm:
                    values[name].append(float(value))
                bar.update()
    return values


def rate(step: Callable[[], object], amount: float, seconds: float,
         least: int = 2) -> Callable[[], float]:
    """A run for ``in_turns``: repeat ``step`` for ``seconds``; returns amount a second.

    ``step`` runs at least ``least`` times.

    ``step`` must wait for its own result, for instance by ``float(loss)``.
    """
    def run() -> float:
        started, count = clock(), 0
        while count < least or clock() - started < seconds:
            step()
            count += 1
        return amount * count / (clock() - started)

    return run


def seconds_of(work: Callable[[], object]) -> Callable[[], float]:
    """A run for ``in_turns``: how long ``work`` takes."""
    def run() -> float:
        started = clock()
        work()
        return clock() - started

    return run


def need(package: str) -> None:
    """Check that a peer's package is installed.

    Raises:
        LabError: if it is not.
    """
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise LabError(f"{package}, which this benchmark compares with, is not installed: "
                       "run pip install -e \".[bench]\".") from None


class Load:
    """How many cores other programs keep busy between making this and ``others()``."""

    def __init__(self):
        self._start = self._now()

    def others(self) -> float:
        """Mean number of cores that other programs used."""
        (wall, busy, own), (wall0, busy0, own0) = self._now(), self._start
        return max(0.0, (busy - busy0 - (own - own0)) / max(wall - wall0, 1e-9))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        import psutil

        times = psutil.cpu_times()
        own = psutil.Process().cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # What other virtual machines take ("steal") is load too.
        busy = sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return (time.perf_counter(), busy,
                own.user + own.system + own.children_user + own.children_system)


def machine() -> dict:
    """What the numbers depend on: processor, cores, memory, system, versions, graphics card."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cores": cores, "cpu": _cpu(), "memory_gb": _memory(), "system": platform.system(),
            "gpu": _gpu(), "versions": versions}


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    import psutil

    return round(psutil.virtual_memory().total / 1e9)


def _gpu() -> str | None:
    if "tensorflow" not in sys.modules:
        return None
    tf = sys.modules["tensorflow"]
    names = [tf.config.experimental.get_device_details(device).get("device_name", "GPU")
             for device in tf.config.list_physical_devices("GPU")]
    return ", ".join(names) or None


def store(name: str, result: Result, scale: str, seconds: float, others: float,
          folder: Path) -> dict:
    """Keep ``result`` as the latest of ``name`` in ``folder``; returns what was stored.

    ``seconds`` is how long it took, ``others`` how many cores other programs used meanwhile.
    Results on a machine with a GPU are kept apart, under the GPU's name; so are those by processor
    time.
    """
    about = machine()
    entry = {"date": time.strftime("%Y-%m-%d"), "scale": scale, "seconds": round(seconds, 1),
             "clock": "cpu" if by_processor() else "wall",
             "cores_used_by_others": round(others, 2), "machine": about,
             "rows": [asdict(row) for row in result.rows], "details": result.details,
             "figures": sorted(result.figures)}
    for file, figure in result.figures.items():
        with written_whole(folder / file) as temporary:
            figure.savefig(temporary, dpi=90)
    path = folder / "results.json"
    results = read_results(path)
    kind = [about["gpu"]] if about["gpu"] else []
    kind += ["one thread"] if by_processor() else []
    results[f"{name} ({', '.join(kind)})" if kind else name] = entry
    write_text(path, json.dumps(results, indent=1, sort_keys=True) + "\n")
    write_text(folder / "README.md", page(results))
    return entry


def page(results: dict) -> str:
    """The text of ``README.md``: how to measure, and the table."""
    machines = {}
    for name, entry in sorted(results.items()):
        others = entry.get("cores_used_by_others", "unknown")
        machines.setdefault(_about(entry["machine"]), []).append(
            f"{name} ({entry['date']}, {others})")
    return "\n".join([
        "# Benchmarks", "",
        "Ours against a named peer on the same work and data, measured in turns (ours, theirs, "
        "ours, theirs).", "",
        "    pip install -e \".[dev,bench]\"",
        "    python -m benchmarks NAME [--json] [--repeat N] [--full]", "",
        "Each run replaces its part of `results.json`, from which this page is made. Values are "
        "medians; a ratio says how many times better ours is, with its least and greatest value "
        "over the turns.", "", table(results), "",
        "*One thread* (`--clock cpu`): each side has one thread, and its processor time is taken, "
        "which other programs on the machine hardly change. Targets are for two cores by the "
        "clock on the wall.", "",
        *LIMITS,
        "Measured on, with the date and how many cores other programs kept busy meanwhile:", "",
        *[f"- {about}: {', '.join(names)}." for about, names in machines.items()],
        *[f"\n![{name}]({file})" for name, entry in sorted(results.items())
          for file in entry.get("figures", [])], ""])


LIMITS = (
    "Where a target is not reached, or only just:", "",
    "- *lstm_step*: with 8 rows a batch ours and PyTorch are level: runs fall on either side of 1, "
    "by some hundredths. Most of our step there is its products with U (the row that names them). "
    "Both leave them to oneDNN, but PyTorch a whole sequence in one call, ours a step at a time.",
    "- *pong_seeds*: the greedy policy loses some games badly, which the sampled one, as "
    "which it was trained, does not: in one that was looked at it stood still and lost point "
    "after point to the same serve.",
    "- *vae_step*: ours decodes the faces alone, which leaves out a quarter of the "
    "multiplications, and takes many steps a call; what remains are convolutions that both sides "
    "leave to TensorFlow.",
    "")


def table(results: dict) -> str:
    """All rows as one Markdown table."""
    lines = ["| benchmark | case | ours | peer | theirs | ratio | to reach | reached |",
             "|---|---|---|---|---|---|---|---|"]
    for name in sorted(results):
        for row in results[name]["rows"]:
            texts = cells(Row(**row))
            if results[name].get("clock") == "cpu" and not row["theirs"]:
                texts[-1] = ""   # one thread is not judged by limits for two cores
            lines.append("| " + " | ".join([name, *texts]) + " |")
    return "\n".join(lines)


def cells(row: Row) -> list[str]:
    """The texts of a row of the table, after the benchmark's name."""
    ours = f"{number(statistics.median(row.ours))} {row.unit}"
    limit = "at least" if row.more_is_better else "at most"
    if row.theirs:
        theirs = ("over " if row.stopped else "") + number(statistics.median(row.theirs))
        ratios, mark = row.ratios(), "≥ " if row.stopped else ""
        ratio = f"{mark}{number(statistics.median(ratios))}"
        if len(ratios) > 1:
            ratio += f" ({number(min(ratios))} to {number(max(ratios))})"
        target = "" if row.target is None else number(row.target)
    else:
        theirs = ratio = ""
        target = "" if row.target is None else f"{limit} {number(row.target)}"
    reached = {True: "yes", False: "no", None: ""}[row.reached()]
    case = f"{row.case}; {row.note}" if row.note else row.case
    return [case, ours, row.peer, theirs, ratio, target, reached]


def number(value: float) -> str:
    """Three digits, thousands set apart: 0.123, 12.3, 12,300."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _about(about: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    gpu = f", {about['gpu']}" if about["gpu"] else ""
    return (f"{about['cores']} cores of {about['cpu']}{gpu}, {about['memory_gb']} GB of memory, "
            f"{about['system']}; {versions}")
