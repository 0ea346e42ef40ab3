"""The text of a notification as an expression: what stands in it, and what tasks bring, arrives as it is.

A value is known when the task runs, so it is written for its receiver in SQL:

- A webhook's template puts the message between the quotes of a JSON body, as it is: it is written as JSON text.
  https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications
- Values in an HTML email are text, and no tags.
- Emails and queues get the message in a JSON object, which TO_JSON writes: the helper functions are documented to
  escape quotes, and nothing is said of backslashes and line ends.
  https://docs.snowflake.com/en/sql-reference/functions/application_json

A fixed message in which nothing needs writing goes through the helper functions, as it always did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from sfml.base.quoting import literal
from sfml.graph.model import MessageFormat, NotifyBody, Template, Value
from sfml.lower.arguments import has_references
from sfml.lower.expressions import text_expression
from sfml.lower.named_graph import NamedGraph

_HELPER: Mapping[MessageFormat, str] = {
    "text": "TEXT_PLAIN",
    "html": "TEXT_HTML",
    "json": "APPLICATION_JSON",
}
_CONTENT_TYPE: Mapping[MessageFormat, str] = {
    "text": "text/plain",
    "html": "text/html",
    "json": "application/json",
}
_NEEDS_WRITING = re.compile(r"[\x00-\x1f\\]")
_QUOTES_AROUND = '^"|"$'
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def message_content(named: NamedGraph, body: NotifyBody) -> str:
    """The first argument of SYSTEM$SEND_SNOWFLAKE_NOTIFICATION."""
    helper = f"SNOWFLAKE.NOTIFICATION.{_HELPER[body.format]}"
    if body.type == "webhook":
        written = (
            text_expression(named, body.message) if body.format == "json" else _for_json(named, body.message)
        )
        # Whatever a reference brings must not name one of the template's placeholders, such as its secret.
        return f"{helper}(SNOWFLAKE.NOTIFICATION.SANITIZE_WEBHOOK_CONTENT({written}))"
    text = _with_values(named, body.message, _as_html) if body.format == "html" else None
    text = text or text_expression(named, body.message)
    if not has_references(body.message) and not _NEEDS_WRITING.search(text):
        return f"{helper}({text})"
    # A message of NULL stays NULL, and fails the task.
    opening = literal(f'{{"{_CONTENT_TYPE[body.format]}":')
    return f"{opening} || TO_JSON(TO_VARIANT({text})) || '}}'"


def subject_expression(named: NamedGraph, subject: Value) -> str:
    """A subject, which is one line whatever its values hold."""
    text = text_expression(named, subject)
    return f"TRANSLATE({text}, CHR(10) || CHR(13), '  ')" if has_references(subject) else text


def _for_json(named: NamedGraph, message: Value) -> str:
    """The message as it stands between the quotes of JSON."""
    if isinstance(message, Template):
        return " || ".join(_for_json(named, part) for part in message.parts)
    if isinstance(message, str):
        return literal(json.dumps(message, ensure_ascii=False)[1:-1])
    quoted = f"TO_JSON(TO_VARIANT({text_expression(named, message)}))"
    return f"REGEXP_REPLACE({quoted}, {literal(_QUOTES_AROUND)}, '')"


def _with_values(named: NamedGraph, message: Value, write: Callable[[str], str]) -> str:
    """The message with what its references bring written in some way, and its own text as it is."""
    if isinstance(message, Template):
        return " || ".join(_with_values(named, part, write) for part in message.parts)
    text = text_expression(named, message)
    return write(text) if has_references(message) else text


def _as_html(text: str) -> str:
    for character, entity in _ENTITIES.items():
        text = f"REPLACE({text}, {literal(character)}, {literal(entity)})"
    return text
