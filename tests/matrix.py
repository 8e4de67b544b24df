"""Try the labs on the oldest and newest packages that they allow, and on those of Colab.

    python -m tests.matrix [oldest newest colab] [--dir DIR] [--steps doctor tests labs]

Makes a virtual environment each (some 3 GB), then runs there: ``doctor``; the fast tests of what
students use; the quick labs. Prints a table; exit code 0 when every step of every environment
passed. Needs the Pythons named below, from the system or pyenv, and the package index.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from packaging.requirements import Requirement

from lab_utils.config import ROOT
from lab_utils.errors import LabError

# As a Colab runtime had them in August 2026.
COLAB = ("tensorflow==2.20.0", "keras==3.13.2", "numpy==2.1.3", "gymnasium==1.3.0",
         "ale-py==0.12.1", "music21==9.9.2", "matplotlib==3.10.0", "mlxtend==0.23.4",
         "scikit-image==0.25.2", "h5py==3.16.0", "ipython==7.34.0", "ipykernel==6.17.1")
PYTHONS = {"oldest": "3.10", "newest": "3.13", "colab": "3.12"}
TOOLS = ("pytest", "pytest-timeout", "hypothesis", "nbval")
# What students use. Colab's IPython is older than nbgrader allows: a class is not graded there.
TESTS = tuple(f"tests/test_{name}.py" for name in ("frame", "training", "music", "rl",
                                                   "faces_data", "offline"))
STEPS = {"doctor": ("-m", "lab_utils", "doctor"),
         "tests": ("-m", "pytest", "-q", *TESTS, "-m", "not slow"),
         "labs": ("-m", "lab_utils", "run", "--budget", "quick", "--out")}


def lower_bounds(requirements: Path = ROOT / "requirements-core.txt") -> list[str]:
    """A pin of each package to the oldest series that its range allows, as ``name==3.12.*``."""
    pins = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if text := line.split("#")[0].strip():
            wanted = Requirement(text)
            oldest = next(s.version for s in wanted.specifier if s.operator == ">=")
            pins.append(f"{wanted.name}=={oldest}.*")
    return pins


def find_python(version: str) -> str:
    """An interpreter of ``version``, such as "3.10".

    Raises:
        LabError: if there is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [[shutil.which(f"python{version}") or ""], ["py", f"-{version}"],
                  *([str(path)] for path in pyenv.glob(f"{version}.*/bin/python"))]
    for words in candidates:
        try:
            done = subprocess.run([*words, "-c", "import sys; print(sys.executable)"],
                                  capture_output=True, text=True, check=True)
            return done.stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            continue
    raise LabError(f"There is no Python {version} here: install it, or name other environments.")


def make(name: str, folder: Path) -> Path:
    """The Python of the environment ``name`` in ``folder``, which is made unless it is there."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if (folder / "made").exists():
        return python
    subprocess.run([find_python(PYTHONS[name]), "-m", "venv", folder], check=True)
    pins = {"oldest": lower_bounds(), "newest": [], "colab": list(COLAB)}[name]
    (folder / "pins.txt").write_text("\n".join(pins))
    for what in (["-e", ROOT], TOOLS):
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-compile", *what,
                        "-c", folder / "pins.txt"], check=True)
    (folder / "made").touch()
    return python


def versions(python: Path) -> str:
    """The versions that matter most, in one line."""
    code = ("import sys, importlib.metadata as m\n"
            "print('Python', sys.version.split()[0], *(f'{n} {m.version(n)}' for n in sys.argv[1:])"
            ", sep=', ')")
    names = ("tensorflow", "keras", "numpy", "gymnasium", "ale-py", "music21")
    return re.sub("^Python, ", "Python ", subprocess.run(
        [python, "-c", code, *names], capture_output=True, text=True, check=True).stdout.strip())


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PYTHONS)}")
    parser.add_argument("--dir", type=Path, default=ROOT / "build" / "matrix",
                        help="where the environments go; one that is there is used as it is")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    args = parser.parse_args(arguments)
    if unknown := set(args.names) - set(PYTHONS):
        parser.error(f"there is no environment {min(unknown)!r}")
    rows = []
    for name in args.names or PYTHONS:
        folder = (args.dir / name).resolve()
        started = time.perf_counter()
        try:
            python = make(name, folder)
        except subprocess.CalledProcessError as error:
            rows.append((name, PYTHONS[name], "install", f"failed ({error.returncode})", 0))
            continue
        rows.append((name, versions(python), "install", "ok", time.perf_counter() - started))
        for step in args.steps:
            started = time.perf_counter()
            words = [*STEPS[step], *([folder / "out"] if step == "labs" else [])]
            code = subprocess.run([python, *words], cwd=ROOT).returncode
            rows.append((name, "", step, "ok" if code == 0 else f"failed ({code})",
                         time.perf_counter() - started))
    print("\n| environment | versions | step | result | seconds |\n|---|---|---|---|---|")
    for name, what, step, result, seconds in rows:
        print(f"| {name} | {what} | {step} | {result} | {seconds:.0f} |")
    return int(any(row[3] != "ok" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
