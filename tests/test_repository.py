"""The badge and the installing cell of student notebooks, stamped from one setting."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest

from lab_utils.config import ROOT
from labs import build, repository

SOURCES = build.sources()
NAMES = [path.stem for path in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_the_first_code_cell_of_a_student_notebook_installs_the_labs(source):
    cells = nbformat.read(build.student_path(source), 4).cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert first.source == repository.setup_source()
    assert f'install_labs("{repository.REPOSITORY}", "{repository.BRANCH}")' in first.source
    badge = next(cell for cell in cells if cell.id == repository.BADGE_ID)
    assert f"/blob/{repository.BRANCH}/labs/{source.stem}.ipynb" in badge.source


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_nothing_else_differs_between_the_notebooks(source):
    def other(path):
        return [cell.id for cell in nbformat.read(path, 4).cells
                if cell.id not in (repository.BADGE_ID, repository.SETUP_ID)]

    assert other(build.student_path(source)) == other(build.solved_path(source))


def test_one_setting_moves_badge_and_cell_and_leaves_the_solved_notebook(monkeypatch):
    source = SOURCES[0]
    solved = build.text_of(build.solved_notebook(source))
    monkeypatch.setattr(repository, "REPOSITORY", "https://github.com/a-school/labs")
    monkeypatch.setattr(repository, "BRANCH", "autumn")
    text = build.text_of(build.student_notebook(source))
    assert "github/a-school/labs/blob/autumn/labs/" in text and "your-organisation" not in text
    assert build.text_of(build.solved_notebook(source)) == solved
    assert build.stale(source) == [build.student_path(source)]


SHOWN = {"text/plain", "text/html", "text/markdown", "image/png", "image/jpeg", "image/svg+xml"}


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_outputs_are_of_kinds_that_every_front_end_shows(source):
    for cell in nbformat.read(build.solved_path(source), 4).cells:
        for output in cell.get("outputs", []):
            assert set(output.get("data", {})) <= SHOWN, cell.source


def clean() -> dict[str, str]:
    """The environment, without what would let the bare Python see more."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run_cell(python: Path | str, folder: Path, text: str) -> subprocess.CompletedProcess:
    """Run the setup cell, then ``import lab_utils``, in ``folder``."""
    environment = clean() | {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1",
                             "PIP_NO_BUILD_ISOLATION": "0"}
    return subprocess.run([str(python), "-c", text + "\nimport lab_utils\nprint(lab_utils)"],
                          cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory) -> Path:
    """A Python that has the packages of this one, but not lab_utils."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    scripts, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    python = folder / scripts / name
    site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                          capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools"],
                   env=clean(), check=True)
    packages = [str(Path(importlib.util.find_spec(name).origin).parent.parent)
                for name in ("setuptools", "numpy")]
    (Path(site) / "others.pth").write_text("\n".join(packages))
    return python


@pytest.mark.slow
@pytest.mark.skipif(int(importlib.metadata.version("setuptools").split(".")[0]) < 77,
                    reason="building lab_utils without a network needs setuptools 77 here")
def test_the_cell_installs_from_a_clone_once(bare_python, tmp_path, monkeypatch):
    origin = tmp_path / "origin"
    names = subprocess.run(["git", "ls-files", "lab_utils", "*.toml", "*.txt", "README.md"],
                           cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_bytes((ROOT / name).read_bytes())
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *words], cwd=origin, check=True)
    monkeypatch.setattr(repository, "REPOSITORY", origin.as_uri())
    monkeypatch.setattr(repository, "BRANCH", "b")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    first = run_cell(bare_python, elsewhere, repository.setup_source())
    assert first.returncode == 0, first.stderr
    assert f"Installed lab_utils from {elsewhere / 'origin'}." in first.stdout
    again = run_cell(bare_python, elsewhere, repository.setup_source())
    assert "lab_utils is installed: nothing to do." in again.stdout


@pytest.mark.slow
def test_without_a_network_the_cell_says_so(bare_python, tmp_path, monkeypatch):
    subprocess.run([bare_python, "-m", "pip", "uninstall", "-q", "-y", "lab-utils"],
                   env=clean(), check=True)
    monkeypatch.setattr(repository, "REPOSITORY", (tmp_path / "nowhere").as_uri())
    done = run_cell(bare_python, tmp_path, repository.setup_source())
    assert "could not be installed" in done.stdout and "run this cell again" in done.stdout
