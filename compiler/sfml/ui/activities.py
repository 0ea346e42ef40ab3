"""Actions that go on: each in a thread of its own, with the lines that it told and how it ended."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sfml.base.errors import SfmlError
from sfml.ui.proposals import Done, Tell

KEPT = 50
"""How many actions are remembered."""


@dataclass(slots=True)
class Activity:
    """One action: its title, what it told, and how it ended: `done`, or `error`."""

    id: str
    title: str
    back: str
    """The page that it was started from."""
    lines: list[str] = field(default_factory=list)
    done: Done | None = None
    error: SfmlError | None = None

    @property
    def is_over(self) -> bool:
        return self.done is not None or self.error is not None


class Activities:
    """The actions of this page."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._activities: dict[str, Activity] = {}

    def begin(self, title: str, back: str, perform: Callable[[Tell], Done]) -> Activity:
        """Carry an action out in a thread of its own."""
        activity = Activity(secrets.token_urlsafe(8), title, back)
        with self._turn:
            ended = [id for id, one in self._activities.items() if one.is_over]
            for id in ended[: max(0, len(self._activities) - KEPT)]:
                del self._activities[id]
            self._activities[activity.id] = activity
        threading.Thread(target=_carry_out, args=(activity, perform), name="action", daemon=False).start()
        return activity

    def of(self, id: str) -> Activity | None:
        with self._turn:
            return self._activities.get(id)


def _carry_out(activity: Activity, perform: Callable[[Tell], Done]) -> None:
    try:
        activity.done = perform(activity.lines.append)
    except SfmlError as error:
        activity.error = error
    except Exception as error:  # a bug of ours must be told on the page
        activity.error = SfmlError(
            f"internal error: {type(error).__name__}: {error}", help="this is a bug; report it"
        )
