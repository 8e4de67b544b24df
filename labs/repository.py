"""Where the labs are published, and what student notebooks say because of it.

``REPOSITORY`` and ``BRANCH`` are the one setting: after a change, ``make notebooks`` stamps every
student notebook anew with its badge and with the cell that installs the labs where they are
missing, as on Colab. Solved notebooks carry neither and stay as they are.
"""

from pathlib import Path

import nbformat

REPOSITORY = "https://github.com/your-organisation/deep-learning-labs"   # yours, once published
BRANCH = "main"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BADGE_ID, SETUP_ID = "badge", "setup"

SETUP = '''\
# On Colab, or wherever the labs are not installed yet, this fetches and installs them.
import importlib.util
import subprocess
import sys
from pathlib import Path


def install_labs(repository, branch):
    """Install lab_utils from the folder this notebook lies in, or from a copy of the repository."""
    here = Path.cwd().parent   # a notebook lies in labs/ of the repository
    folder = here if (here / "lab_utils").is_dir() else Path(repository).name
    folder = Path(folder).resolve()
    if not folder.is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", branch,
                        repository, folder], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", folder], check=True)
    sys.path.insert(0, str(folder))   # Python looks for new packages only when it starts
    importlib.invalidate_caches()
    print(f"Installed lab_utils from {folder}.")


if importlib.util.find_spec("lab_utils") is None:
    try:
        install_labs("REPOSITORY", "BRANCH")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lab_utils could not be installed ({error}): see that there is a network and that "
              "git is installed, then run this cell again.")
else:
    print("lab_utils is installed: nothing to do.")
'''


def setup_source() -> str:
    """The text of the cell that installs the labs where they are missing."""
    return SETUP.replace("REPOSITORY", REPOSITORY).replace("BRANCH", BRANCH).rstrip("\n")


def badge_source(path: Path) -> str:
    """Markdown that opens the notebook at ``path`` (within the repository) in Colab."""
    address = REPOSITORY.replace("https://github.com/", "https://colab.research.google.com/github/")
    return (f"[![Open in Colab]({BADGE})]({address}/blob/{BRANCH}/{path.as_posix()})\n\n"
            "The notebook is the same in Colab, JupyterLab, Jupyter Notebook and VS Code. The next "
            "cell installs\nwhat it needs where that is missing, and says so.")


def stamp(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """Put the badge under the title, and the setup cell before the first code cell; in place."""
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells[first:first] = [
        nbformat.v4.new_markdown_cell(badge_source(path), id=BADGE_ID),
        nbformat.v4.new_code_cell(setup_source(), id=SETUP_ID)]
    return notebook
