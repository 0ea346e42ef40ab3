"""The error class of the step runtime and of the general steps."""

from __future__ import annotations


class StepError(Exception):
    """An error of a step; the message is a sentence that says why, and what to do.

    It fails the task, and `sfml status` shows the sentence. Other exceptions fail the task too, with their type and
    traceback. Raise a `StepError` for problems that the people who run the pipeline can solve.
    """
