"""What goes wrong on a student's machine: a kill, a full disk, a folder that cannot be written."""

import os
import resource
import subprocess
import sys

import pytest

from lab_utils import LabError, config, files, results
from lab_utils.__main__ import main
from lab_utils.config import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of Unix")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_killed_twenty_times_ends_as_an_unbroken_one(tmp_path):
    from tests.survive import half_written, survive

    outcome = survive(tmp_path, kills=20)
    print(f"\n{outcome.kills} kills, {outcome.half_written} of them in the middle of a file; "
          f"relative difference from an unbroken run {outcome.difference:.1e}")
    assert outcome.steps_logged and outcome.half_written > 0
    assert outcome.difference < 1e-5
    assert not [path for path in half_written(tmp_path) if path.parent != tmp_path / "broken"]


# ---- a full disk ------------------------------------------------------------------------------

# No file may grow beyond the limit: writes fail as on a full disk, in whatever language.
FULL = """
import resource, signal, sys
from lab_utils import LabError, quiet_start
with quiet_start():
    import keras, numpy as np
from lab_utils import files, training
from lab_utils.faces import records
from lab_utils.music import sound

folder = sys.argv[1]
model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
run = training.TrainingRun(folder, model, keras.optimizers.Adam(), 3, {}, plot=None)
run._open()

def checkpoint():
    run.step += 1
    run.save()

picture = dict(image=np.random.default_rng(0).bytes(50_000))
ACTIONS = dict(
    weights=lambda: run.keep("best"), checkpoint=checkpoint,
    sound=lambda: sound.to_wav("K:G\\nABc", folder + "/a.wav"),
    text=lambda: files.write_text(folder + "/a.txt", "x" * 30_000),
    faces=lambda: records.write_records(folder + "/a.gz", [picture]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for name, act in ACTIONS.items():
    act()
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
    try:
        act()
    except LabError as error:
        print(name, error, flush=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
"""


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, text=True,
                          capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    sentences = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(sentences) == {"weights", "checkpoint", "sound", "text", "faces"}
    assert all("could not be written" in sentence and "free some space" in sentence
               for sentence in sentences.values())
    assert not list(tmp_path.rglob(".part-*"))
    for name in ("*/best.weights.h5", "*/ckpt-1.index", "*/ckpt-1.data*", "a.wav", "a.txt", "a.gz"):
        assert len(list(tmp_path.glob(name))) == 1, name


# ---- a folder that cannot be written ----------------------------------------------------------


@pytest.fixture
def closed(tmp_path):
    """A place in which nothing can be made, even by an administrator: a file is in the way."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "folder"


def test_a_closed_output_folder_is_one_sentence(closed, monkeypatch, capsys):
    monkeypatch.setenv("LAB_OUT", str(closed))
    for act in (config.output_dir, lambda: results.record("lab1", a=1),
                lambda: files.write_text(closed / "a.txt", "")):
        with pytest.raises(LabError, match="LAB_OUT"):
            act()
    assert main(["run", "--lab", "1", "--out", str(closed)]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0,
                    reason="an administrator writes anywhere")
def test_a_read_only_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LabError, match="Permission denied"):
        files.write_text(tmp_path / "a.txt", "x")
    tmp_path.chmod(0o700)


def test_no_space_while_writing_leaves_the_old_file(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(LabError, match="free some space"):
            files.write_text(tmp_path / "a.txt", "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
