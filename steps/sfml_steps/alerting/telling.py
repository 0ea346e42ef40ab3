"""Telling channels what began and what is well again, each once a streak; a channel that fails holds up no other."""

from __future__ import annotations

import json
import logging
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sfml_steps.alerting.messages import Alert, Channel, content, receiver
from sfml_steps.alerting.streaks import Streak, Streaks
from sfml_steps.alerting.words import one_line, time_text
from sfml_steps.sql import quoted

RECORD = "sfml:"
ENDING = "You are told once, and again when it has recovered."


@dataclass
class Teller:
    """Sends the alerts of one pipeline. `call` is that of its task; `commit` is looked up when it is first needed."""

    session: Any
    call: Mapping[str, Any]
    streaks: Streaks
    logger: logging.Logger
    _commit: str | None = None

    @property
    def channels(self) -> list[Channel]:
        return [Channel.of(value) for value in self.call["channels"]]

    def tell(self, event: str, keys: Sequence[str], alert_of: Callable[[list[Streak]], Alert]) -> None:
        """Tell each channel that is to know of the event the streaks that it does not know yet."""
        for channel in self.channels:
            if event not in channel.events:
                continue
            new = [key for key in keys if channel.name not in self.streaks.known[key].told]
            if new and self._send(channel, alert_of([self.streaks.known[key] for key in new])):
                self.streaks.tell(new, channel.name)

    def recovered(self, keys: Iterable[str], alert_of: Callable[[list[Streak]], Alert]) -> None:
        """End these streaks, and tell so the channels that were told of them."""
        ended = [key for key in keys if key in self.streaks.known]
        pending: dict[str, list[str]] = {key: [] for key in ended}
        for channel in self.channels:
            told = [key for key in ended if channel.name in self.streaks.known[key].told]
            if not told or "recovered" not in channel.events:
                continue
            if not self._send(channel, alert_of([self.streaks.known[key] for key in told])):
                for key in told:
                    pending[key].append(channel.name)
        for key in ended:
            self.streaks.close(key, pending[key])

    def _send(self, channel: Channel, alert: Alert) -> bool:
        """Send an alert; a channel that cannot be reached is logged.

        https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification
        """
        try:
            self.session.call(
                "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION", content(channel, alert), receiver(channel, alert)
            )
        except Exception as error:
            self.logger.error("the alert `%s` was not sent to %s: %s", alert.event, channel.name, error)
            return False
        self.logger.info("the alert `%s` was sent to %s", alert.event, channel.name)
        return True

    # -- what every alert says

    @property
    def where(self) -> str:
        return f"{self.call['pipeline']} on {self.call['target']}"

    def command(self, verb: str, *more: str) -> str:
        """Return a command about this pipeline, to paste into a shell."""
        words = ["sfml", verb, self.call["spec"], *more, "-t", self.call["target"]]
        return " ".join(shlex.quote(one_line(word)) for word in words)

    def commit(self) -> str:
        """Return the commit that is deployed, from the comment of the root; empty where it is not known."""
        if self._commit is None:
            try:
                self._commit = deployed_commit(self.session, self.call)
            except Exception as error:
                self.logger.warning("the deployed commit cannot be read: %s", error)
                self._commit = ""
        return self._commit

    def data(self, event: str, streaks: Sequence[Streak], **more: Any) -> dict[str, Any]:
        """Return the JSON object for queues."""
        return {
            "version": 1,
            "source": "sfml",
            "event": event,
            "pipeline": self.call["pipeline"],
            "target": self.call["target"],
            "tasks": [streak.subject for streak in streaks if streak.subject],
            "since": streaks[0].since if streaks else None,
            "runs": max((streak.runs for streak in streaks), default=0),
            "commit": self.commit() or None,
            **more,
        }


def deployed_commit(session: Any, call: Mapping[str, Any]) -> str:
    """Return `9f3e1c2` or `9f3e1c2 with uncommitted changes`, from the record in the root's comment."""
    pattern = str(call["root"]).replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    rows = session.sql(f"SHOW TASKS LIKE {quoted(pattern)} IN SCHEMA {call['schema']}").collect()
    for row in rows:
        values = {key.strip('"').lower(): value for key, value in row.as_dict().items()}
        record = str(values.get("comment") or "").rpartition("\n")[2]
        if values.get("name") == call["root"] and record.startswith(RECORD):
            return commit_in(json.loads(record[len(RECORD) :]))
    return ""


def commit_in(record: Mapping[str, Any]) -> str:
    """Return the commit in the record of a root; empty where it is not known."""
    commit = one_line(record.get("commit") or "")
    return f"{commit} with uncommitted changes" if commit and record.get("uncommitted") else commit


def since_text(streak: Streak) -> str:
    since = f"since {time_text(streak.since)}" if streak.since else "since an earlier run"
    return f"{since}, {streak.runs} runs" if streak.runs > 1 else since


def streak_text(streak: Streak) -> str:
    match streak.event:
        case "failure":
            return "it failed"
        case "gate":
            return f"{streak.subject} did not pass"
        case "slow":
            return f"{streak.subject} was slow"
        case "late":
            return "it was late"
        case _:
            return f"it was {streak.event}"
