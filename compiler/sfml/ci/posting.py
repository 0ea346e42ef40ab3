"""Posts one comment to a pull or merge request, and updates it in later jobs."""

from __future__ import annotations

import time

from sfml.base.errors import SfmlError
from sfml.ci.http import Unavailable
from sfml.ci.log import say
from sfml.ci.threads import Thread
from sfml.render.review_markdown import LIMIT, MARKER

_PAUSES = (1.0, 3.0, 9.0)
"""Seconds between attempts, unless the host asks for another pause."""


def marked(text: str, key: str | None) -> str:
    """The comment with `key` in its marker, so that one request can have several comments."""
    first, _, rest = text.partition("\n")
    if key is None or first != MARKER:
        return text
    return f"<!-- sfml diff {key} -->\n{rest}"


def shortened(text: str) -> str:
    """The comment; if it is too long for the host, only its heading and a line that says so."""
    if len(text.encode()) <= LIMIT:
        return text
    marker, _, rest = text.partition("\n")
    heading = rest.lstrip("\n").partition("\n")[0][:1_000]
    return f"{marker}\n{heading}\n\n_Too long for a comment; `sfml diff` shows everything._\n"


def post(thread: Thread, text: str, *, only_update: bool) -> str:
    """Create or update the comment; returns a sentence that says what was done.

    The existing comment is found by its marker and its author. With `only_update`, none is created. Raises
    `HostRefusal` if the token lacks the permission, and `SfmlError` if the host fails repeatedly.
    """
    for pause in (*_PAUSES, None):
        try:
            return _post(thread, text, only_update)
        except Unavailable as error:
            if pause is None:
                raise SfmlError(
                    f"the comment could not be posted: {error.message}", help="run the job again"
                ) from error
            wait = pause if error.pause is None else error.pause
            say(f"{error.message}; once more in {wait:g} s")
            time.sleep(wait)
    raise AssertionError("the last try answers or raises")


def _post(thread: Thread, text: str, only_update: bool) -> str:
    # Search again at each attempt, because a call without an answer may have been carried out.
    marker = text.partition("\n")[0]
    own_name = thread.me()
    existing = [
        comment
        for comment in thread.comments()
        if comment.author == own_name and comment.body.splitlines()[:1] == [marker]
    ]
    if not existing:
        if only_update:
            return "no comment: the change reaches no pipeline"
        thread.create(text)
        return "comment made"
    first, *others = existing
    for other in others:
        # Two jobs that ran in parallel may have posted one comment each.
        thread.delete(other)
    if first.body.replace("\r\n", "\n").rstrip() == text.rstrip():
        return "comment is up to date"
    thread.update(first, text)
    return "comment updated"
