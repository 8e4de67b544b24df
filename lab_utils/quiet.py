"""Keep TensorFlow's native start-up notices out of a notebook."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what libraries write to the process's error stream while they are imported.

    TensorFlow's C++ code writes notices there (about oneDNN and missing GPU drivers) before any
    log level takes effect, past ``sys.stderr``. If the block fails, all of it is shown.
    """
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        stream = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stream, held.read())
            raise
        finally:
            os.dup2(stream, 2)
            os.close(stream)
