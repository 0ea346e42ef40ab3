"""An alert as each kind of channel takes it, with its text escaped for where it goes.

- An email is plain text; its subject is one line of at most 256 characters.
- The template of a webhook puts the message between the quotes of a JSON body, so it is escaped as JSON text, and the
  names of placeholders are replaced. Slack reads `&`, `<` and `>` as marks, so they are escaped; Teams reads links.
  PagerDuty takes a summary of one line of at most 1,024 characters.
- A queue gets a JSON object.

https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sfml_steps.alerting.words import one_line, shortened
from sfml_steps.notification import SUBJECT_LIMIT, webhook_text

SUMMARY_LIMIT = 1024
"""https://developer.pagerduty.com/docs/send-alert-event (payload.summary)"""

LINK = "]("


@dataclass(frozen=True)
class Alert:
    """What is told: one line, then facts with their labels, then commands that show more."""

    event: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    data: Mapping[str, Any]
    ending: str = ""

    def text(self) -> str:
        rows = [*self.facts, *(("look" if at == 0 else "", text) for at, text in enumerate(self.commands))]
        lines = [f"{label:9}{one_line(value)}".rstrip() for label, value in rows]
        parts = [one_line(self.headline), "\n".join(lines), self.ending]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Channel:
    """A notification integration, as the call of the task names it."""

    kind: str
    integration: str
    to: tuple[str, ...]
    events: frozenset[str]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Channel:
        return cls(
            value["kind"], value["integration"], tuple(value.get("to", ())), frozenset(value["events"])
        )

    @property
    def name(self) -> str:
        return " ".join((self.kind, self.integration, *self.to))


def content(channel: Channel, alert: Alert) -> str:
    """Return the first argument of SYSTEM$SEND_SNOWFLAKE_NOTIFICATION."""
    content_type = "application/json" if channel.kind == "queue" else "text/plain"
    return json.dumps({content_type: _BY_KIND[channel.kind](alert)}, ensure_ascii=False)


def receiver(channel: Channel, alert: Alert) -> str:
    """Return the second argument: the integration, and for an email its subject and recipients."""
    options: dict[str, Any] = {}
    if channel.kind == "email":
        options["subject"] = shortened(one_line(alert.headline), SUBJECT_LIMIT)
        if channel.to:
            options["toAddress"] = list(channel.to)
    return json.dumps({channel.integration: options}, ensure_ascii=False)


def _for_slack(alert: Alert) -> str:
    text = alert.text()
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return webhook_text(text)


def _for_teams(alert: Alert) -> str:
    # A card shows one line end as a blank, and `[text](address)` as a link, unless something stands between.
    return webhook_text(alert.text().replace(LINK, "]\u200b(").replace("\n", "\n\n"))


def _for_pagerduty(alert: Alert) -> str:
    summary = " | ".join((one_line(alert.headline), *map(one_line, alert.commands[:1])))
    return webhook_text(shortened(summary, SUMMARY_LIMIT))


def _for_queue(alert: Alert) -> str:
    return json.dumps({**alert.data, "message": one_line(alert.headline)}, ensure_ascii=False)


_BY_KIND: Mapping[str, Callable[[Alert], str]] = {
    "email": Alert.text,
    "slack": _for_slack,
    "teams": _for_teams,
    "pagerduty": _for_pagerduty,
    "webhook": lambda alert: webhook_text(alert.text()),
    "queue": _for_queue,
}
