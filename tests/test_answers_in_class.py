"""The answer bank as a class is graded: each answer in a confined process, judged from outside."""

import json
import os
import subprocess
import sys

import pytest

from lab_utils.config import ROOT


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the bank is judged in forked processes")
def test_grading_a_class_refuses_no_right_answer_and_accepts_no_wrong_one(capsys):
    done = subprocess.run(
        [sys.executable, "-m", "tests.bank_in_class"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1",
                          "TF_NUM_INTEROP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    labs = {}
    for name, part in found.items():
        right, wrong = labs.get(name[:4], (0, 0))
        labs[name[:4]] = right + part["right"], wrong + part["wrong"]
    with capsys.disabled():
        for lab, (right, wrong) in labs.items():
            print(f"\n{lab}: {right} right and {wrong} wrong answers judged in class", end="")
    assert [mistake for part in found.values() for mistake in part["mistakes"]] == []
    assert min(min(counts) for counts in labs.values()) > 30
