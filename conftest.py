"""All tests run under the quick budget, without a network, and write to a folder of their own."""

import os
import runpy
import tempfile
from pathlib import Path

OFFLINE = Path(__file__).parent / "tests" / "offline"
if os.environ.get("LABS_NETWORK") != "allowed":   # else: this process, and all that it starts
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
    runpy.run_path(str(OFFLINE / "sitecustomize.py"))
os.environ["LAB_BUDGET"] = "quick"
if "PYTEST_XDIST_WORKER" in os.environ or "LAB_OUT" not in os.environ:   # a worker's own
    os.environ["LAB_OUT"] = tempfile.mkdtemp(prefix="labs-")
os.environ["MPLBACKEND"] = "agg"


def pytest_collection_modifyitems(items):
    """Fast tests first, then the slow ones, the notebooks last."""
    def order(item):
        return (item.fspath.ext == ".ipynb", item.get_closest_marker("slow") is not None)

    items.sort(key=order)
