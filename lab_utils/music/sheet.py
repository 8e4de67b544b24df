"""Read a tune: sheet music as SVG, drawn by verovio from music21's MusicXML."""

import os
import re
from pathlib import Path

from ..errors import LabError
from ..files import write_text
from .notation import Tune
from .sound import to_score


def to_svg(tune: Tune | str, path: str | os.PathLike | None = None) -> str:
    """Sheet music of the tune as one SVG image on white; also written to ``path`` if given.

    verovio is never fed ABC: its reader crashes the process on some tunes.

    Raises:
        LabError: if it is no tune, or verovio draws nothing.
    """
    import verovio
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    score = to_score(tune)
    for kind in ("MetronomeMark", "Instrument"):
        for mark in list(score.recurse().getElementsByClass(kind)):
            mark.activeSite.remove(mark)
    score.metadata = None
    xml = GeneralObjectExporter(score).parse().decode("utf-8")
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"pageWidth": 2100, "pageHeight": 20_000, "adjustPageHeight": True,
                        "scale": 40, "header": "none", "footer": "none", "breaks": "auto",
                        "svgViewBox": True, "pageMarginTop": 50, "pageMarginBottom": 50})
    if not toolkit.loadData(xml):
        raise LabError("The sheet music of this tune could not be drawn: try another one.")
    svg = toolkit.renderToSVG(1)
    svg = re.sub(r"<svg ", '<svg style="background:white;max-width:840px" ', svg, count=1)
    if path is not None:
        write_text(path, svg)
    return svg


def show_score(tune: Tune | str):
    """Sheet music for a notebook cell (IPython ``HTML``).

    Raises:
        LabError: as ``to_svg``.
    """
    from IPython.display import HTML

    return HTML(to_svg(tune))


def save_svg(tune: Tune | str, path: str | os.PathLike) -> Path:
    """Write the sheet music as an SVG file."""
    to_svg(tune, path)
    return Path(path)
