"""The one exception that users see: a sentence that says what is wrong and what to do."""


class LabError(Exception):
    """A problem the user can mend. The message is one clear sentence.

    In a notebook only the sentence is shown, without a traceback; on the command line it is
    printed and the exit code is 2.
    """

    def _render_traceback_(self):  # IPython's documented hook for an exception's own display
        return [f"{type(self).__name__}: {self}"]
