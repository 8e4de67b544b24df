"""``python -m lab_utils grade``: honest, hostile and damaged submissions, side by side."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from lab_utils.__main__ import main
from lab_utils.config import ROOT
from lab_utils.grading import confine
from tests.submissions import (
    CHEATS,
    HOSTILE,
    IMPORTS,
    NEEDS,
    PERCEPTRON,
    VECTORIZE,
    WRONG,
    in_cell,
    notebook,
)

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")


def write(folder, name, text):
    path = folder / f"{name}_lab1.ipynb"
    path.write_text(text, encoding="utf-8")
    return path


def by_name(results):
    """Name -> result."""
    return {os.path.basename(result["file"]).removesuffix("_lab1.ipynb"): result
            for result in results}


def words(result):
    return " ".join([*result["notes"], *(row["reason"] for row in result["exercises"].values())])


def test_what_is_no_notebook_gets_nothing_and_a_reason(tmp_path, capsys):
    for name, text in (("a", "no JSON"), ("b", "[1]"), ("c", '{"cells": 7}'), ("d", "")):
        (tmp_path / f"{name}.ipynb").write_text(text)
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--json",
                 "--jobs", "1"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [result["earned"] for result in results] == [0, 0, 0, 0]
    assert all("not a notebook" in result["notes"][0] for result in results)


def test_nothing_to_grade_is_said(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 2
    assert main(["grade", str(tmp_path / "missing.ipynb")]) == 2
    assert "no notebook" in capsys.readouterr().err


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """All submissions, graded by one run of the command; and what they tried to reach."""
    folder = tmp_path_factory.mktemp("class")
    precious, out = folder / "precious", folder / "out"
    precious.mkdir()
    (precious / "file").write_text("kept")
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    facts = {"PRECIOUS": precious, "FOLDER": folder, "OUT": out,
             "PORT": server.getsockname()[1]}

    def filled(text):
        for word, value in facts.items():
            text = text.replace(word, str(value))
        return text

    allowed = confine.describe()
    for name, cells in [*((name, [cell]) for name, cell in CHEATS.items()),
                        *((name, cells) for name, (cells, _, _) in HOSTILE.items())]:
        if allowed.get(NEEDS.get(name), True):
            write(folder, name, notebook([IMPORTS, PERCEPTRON, *map(filled, cells)]))
    write(folder, "honest", notebook([IMPORTS, PERCEPTRON, "while True: perceptron(0, 0, 0)",
                                      VECTORIZE]))
    check = {"nbgrader": {"grade": True, "solution": False, "grade_id": "check-vectorize"}}
    write(folder, "edited_check", notebook(
        [IMPORTS, PERCEPTRON, WRONG, in_cell("print('[PASS]')", VECTORIZE)], metadata={3: check}))
    write(folder, "large", notebook([IMPORTS, PERCEPTRON, VECTORIZE], outputs=[
        {"output_type": "stream", "name": "stdout", "text": "x" * (50 * 2 ** 20 // 3)}]))
    write(folder, "no_json", notebook([IMPORTS, PERCEPTRON])[:-30])
    assert main(["grade", str(folder), "--out", str(out), "--cell-seconds", "15", "--jobs", "2",
                 "--memory", "2"]) == 0
    results = by_name(json.loads(path.read_text()) for path in (out / "results").iterdir())
    yield results, facts, server
    server.close()


@pytest.mark.slow
@LINUX
def test_a_cheat_earns_only_what_it_earned(graded):
    results, _, _ = graded
    tried = [name for name in CHEATS if name in results]
    assert len(tried) >= len(CHEATS) - 3
    assert {name: results[name]["earned"] for name in tried} == dict.fromkeys(tried, 4)
    assert results["edited_check"]["earned"] == 4
    if "attacks_the_examiner" in results:
        assert "memory of another process" not in words(results["attacks_the_examiner"])


@pytest.mark.slow
@LINUX
def test_no_submission_hurts_itself_more_than_it_must_or_any_other(graded):
    results, facts, server = graded
    wrong = {name: (results[name]["earned"], words(results[name])[:200])
             for name, (_, earned, reason) in HOSTILE.items() if name in results
             and (results[name]["earned"] != earned or reason not in words(results[name]))}
    assert wrong == {}
    assert results["honest"]["earned"] == results["large"]["earned"] == 8
    assert results["honest"]["notes"] == []
    assert "not a notebook" in results["no_json"]["notes"][0]
    assert (facts["PRECIOUS"] / "file").read_text() == "kept"
    assert len(list(facts["FOLDER"].glob("*.ipynb"))) == len(results)
    with pytest.raises(TimeoutError):   # nobody came
        server.accept()


@pytest.mark.slow
@LINUX
def test_the_report_says_the_same_as_the_results(graded):
    results, facts, _ = graded
    rows = list(csv.DictReader((facts["OUT"] / "report.csv").open()))
    sums = {row["file"]: int(row["earned"]) for row in rows if row["exercise"] == "sum"}
    assert sums == {result["file"]: result["earned"] for result in results.values()}
    page = (facts["OUT"] / "report.html").read_text()
    assert all(f"{name}_lab1.ipynb" in page for name in results)


@pytest.mark.slow
@LINUX
def test_nothing_is_left_running(graded):
    import psutil

    def ours():
        return [process for process in psutil.process_iter(["cmdline"])
                if "lab_utils.grading.examiner" in " ".join(process.info["cmdline"] or [])]

    end = time.monotonic() + 10
    while ours() and time.monotonic() < end:
        time.sleep(0.2)
    assert ours() == []


def times_of_results(out):
    """When each result was written; a name that begins with a dot is a file under way."""
    return {path: path.stat().st_mtime_ns for path in out.glob("results/[!.]*.json")}


@pytest.mark.slow
@LINUX
def test_a_run_that_is_stopped_goes_on_where_it_was(tmp_path):
    count = 60   # so many that they are not all graded before the signal arrives
    for number in range(count):
        write(tmp_path, f"s{number}", notebook([IMPORTS, PERCEPTRON, VECTORIZE]))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lab_utils", "grade", str(tmp_path), "--out", str(out),
               "--jobs", "1"]
    running = subprocess.Popen(   # tests that run in the background hand on an ignored SIGINT
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    end = time.monotonic() + 120
    while not times_of_results(out) and time.monotonic() < end:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    kept = times_of_results(out)
    assert 0 < len(kept) < count
    rows = list(csv.DictReader((out / "report.csv").open()))
    assert sum(row["exercise"] == "sum" for row in rows) == len(kept)
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    results = times_of_results(out)
    assert len(results) == count and kept.items() <= results.items()
    assert {json.loads(path.read_text())["earned"] for path in results} == {8}


@pytest.mark.slow
def test_where_processes_cannot_be_forked_they_are_started(tmp_path):
    from lab_utils.grading.slots import Slots

    limits = {"seconds": 120, "cell_seconds": 60, "gigabytes": 8, "seed": 5}
    with Slots(1, limits, spawn=True) as slots:
        result = slots.grade(write(tmp_path, "a", notebook([IMPORTS, PERCEPTRON, VECTORIZE])))
        cheat = slots.grade(write(tmp_path, "b", notebook([IMPORTS, PERCEPTRON,
                                                           CHEATS["changed_grader"]])))
        network = HOSTILE["network"][0][0].replace("PORT", "9")
        refused = slots.grade(write(tmp_path, "c", notebook([IMPORTS, PERCEPTRON, network])))
    assert (result["earned"], result["notes"], result["seed"]) == (8, [], 5)
    assert cheat["earned"] == refused["earned"] == 4
    assert "there is no network" in words(refused)
