"""The message of a notification as an SQL expression that escapes its values for the receiver.

The values of references are known only when the task runs, so SQL escapes them:

- The template of a webhook puts the message between the quotes of a JSON body, so it is escaped as JSON text.
  https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications
- Values in an HTML email are escaped, so that they cannot become tags.
- Emails and queues get the message in a JSON object that TO_JSON writes. Snowflake's helper functions are documented to
  escape quotes, but not backslashes and line ends.
  https://docs.snowflake.com/en/sql-reference/functions/application_json

A message without references that needs no escaping is written with the helper functions.
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
        # The value of a reference must not contain placeholders of the template, such as that of its secret.
        return f"{helper}(SNOWFLAKE.NOTIFICATION.SANITIZE_WEBHOOK_CONTENT({written}))"
    text = _with_values(named, body.message, _as_html) if body.format == "html" else None
    text = text or text_expression(named, body.message)
    if not has_references(body.message) and not _NEEDS_WRITING.search(text):
        return f"{helper}({text})"
    # If the message is NULL, the whole expression is NULL, and the task fails.
    opening = literal(f'{{"{_CONTENT_TYPE[body.format]}":')
    return f"{opening} || TO_JSON(TO_VARIANT({text})) || '}}'"


def subject_expression(named: NamedGraph, subject: Value) -> str:
    """The expression for a subject; line breaks in values become spaces, because a subject is one line."""
    text = text_expression(named, subject)
    return f"TRANSLATE({text}, CHR(10) || CHR(13), '  ')" if has_references(subject) else text


def _for_json(named: NamedGraph, message: Value) -> str:
    """The expression for the message as JSON text, without the quotes around it."""
    if isinstance(message, Template):
        return " || ".join(_for_json(named, part) for part in message.parts)
    if isinstance(message, str):
        return literal(json.dumps(message, ensure_ascii=False)[1:-1])
    quoted = f"TO_JSON(TO_VARIANT({text_expression(named, message)}))"
    return f"REGEXP_REPLACE({quoted}, {literal(_QUOTES_AROUND)}, '')"


def _with_values(named: NamedGraph, message: Value, write: Callable[[str], str]) -> str:
    """The expression for the message with `write` applied to the values of references, and its own text as it is."""
    if isinstance(message, Template):
        return " || ".join(_with_values(named, part, write) for part in message.parts)
    text = text_expression(named, message)
    return write(text) if has_references(message) else text


def _as_html(text: str) -> str:
    for character, entity in _ENTITIES.items():
        text = f"REPLACE({text}, {literal(character)}, {literal(entity)})"
    return text
