"""The progress of a deployment as lines of text."""

from __future__ import annotations

from collections.abc import Callable

from sfml.base.errors import ConnectionFailed
from sfml.plan.stages import Group, Stage
from sfml.render.stages import done_text, wait_words


class ToldProgress:
    """Passes one line for each finished group of stages, and one for each wait for the account, to `tell`."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def begun(self, group: Group) -> None: ...

    def did(self, stage: Stage) -> None: ...

    def ended(self, group: Group) -> None:
        text = done_text(group)
        if text is not None:
            self._tell(text)

    def waits(self, error: ConnectionFailed, seconds: float) -> None:
        self._tell(wait_words(error, seconds))
