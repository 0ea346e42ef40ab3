"""The one error that the runtime and the general steps raise."""

from __future__ import annotations


class StepError(Exception):
    """A step cannot do its work; the message is a sentence that says why and what to do.

    Raised in a task it fails that task, and the sentence is what `sfml status` shows. Other exceptions fail it
    too, with their type and traceback: raise this one for what whoever runs the pipeline can put right.
    """
