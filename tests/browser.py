"""Open the labs in JupyterLab, in a real browser without a window, and look at the page.

    python -m tests.browser [--pictures DIR]

Needs Chromium and its driver (Debian: ``chromium chromium-driver``) and the ``browser`` extra. Says
what each solved notebook shows and writes the README's pictures to DIR (default: docs/images).
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat

from lab_utils.config import ROOT
from lab_utils.files import written_whole

TOKEN = "labs"
WAIT = 240   # seconds, for a page or a cell; a busy machine is slow
SETTINGS = {
    # All cells are in the page, not only those in view; no news, which would need the network.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
}
# What a page must show: the script counts elements that the browser has decoded.
LOOK = """
const seen = (css, good) => [...document.querySelectorAll('.jp-OutputArea ' + css)].filter(good);
return {
  players: seen('audio', a => a.duration > 1).length,
  notes: seen('svg .notehead', n => n.getBoundingClientRect().width > 0).length,
  pictures: seen('img', i => i.naturalWidth > 100).length,
  videos: seen('video', v => v.videoWidth > 50 && v.duration > 1).length,
};
"""
# Of each lab, what to picture: the last cell whose source holds these words, and the last
# element of it that matches.
PICTURES = {"lab1": ("player(", ".jp-OutputArea"),
            "lab2": ("train.faces.images[:24], columns", ".jp-OutputArea"),
            "lab3": ("pong.film(", "video")}


def missing() -> str | None:
    """Why there can be no browser here, or None."""
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed: pip install -e '.[browser]'"
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        return "there is no Chromium here (Debian: apt-get install chromium chromium-driver)"
    if not shutil.which("chromedriver"):
        return "there is no chromedriver here (Debian: apt-get install chromium-driver)"
    return None


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serve the notebooks of ``folder``, trusted; yields the address."""
    with tempfile.TemporaryDirectory() as private, contextlib.ExitStack() as stack:
        for name, settings in SETTINGS.items():
            path = Path(private) / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings))
        environment = os.environ | {
            "JUPYTERLAB_SETTINGS_DIR": f"{private}/settings", "LAB_BUDGET": "quick",
            "LAB_OUT": f"{private}/out",
            "JUPYTER_CONFIG_DIR": f"{private}/config", "JUPYTER_DATA_DIR": f"{private}/data",
            "JUPYTER_RUNTIME_DIR": f"{private}/runtime", "IPYTHONDIR": f"{private}/ipython",
            "PYTHONPATH": os.pathsep.join(
                filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))}
        subprocess.run([sys.executable, "-c", "from nbformat.sign import TrustNotebookApp as App; "
                        "App.launch_instance()", *folder.glob("*.ipynb")], env=environment,
                       check=True, stdout=subprocess.DEVNULL)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
             f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}",
             "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(server.wait, 30)
        stack.callback(server.terminate)
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + WAIT
        while True:
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > end or server.poll() is not None:
                    raise
                time.sleep(0.5)
        yield address


class Page:
    """A notebook in the browser."""

    def __init__(self, driver, address: str, name: str):
        from selenium.webdriver.support.ui import WebDriverWait

        self.driver, self.waiting = driver, WebDriverWait(driver, WAIT)
        driver.get(f"{address}/lab/tree/{name}?reset&token={TOKEN}")
        self.waiting.until(lambda d: len(d.find_elements("css selector", ".jp-Cell")) > 5)

    def wait_for_cells(self, count: int) -> None:
        """Wait until the page holds this many cells."""
        self.waiting.until(lambda d: len(
            d.find_elements("css selector", ".jp-Notebook .jp-Cell")) == count)

    def sees(self) -> dict[str, int]:
        """Counts of audio players, notes of sheet music, pictures and videos in the outputs."""
        return self.driver.execute_script(LOOK)

    def wait_until_seen(self, **least: int) -> dict[str, int]:
        """``sees()``, once it holds at least these counts.

        Raises:
            selenium.common.TimeoutException: if it never does.
        """
        self.waiting.until(lambda _: all(self.sees()[name] >= n for name, n in least.items()),
                           f"the page shows {self.sees()}, not {least}")
        return self.sees()

    def run_cells(self, count: int, expected: str) -> None:
        """Press Shift+Enter ``count`` times from the top; wait for ``expected`` in an output."""
        from selenium.webdriver import ActionChains, Keys

        if count:
            self.driver.find_elements("css selector", ".jp-Cell")[0].click()
        for _ in range(count):
            ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(
                Keys.SHIFT).perform()
            time.sleep(0.3)
        outputs = ".jp-OutputArea-output"
        self.waiting.until(lambda d: any(expected in o.text for o in d.find_elements(
            "css selector", outputs)), f"no output says {expected!r}")

    def picture(self, number: int, within: str, path: Path) -> None:
        """Save a picture of what cell ``number`` shows; videos at their middle."""
        area = self.driver.execute_script(
            "const cell = document.querySelectorAll('.jp-Notebook .jp-Cell')[arguments[0]];"
            "const area = [...cell.querySelectorAll(arguments[1])].pop();"
            "area.scrollIntoView({block: 'center'});"
            "const videos = area.matches('video') ? [area] : area.querySelectorAll('video');"
            "videos.forEach(v => v.currentTime = v.duration / 2);"
            "return area;", number, within)
        time.sleep(2)   # for the scrolling, and the videos' frames
        with written_whole(path) as temporary:
            temporary.write_bytes(area.screenshot_as_png)


@contextlib.contextmanager
def browser() -> Iterator:
    """A Chromium without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for word in ("--headless=new", "--no-sandbox", "--window-size=1250,1400",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--no-proxy-server"):
        options.add_argument(word)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(WAIT)
    try:
        yield driver
    finally:
        driver.quit()


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    args = parser.parse_args()
    if reason := missing():
        print(reason)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (ROOT / "labs" / "solutions").glob("*.ipynb"):
            shutil.copy(path, folder)
        with jupyterlab(folder) as address, browser() as driver:
            for path in sorted(folder.glob("*.ipynb")):
                cells, lab = nbformat.read(path, 4).cells, path.stem.split("_")[0]
                page = Page(driver, address, path.name)
                page.wait_for_cells(len(cells))
                words, within = PICTURES[lab]
                number = max(i for i, cell in enumerate(cells)
                             if words in cell.source and cell.get("outputs"))
                page.picture(number, within, args.pictures / f"{lab}.png")
                print(f"{path.stem}: {page.sees()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
