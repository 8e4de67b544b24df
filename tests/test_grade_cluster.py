"""``grade --scheduler``: a real Dask scheduler and two workers, one of which is killed."""

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from lab_utils.__main__ import main
from lab_utils.config import ROOT
from lab_utils.grading import cli
from lab_utils.grading.submission import slim
from tests.submissions import IMPORTS, PERCEPTRON, VECTORIZE, WRONG, notebook

pytest.importorskip("distributed", reason="dask.distributed is not installed (extra: cluster)")


@pytest.fixture
def cluster(tmp_path):
    """The scheduler's address, and its two workers."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    file, started = tmp_path / "scheduler.json", []

    def start(module, *arguments):
        started.append(subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments], cwd=tmp_path,
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(file))
        workers = [start("dask_worker", "--scheduler-file", str(file), "--nthreads", "1",
                         "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
                         "--local-directory", str(tmp_path / f"worker{n}")) for n in range(2)]
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        from distributed import Client
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, workers
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a worker is killed by a signal")
def test_a_lost_worker_loses_no_submission_and_none_is_graded_twice(cluster, tmp_path,
                                                                    monkeypatch, capsys):
    address, workers = cluster
    folder, out = tmp_path / "class", tmp_path / "out"
    folder.mkdir()
    earned = {}
    for number in range(8):
        path = folder / f"s{number}_lab1.ipynb"
        path.write_text(notebook([IMPORTS, PERCEPTRON, VECTORIZE if number % 2 else WRONG]))
        earned[str(path)] = 8 if number % 2 else 4
    written, write_text = Counter(), cli.write_text

    def counted(path, text):
        written[path] += 1
        write_text(path, text)

    monkeypatch.setattr(cli, "write_text", counted)

    def kill_one():
        end = time.monotonic() + 200
        while len(list(out.glob("results/[!.]*.json"))) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        workers[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert main(["grade", str(folder), "--out", str(out), "--json", "--scheduler", address]) == 0
    killer.join()
    assert workers[0].poll() is not None and workers[1].poll() is None
    results = json.loads(capsys.readouterr().out)
    assert {result["file"]: result["earned"] for result in results} == earned
    assert len(results) == 8 and set(written.values()) == {1}
    rows = list(csv.DictReader((out / "report.csv").open()))
    assert sum(row["exercise"] == "sum" for row in rows) == 8


@pytest.mark.slow
def test_no_scheduler_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lab_utils.grading.cluster.CONNECT_SECONDS", 1)
    (tmp_path / "a.ipynb").write_text(notebook([IMPORTS]))
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--scheduler",
                 "tcp://127.0.0.1:9"]) == 2
    assert "No Dask scheduler answers" in capsys.readouterr().err


def test_what_is_sent_has_no_outputs():
    text = notebook([PERCEPTRON], outputs=[{"output_type": "stream", "text": "x" * 10 ** 6}])
    small = slim(text.encode())
    assert len(small) < 1000 and json.loads(small)["cells"][0]["source"] == PERCEPTRON
    assert slim(b"no notebook") == b"no notebook" and slim(b"[1]") == b"[1]"
