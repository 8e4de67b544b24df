"""The frame: whole-file writes, results, unfinished answers, headless runs."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from lab_utils import config, files, quiet, results, run
from lab_utils.__main__ import main
from lab_utils.errors import LabError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_unwritable_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LabError, match="could not be written"):
        files.write_text(tmp_path / "file" / "b.txt", "x")


def test_checksum_is_that_of_the_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")   # FIPS 180-2, B.1


def test_an_unknown_budget_is_refused(monkeypatch):
    monkeypatch.setenv("LAB_BUDGET", "medium")
    with pytest.raises(LabError, match="quick"):
        config.budget()


def test_results_accumulate_and_a_damaged_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_OUT", str(tmp_path))
    results.record("lab1", a=1)
    results.record("lab2", a=2)
    results.record("lab1", b=3)
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored == {"lab1": {"a": 1, "b": 3}, "lab2": {"a": 2}}
    (tmp_path / "results.json").write_text('{"lab1": ')
    with pytest.raises(LabError, match="damaged"):
        results.record("lab1", c=4)


def test_an_unknown_lab_is_one_line_and_exit_code_2(capsys):
    assert main(["run", "--lab", "9"]) == 2
    assert "no lab 9" in capsys.readouterr().err


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def printed(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.slow
def test_stubs_do_not_stop_a_notebook(tmp_path):
    done = run.execute(notebook(
        "from lab_utils import todo; todo.install()",
        "def f(x):\n    raise NotImplementedError",
        "y = f(3)",
        "y + 1",
        "print('still here')",
        "class Layer:\n    def call(self):\n        raise NotImplementedError\nLayer().call()",
        "def f(x):\n    return x\ny = f(3)",
        "print(y)",
    ), "stubs", "quick", tmp_path)
    texts = [printed(cell) for cell in done.cells]
    assert texts[2] == "[TODO] This cell needs f, which is not written yet.\n"
    assert texts[3] == "[TODO] y comes from a cell that waits for f.\n"
    assert texts[4] == "still here\n"
    assert texts[5] == "[TODO] This cell needs Layer, which is not written yet.\n"
    assert texts[7] == "3\n"
    assert (tmp_path / "stubs.html").stat().st_size > 1000


@pytest.mark.slow
def test_a_stub_leaves_no_empty_figure(tmp_path):
    done = run.execute(notebook(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\n"
        "from lab_utils import todo; todo.install()",
        "fig, ax = plt.subplots()",
        "def f(x):\n    raise NotImplementedError\nfig, ax = plt.subplots()\nax.plot(f(3))",
    ), "figure", "quick", tmp_path)
    kinds = [[output.output_type for output in cell.outputs] for cell in done.cells]
    assert kinds == [[], ["display_data"], ["stream"]]


@pytest.mark.slow
def test_other_errors_stop_a_run_which_says_where_and_keeps_the_rest(tmp_path):
    with pytest.raises(LabError, match="Cell 1 of bad failed with NameError"):
        run.execute(notebook("from lab_utils import todo; todo.install(); print('kept')",
                             "undefined_name"), "bad", "quick", tmp_path)
    assert "kept" in (tmp_path / "bad.ipynb").read_text()


@pytest.mark.slow
def test_a_lab_error_shows_its_sentence_without_a_traceback(tmp_path):
    cells = notebook("from lab_utils import LabError\nraise LabError('Do this.')")
    with pytest.raises(LabError):
        run.execute(cells, "sentence", "quick", tmp_path)
    assert cells.cells[0].outputs[0].traceback == ["LabError: Do this."]


@pytest.mark.slow
def test_importing_tensorflow_quietly_prints_nothing():
    code = ("from lab_utils import quiet_start\nwith quiet_start():\n    import tensorflow as tf\n"
            "float(tf.reduce_sum(tf.ones(3)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_failing_quiet_import_still_says_why(capfd):
    with pytest.raises(ImportError), quiet.quiet_start():
        os.write(2, b"the reason\n")
        raise ImportError
    assert "the reason" in capfd.readouterr().err


def test_importing_the_package_loads_nothing_heavy():
    code = ("import sys, lab_utils\n"
            "heavy = {'tensorflow', 'keras', 'matplotlib', 'music21', 'numba', 'numpy'}\n"
            "print(sorted(heavy & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_the_doctor_looks_at_every_part_and_says_what_to_do(capsys, monkeypatch):
    from lab_utils import doctor

    found = [*doctor.findings(), (False, "a part", "mend it")]
    monkeypatch.setattr(doctor, "findings", lambda: iter(found))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    for part in ("Python 3.", "tensorflow 2.", "GB memory free", "usable tunes", "verovio",
                 "face data set: "):
        assert f"[ok] {part}" in printed or part in printed
    assert "[!!] a part: mend it" in printed
