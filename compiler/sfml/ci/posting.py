"""One comment a request: made, and from then on kept up to date."""

from __future__ import annotations

import time

from sfml.base.errors import SfmlError
from sfml.ci.http import Unavailable
from sfml.ci.log import say
from sfml.ci.threads import Thread
from sfml.render.review_markdown import LIMIT, MARKER

_PAUSES = (1.0, 3.0, 9.0)
"""Seconds between tries, unless the host says how many."""


def marked(text: str, key: str | None) -> str:
    """The comment under a marker of its own, where a request has several."""
    first, _, rest = text.partition("\n")
    if key is None or first != MARKER:
        return text
    return f"<!-- sfml diff {key} -->\n{rest}"


def shortened(text: str) -> str:
    """The comment; its beginning and a line that says so where the host would refuse its length."""
    if len(text.encode()) <= LIMIT:
        return text
    marker, _, rest = text.partition("\n")
    heading = rest.lstrip("\n").partition("\n")[0][:1_000]
    return f"{marker}\n{heading}\n\n_Too long for a comment; `sfml diff` shows everything._\n"


def post(thread: Thread, text: str, *, only_update: bool) -> str:
    """Brings the conversation up to date with the comment; answers what it did, in words.

    Ours is the comment that begins with the marker and that we wrote. `only_update` makes none where there is none.
    Raises `Refused` where the token may not, and `SfmlError` when the host keeps failing.
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
    # Looked for anew each time: a call that got no answer may have been carried out.
    marker = text.partition("\n")[0]
    me = thread.me()
    own = [one for one in thread.comments() if one.author == me and one.body.splitlines()[:1] == [marker]]
    if not own:
        if only_update:
            return "no comment: the change reaches no pipeline"
        thread.create(text)
        return "comment made"
    first, *others = own
    for other in others:
        # Of two jobs that ran at the same time.
        thread.delete(other)
    if first.body.replace("\r\n", "\n").rstrip() == text.rstrip():
        return "comment is up to date"
    thread.update(first, text)
    return "comment updated"
