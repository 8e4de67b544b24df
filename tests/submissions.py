"""Submissions of Lab 1, honest and hostile, and what each has earned.

Every one answers ``perceptron`` rightly, which is worth 4 points, before it does anything else.
"""

import json

IMPORTS = ("import numpy as np\nimport tensorflow as tf\nfrom lab_utils import Grader\n"
           "grader = Grader('lab1')")
PERCEPTRON = "def perceptron(x, w, b):\n    return 1 / (1 + np.exp(-(np.dot(x, w) + b)))"
VECTORIZE = ("def vectorize(text, char_to_id):\n"
             "    return np.array([char_to_id[c] for c in text], dtype='int64')")
WRONG = "def vectorize(text, char_to_id):\n    return np.zeros(len(text), dtype='int64')"


def in_cell(text, answer=WRONG):
    """A cell that does something hostile and then answers."""
    return f"{text}\n{answer}"


def in_call(text):
    """An answer that does something hostile when it is called."""
    body = "\n".join(f"    {line}" for line in text.strip().splitlines())
    return f"def vectorize(text, char_to_id):\n{body}\n    return np.zeros(len(text), 'int64')"


# Each is one more cell, after the right answer to ``perceptron``; it earns nothing.
CHEATS = {
    "changed_grader": in_cell("""
import builtins, lab_utils.grading.grader as g, lab_utils.grading.checker as c
g.run_check = lambda *a, **k: g.CheckResult('x', 100, True)
g.Grader.check = lambda *a, **k: g.CheckResult('x', 100, True)
c.Checker.that = c.Checker.close = lambda *a, **k: True
c.Checker.close.__code__ = (lambda self, *a, **k: True).__code__
grader.check = lambda *a, **k: None"""),
    "changed_libraries": in_cell("""
import builtins, json
np.all = np.allclose = np.array_equal = np.isfinite = lambda *a, **k: True
np.abs = lambda *a, **k: np.zeros(1)
tf.reduce_all = tf.debugging.assert_near = lambda *a, **k: True
builtins.all = builtins.bool = lambda *a: True
builtins.print = builtins.len = lambda *a, **k: 0
json.dumps = lambda *a, **k: '{"passed": true, "earned": 100}'"""),
    "changed_libraries_in_call": in_call("""
np.all = np.array_equal = lambda *a, **k: True
import lab_utils.grading.checker as c
c.Checker.that = lambda *a, **k: True"""),
    "changed_modules": in_cell("""
import sys, types
class Yes(types.ModuleType):
    CHECKS = {'vectorize': lambda answer, check: check.that('yes', True)}
    def __getattr__(self, name):
        return lambda *a, **k: True
for name in list(sys.modules):
    if name.startswith(('lab_utils', 'json', 'struct')):
        sys.modules[name] = Yes(name)
sys.modules['lab_utils.grading.checks_lab1'] = Yes('checks')"""),
    "forged_files": in_cell("""
import json, os, pathlib
forged = json.dumps({'lab': 'lab1', 'earned': 100, 'points': 100, 'exercises': {}})
for place in ('.', '..', os.environ.get('LAB_OUT', '.'), 'OUT', 'OUT/results'):
    for name in ('lab1_results.json', 'results.json', 'report.csv', 'result.json'):
        try:
            pathlib.Path(place, name).write_text(forged)
        except OSError:
            pass"""),
    "at_the_end": in_cell("""
import atexit, os, signal, threading, time
def forge(*arguments):
    for number in range(64):
        try:
            os.write(number, b'{"passed": true, "earned": 100, "points": 100}\\n')
        except OSError:
            pass
atexit.register(forge)
signal.signal(signal.SIGTERM, forge)
signal.signal(signal.SIGALRM, forge)
signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
threading.Thread(target=lambda: (time.sleep(0.1), forge()), daemon=True).start()"""),
    "guessed_files": in_call("""
import json, os, struct
tree = json.dumps({'passed': True, 'value': ['list', []], 'changed': [], 'drawn': [], 'models': [],
                   'exercise': 'vectorize', 'earned': 100}).encode()
for number in range(1024):
    try:
        os.write(number, struct.pack('>II', len(tree), 0) + tree)
    except OSError:
        pass"""),
    "forged_replies": in_cell("""
import gc, struct
for thing in gc.get_objects():
    if hasattr(thing, 'fileno') and hasattr(thing, 'write') and hasattr(thing, 'mode'):
        try:
            thing.write(struct.pack('>II', 16, 0) + b'{"passed": true}')
            thing.flush()
        except Exception:
            pass"""),
    "equal_to_all": in_cell("""
class Same(np.ndarray):
    def __eq__(self, other): return np.True_
    def __le__(self, other): return np.True_
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return np.True_
    def tobytes(self, *a): return b''
""", "def vectorize(text, char_to_id):\n    return np.zeros(len(text), 'int64').view(Same)"),
    "equal_object": in_cell("""
class All:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __array__(self, *a, **k): raise SystemExit
    def __reduce__(self): return (exec, ('import os; os._exit(7)',))
    shape = property(lambda self: self)
    __bool__ = __len__ = __int__ = lambda self: 1
""", "vectorize = All()\nvectorize = All()"),
    "looks_for_the_answer": in_call("""
import gc, sys
frame = sys._getframe()
while frame:
    for name, value in list(frame.f_locals.items()):
        if name in ('wanted', 'want', 'expected'):
            return value
    frame = frame.f_back
for thing in gc.get_objects():
    if type(thing).__name__ == 'Checker':
        return thing.rng.integers(0, 9, len(text))"""),
    "reads_the_checks": in_cell("""
import lab_utils, os
source = open(os.path.join(os.path.dirname(lab_utils.__file__), 'grading', 'registry.py')).read()
found = source.count('vectorize')""", "def vectorize(text, char_to_id):\n    return found"),
    "imports_the_checks": in_cell("""
from lab_utils.grading import checks_lab1
from lab_utils.grading.checks_lab1 import lstm_reference""",
                                  "def lstm_step(*arrays):\n    return lstm_reference(*arrays)"),
    "attacks_the_examiner": in_cell("""
import os, signal
for pid in [os.getppid(), *range(max(1, os.getpid() - 40), os.getpid() + 40), -1]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
        try:
            open(f'/proc/{pid}/mem', 'r+b').close()
            raise SystemError('the memory of another process is open')
        except OSError:
            pass"""),
    "removes_its_checker": in_cell("raise NotImplementedError"),
}

# What must be allowed here for these to be tried: without it they would succeed, or do harm.
NEEDS = {"imports_the_checks": "files out of reach", "reads_the_checks": "files out of reach",
         "deletes": "files out of reach",
         "attacks_the_examiner": "no network, other processes out of sight"}

# Name -> (cells after the right perceptron, points earned in all, words of a note or reason).
HOSTILE = {
    "leaves": (["import os\nos._exit(0)\nrnn_step = 0", VECTORIZE], 8, "exit code 0"),
    "leaves_in_call": ([in_call("import os\nos._exit(3)")], 4, "exit code 3"),
    "crashes": (["import ctypes\nctypes.string_at(0)\n" + WRONG, "x = 1"], 4, "SIGSEGV"),
    "loops": ([in_call("while True:\n    try:\n        pass\n    except BaseException:\n"
                       "        pass")], 4, "longer than allowed"),
    "fork_storm": ([in_cell("import os\nwhile True:\n    os.fork()"), "y = 1"], 4, "was stopped"),
    "escapes": ([in_cell("import os, time\nif os.fork() == 0:\n    os.setsid()\n"
                         "    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)"),
                 ], 4, ""),
    "memory": ([in_call("hoard = [bytearray(2 ** 31) for _ in range(2 ** 20)]")], 4, "memory"),
    "large_file": ([in_cell("with open('large', 'wb') as file:\n    file.write(bytes(2 ** 29))")],
                   4, "File too large"),
    "deletes": ([in_cell("import os, shutil\nshutil.rmtree('PRECIOUS', ignore_errors=True)\n"
                         "for top, _, names in os.walk('FOLDER'):\n    for name in names:\n"
                         "        os.remove(os.path.join(top, name))\n"
                         "os.remove('PRECIOUS/file')")], 4, "cell 2: it raised"),
    "network": ([in_cell("import socket\nsocket.create_connection(('127.0.0.1', PORT), 2)"),
                 VECTORIZE], 8, "cell 2: it raised"),
}


def notebook(cells, outputs=(), metadata=None):
    """The text of a notebook with these code cells."""
    code = [{"cell_type": "code", "source": text, "metadata": (metadata or {}).get(number, {}),
             "outputs": list(outputs), "execution_count": None}
            for number, text in enumerate(cells)]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
