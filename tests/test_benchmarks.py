"""Each benchmark runs at its smallest scale and keeps its numbers; none is judged by speed here."""

import itertools
import json
import math
import os
import subprocess
import sys

import pytest

from benchmarks import frame
from benchmarks.__main__ import NAMES, main
from benchmarks.apart import Processes
from benchmarks.lab_code import functions, settings
from benchmarks.pong import Readings
from lab_utils import LabError


def test_runs_take_turns_and_the_first_round_is_not_counted():
    calls = []
    values = frame.in_turns(2, {name: lambda name=name: calls.append(name) or len(calls)
                                for name in "ab"})
    assert "".join(calls) == "ababab" and values == {"a": [3, 5], "b": [4, 6]}


def made_with(start: int):
    """For a process of its own: counts up from ``start``, or says in which process it is."""
    counter = itertools.count(start)
    return lambda: os.getpid() if start < 0 else next(counter)


def test_a_run_of_its_own_process_is_made_there_once():
    with Processes() as apart:
        counts, pids = apart.run("a", made_with, 5), apart.run("b", made_with, -1)
        assert [counts(), counts()] == [5, 6]
        assert pids() == pids() != os.getpid()
        assert apart.run("a", made_with, -1)() != pids()
        failing = apart.run("a", math.sqrt, -1)
        with pytest.raises(ValueError):
            failing()


def test_peak_memory_is_that_of_the_process_alone():
    held = bytearray(500_000_000)
    held[::4096] = b"x" * len(held[::4096])   # this process really holds it
    done = subprocess.run([sys.executable, "-c", "from benchmarks.scaling import peak_memory\n"
                           "print(peak_memory())\nheld = b'x' * 100_000_000\n"
                           "print(peak_memory())"], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert 1 < before < 300 and 80 < after - before < 150


def test_a_ratio_says_how_many_times_better_ours_is():
    rates = frame.Row("", "steps/s", [30, 40], [10, 10], "peer", target=3.5)
    times = frame.Row("", "s", [2, 2], [5, 7], "peer", target=3.5, more_is_better=False)
    assert rates.ratios() == [3, 4] and rates.reached()
    assert times.ratios() == [2.5, 3.5] and not times.reached()


@pytest.mark.parametrize(("more", "value", "reached"), [
    (True, 3, True), (True, 1, False), (False, 1, True), (False, 3, False)])
def test_a_limit_without_a_peer(more, value, reached):
    row = frame.Row("", "s", [value], target=2, more_is_better=more)
    assert row.reached() is reached
    assert frame.cells(row)[-1] == ("yes" if reached else "no")


def test_a_peer_that_was_stopped_gives_a_lower_bound():
    row = frame.Row("loss", "s", [100], [300], "peer", 3, more_is_better=False, stopped=True)
    assert frame.cells(row) == ["loss", "100 s", "peer", "over 300", "≥ 3", "3", "yes"]


def test_the_latest_result_of_each_name_is_kept(tmp_path):
    for value in (1, 2):
        for name in ("one", "two"):
            result = frame.Result([frame.Row("case", "s", [value])])
            frame.store(name, result, "tiny", 1, 0, tmp_path)
    stored = json.loads((tmp_path / "results.json").read_text())
    assert [stored[name]["rows"][0]["ours"] for name in ("one", "two")] == [[2], [2]]
    assert {"cores", "cpu", "versions"} <= set(stored["one"]["machine"])
    text = (tmp_path / "README.md").read_text()
    assert text.count("| one | case | 2 s |") == 1


def test_a_training_that_ends_before_its_time_stays_where_it_is():
    readings = Readings(limit=60, every=20)
    assert readings.update([3.0, 5.0])
    readings.end()
    assert readings.values == [4.0, 4.0, 4.0]


def test_a_missing_peer_is_one_sentence():
    with pytest.raises(LabError, match="bench"):
        frame.need("no-such-package")


def test_an_unknown_exercise_is_refused():
    with pytest.raises(LabError, match="no exercise 'fly'"):
        functions("lab1", "fly")


def test_the_settings_of_a_lab_are_those_of_its_notebook():
    assert settings("lab1")["rnn_units"] == 512 and settings("lab1")["use_shipped"] is False


NEEDS = {"lstm_step": "torch", "cartpole": "stable_baselines3",
         "pong": "stable_baselines3"}   # peers that are an extra


def run_tiny(name, tmp_path, capsys):
    assert main([name, "--scale", "tiny", "--repeat", "1", "--json", "--out", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "results.json").read_text())
    rows = [frame.Row(**row) for row in printed[name]["rows"]]
    assert rows and all(row.ours for row in rows)
    assert all(math.isfinite(value) and (value >= 0 or row.unit in ("slope", "mean return"))
               for row in rows for value in row.ours)
    assert NAMES[name] and frame.table(printed) in (tmp_path / "README.md").read_text()
    return rows


def test_finished_seeds_are_not_trained_again_until_the_settings_change(tmp_path):
    from benchmarks.seeds import over_seeds
    trained, path = [], tmp_path / "kept.json"

    def train(seed):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(seed)
        return {"seed": seed}

    with pytest.raises(KeyboardInterrupt):
        over_seeds(range(3), train, {"rate": 1}, path)
    trained.clear()
    assert over_seeds(range(3), train, {"rate": 1}, path) == [{"seed": i} for i in range(3)]
    assert trained == [2]
    over_seeds(range(1), train, {"rate": 2}, path)
    assert trained == [2, 0]
    trained.clear()
    over_seeds(range(1), train, {"rate": 2}, None)
    assert trained == [0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["startup", "check", "lstm_step", "generate", "music_to_loss",
                                  "vae_step", "cartpole", "pong", "pong_seeds", "scaling"])
def test_a_benchmark_runs_and_keeps_its_numbers(name, tmp_path, capsys):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    run_tiny(name, tmp_path, capsys)


@pytest.mark.slow
def test_scaling_plays_with_the_lab_s_policy():
    from benchmarks.scaling import work
    work("environments", 2)()
