"""Pack an entry to the competition: what was made, its scores, and how it was made."""

import json
import os
import zipfile
from pathlib import Path

from .errors import LabError
from .files import written_whole


def pack(path: str | os.PathLike, files: list[str | os.PathLike], scores: dict,
         hyperparameters: dict, notebook: str | os.PathLike | None = None) -> Path:
    """Write a zip file with ``files``, ``entry.json`` and, if given and there, the notebook.

    Args:
        path: of the zip file.
        files: paths; packed under their own names, which must differ.
        scores, hyperparameters: what ``json`` can write.

    Raises:
        LabError: if a file is missing, or two have one name.
    """
    paths = [Path(file) for file in files]
    if missing := [file for file in paths if not file.is_file()]:
        raise LabError(f"{missing[0]} is missing: run the cell that makes it, then pack again.")
    if notebook is not None and Path(notebook).is_file():
        paths.append(Path(notebook))
    if len({file.name for file in paths}) < len(paths):
        raise LabError("Two files of the entry have the same name: rename one.")
    entry = {"scores": scores, "hyperparameters": hyperparameters}
    path = Path(path)
    with written_whole(path) as temporary, zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("entry.json", json.dumps(entry, indent=2, sort_keys=True, default=float))
        for file in paths:
            archive.write(file, file.name)
    print(f"{path.name} holds entry.json, {', '.join(file.name for file in paths)} "
          f"({path.stat().st_size / 1e3:.0f} KB).")
    return path
