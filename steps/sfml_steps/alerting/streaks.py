"""The latch of alerts: what is going on, since when, and which channels know, in a file on the pipeline's stage.

A streak begins with the first run in which something is wrong and ends with the first in which it is well. A channel is
told once a streak; one that could not be reached is told at the next run. Without its file, which somebody may remove,
a streak is told again: twice is better than never.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sfml_steps.alerting.words import moment_of
from sfml_steps.errors import StepError
from sfml_steps.files import Files

VERSION = 1


@dataclass(frozen=True)
class Streak:
    """Something that is wrong: `subject` is the task, or empty for the pipeline; `told` are channels.

    `since` is the time of the first run, `at` that of the last one, `run` its id, `runs` how many there were. `is_over`
    marks a streak that has ended, and that is kept for channels which could not be told so.
    """

    event: str
    subject: str
    since: str
    reason: str
    run: str
    at: str
    runs: int = 1
    told: tuple[str, ...] = ()
    is_over: bool = False

    @property
    def key(self) -> str:
        return f"{self.event} {self.subject}".rstrip()


@dataclass
class Streaks:
    """The streaks of one pipeline by their keys; `save` writes them if they have changed."""

    files: Files
    path: str
    logger: logging.Logger
    known: dict[str, Streak] = field(default_factory=dict)
    _saved: str = ""

    @classmethod
    def load(cls, files: Files, path: str, logger: logging.Logger) -> Streaks:
        """Return the streaks of the file; none, with a note in the log, if it cannot be read."""
        streaks = cls(files, path, logger)
        try:
            streaks.known = decoded(files.read(path))
        except StepError:
            pass  # the file is written when the first streak begins
        except Exception as error:
            logger.warning("alerts may be told again: %s cannot be read: %s", path, error)
        streaks._saved = streaks._text()
        return streaks

    def seen(self, streak: Streak) -> Streak:
        """Count a run for a streak, or begin it; return the streak."""
        known = self.known.get(streak.key)
        if known is None or known.is_over:
            self.known[streak.key] = streak
        elif known.run != streak.run:
            self.known[streak.key] = replace(
                known, run=streak.run, at=streak.at, runs=known.runs + 1, reason=streak.reason
            )
        return self.known[streak.key]

    def forget_before(self, key: str, success: object) -> None:
        """Forget a streak whose last run was before a success that nobody told, such as one without alerts."""
        streak, good = self.known.get(key), moment_of(success)
        last = moment_of(streak.at) if streak is not None else None
        if good is not None and last is not None and good > last:
            del self.known[key]

    def tell(self, keys: Iterable[str], channel: str) -> None:
        """Note that a channel knows of these streaks."""
        for key in keys:
            streak = self.known[key]
            self.known[key] = replace(streak, told=(*streak.told, channel))

    def close(self, key: str, pending: Iterable[str]) -> None:
        """End a streak; `pending` are channels that are still to be told of its end."""
        streak, left = self.known.pop(key), tuple(pending)
        if left:
            self.known[key] = replace(streak, told=left, is_over=True)

    def save(self) -> None:
        text = self._text()
        if text == self._saved:
            return
        try:
            self.files.write(self.path, text.encode())
            self._saved = text
        except Exception as error:
            self.logger.warning("alerts may be told again: %s cannot be written: %s", self.path, error)

    def _text(self) -> str:
        streaks = [asdict(self.known[key]) for key in sorted(self.known)]
        return json.dumps({"version": VERSION, "streaks": streaks}, ensure_ascii=False)


def decoded(content: bytes) -> dict[str, Streak]:
    """Return the streaks of a file; raise ValueError for one that another version has written."""
    value: Mapping[str, Any] = json.loads(content)
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError("it is of another version")
    try:
        streaks = [Streak(**{**one, "told": tuple(one["told"])}) for one in value["streaks"]]
    except (KeyError, TypeError) as error:
        raise ValueError("it is damaged") from error
    return {streak.key: streak for streak in streaks}
