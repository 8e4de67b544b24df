"""What a student sees in JupyterLab in a real browser; skipped where there is none."""

import shutil

import pytest

from labs import build
from tests import browser

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(900),
    pytest.mark.skipif(browser.missing() is not None, reason=browser.missing() or "")]

SHOWN = {"lab1": {"players": 2, "notes": 50, "pictures": 5},
         "lab2": {"pictures": 10},                       # the contact sheets of faces among them
         "lab3": {"videos": 2, "pictures": 4}}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(driver, address) of a JupyterLab with all notebooks."""
    folder = tmp_path_factory.mktemp("labs")
    for source in build.sources():
        shutil.copy(build.student_path(source), folder / f"student_{source.stem}.ipynb")
        shutil.copy(build.solved_path(source), folder / f"solved_{source.stem}.ipynb")
    with browser.jupyterlab(folder) as address, browser.browser() as driver:
        yield driver, address


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_the_page_shows_sound_score_pictures_and_video(source, lab):
    page = browser.Page(*lab, f"solved_{source.stem}.ipynb")
    page.wait_until_seen(**SHOWN[source.stem.split("_")[0]])


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_the_first_cells_of_a_student_notebook_run(source, lab):
    page = browser.Page(*lab, f"student_{source.stem}.ipynb")
    page.run_cells(4, "lab_utils is installed: nothing to do.")
    page.run_cells(0, "TensorFlow 2.")
