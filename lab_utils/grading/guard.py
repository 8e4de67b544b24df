"""Call a student's code so that nothing it does can harm the notebook.

What it prints is held back, figures it opens are closed, a call that takes too long is
interrupted, and whatever it raises becomes one sentence that names the student's own line.
"""

import _thread
import contextlib
import io
import linecache
import logging
import signal
import sys
import sysconfig
import threading
import time
import traceback
import warnings
from pathlib import Path

SECONDS = 20.0
OURS = str(Path(__file__).resolve().parent)
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


class Todo(Exception):
    """The answer is still a stub."""


class Failed(Exception):
    """The answer could not be run; the message is the sentence to show."""


class Guarded:
    """A function that keeps the rules of ``call`` by itself."""


def call(function, *args, seconds: float = SECONDS, **kwargs):
    """``function(*args, **kwargs)``.

    Raises:
        Todo: if the function is a stub.
        Failed: if it raised, or ran longer than ``seconds``.
    """
    if isinstance(function, Guarded):
        return function(*args, **kwargs)
    late = threading.Event()
    timer = handler = None
    if threading.current_thread() is threading.main_thread():
        # The timer interrupts by way of SIGINT, which a background process may have ignored.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(seconds, lambda: (late.set(), _thread.interrupt_main()))
        timer.daemon = True
        timer.start()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
                _figures_closed(), _no_log(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)
    except NotImplementedError as error:
        raise Todo from error
    except RecursionError as error:
        raise Failed("it calls itself without end" + _line(error)) from None
    except MemoryError as error:
        raise Failed("it asks for more memory than there is" + _line(error)) from None
    except KeyboardInterrupt as error:
        if late.is_set():
            raise Failed(f"it was still running after {seconds:g} seconds" + _line(error)) from None
        raise Failed("it was interrupted" + _line(error)) from None
    except BaseException as error:
        text = " ".join(str(error).split())
        what = f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
        raise Failed(f"it raised {what}" + _line(error)) from None
    finally:
        if timer is not None:
            timer.cancel()
            if late.is_set():
                with contextlib.suppress(KeyboardInterrupt):   # one that is still on its way
                    time.sleep(0.05)
            if handler is not None:   # None: not set by Python
                signal.signal(signal.SIGINT, handler)


def _line(error: BaseException) -> str:
    """The student's own line: the innermost frame that is neither a library's nor ours."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((OURS, *LIBRARIES, "<frozen", "<__array_function__")):
            text = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
            return f", in {frame.name} at: {text[:100]}" if text else f", in {frame.name}"
    return ""


@contextlib.contextmanager
def _no_log():
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)   # such as TensorFlow's about retracing
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _figures_closed():
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = set(pyplot.get_fignums()) if pyplot else set()
    try:
        yield
    finally:
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in set(pyplot.get_fignums()) - before if pyplot else ():
            pyplot.close(number)
