"""Make a folder in which nbgrader can run a class.

    python -m labs.course DIR [--lab N ...]

Writes ``DIR/nbgrader_config.py``, unless there is one, and the instructor's version of each lab,
``DIR/source/labN/NAME.ipynb``. ``docs/instructors.md`` goes through the rest.
"""

import argparse
import sys
from pathlib import Path

from lab_utils.files import write_text
from labs import build

CONFIG = f'''\
"""nbgrader for the deep-learning labs. Written by `python -m labs.course`; yours to change."""

c = get_config()
c.CourseDirectory.course_id = "deep-learning"

# The student notebooks are the same as those in labs/.
c.ClearSolutions.code_stub = {{"python": {build.CODE_STUB!r}}}
c.ClearSolutions.text_stub = {build.TEXT_STUB!r}

# Run what the scores depend on; leave the trainings out.
c.Autograde.autograde_preprocessors = [
    "lab_utils.grading.autograde.ExecuteGraded",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ExecuteGraded.timeout = 120   # seconds for one cell

# Files for `nbgrader zip_collect` are named STUDENT_labN_NAME.ipynb.
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\\\](?P<student_id>[^/\\\\]+)_(?P<file_id>lab\\d_\\w+)\\.ipynb$")
'''


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m labs.course",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the course")
    parser.add_argument("--lab", type=int, nargs="+", metavar="N", help="lab numbers, default all")
    args = parser.parse_args(arguments)
    config = args.folder / "nbgrader_config.py"
    if config.exists():
        print(f"{config} is kept as it is.")
    else:
        write_text(config, CONFIG)
    for source in build.sources():
        lab = source.stem.split("_")[0]
        if args.lab and int(lab[3:]) not in args.lab:
            continue
        path = args.folder / "source" / lab / f"{source.stem}.ipynb"
        write_text(path, build.text_of(build.instructor_notebook(source)))
        print(f"{path}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
