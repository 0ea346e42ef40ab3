"""Notifications: kept in an outbox instead of sent, readable as SNOWFLAKE.LOCAL.NOTIFICATIONS.

Integrations are not checked: every name is accepted, and nothing is sent.
https://docs.snowflake.com/en/user-guide/notifications/snowflake-notifications
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.result import Column, Result, table
from sfml_local.services.notifications import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account, SystemFunction
    from sfml_local.core.session import Session

MAX_SUBJECT = 256


def _wrong(sentence: str) -> SqlError:
    return SqlError(sentence, 1008, "22023")


# -- the helpers that build arguments: each returns JSON text, as Snowflake's do


def _content(content_type: str) -> SystemFunction:
    def build(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
        if len(arguments) != 1 or arguments[0] is None:
            raise _wrong(f"A {content_type} notification takes one message.")
        return json.dumps({content_type: str(arguments[0])}, ensure_ascii=False)

    return build


def _integration(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    if len(arguments) != 1 or not arguments[0]:
        raise _wrong("INTEGRATION takes the name of one notification integration.")
    return json.dumps({str(arguments[0]): {}})


def _email(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """EMAIL_INTEGRATION_CONFIG(integration, subject, to [, cc [, bcc]])."""
    if not 2 <= len(arguments) <= 5:
        raise _wrong("EMAIL_INTEGRATION_CONFIG takes an integration, a subject and lists of addresses.")
    integration, subject, *lists = arguments
    options: dict[str, Any] = {}
    if subject is not None:
        options["subject"] = str(subject)
    for key, addresses in zip(("toAddress", "ccAddress", "bccAddress"), lists, strict=False):
        if addresses is not None:
            options[key] = _addresses(addresses)
    return json.dumps({str(integration): options})


def _addresses(value: Any) -> list[str]:
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
    return [str(address).strip() for address in value]


def _sanitize(account: Account, session: Session, arguments: tuple[Any, ...]) -> str | None:
    """The text without placeholders of webhooks; NULL stays NULL, so that the object with it has no message.

    https://docs.snowflake.com/en/sql-reference/functions/sanitize_webhook_content
    """
    if not arguments or arguments[0] is None:
        return None
    return re.sub(r"SNOWFLAKE_WEBHOOK_\w+", "REDACTED", str(arguments[0]))


# -- the procedures that send


def send(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$SEND_SNOWFLAKE_NOTIFICATION(message or array, integration or array): sends each message to each.

    https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification
    """
    if len(arguments) != 2:
        raise _wrong("SYSTEM$SEND_SNOWFLAKE_NOTIFICATION takes messages and integrations.")
    messages, targets = _objects(arguments[0], "message"), _objects(arguments[1], "integration")
    for integration, options in targets:
        if not isinstance(options, dict):
            raise _wrong(f"The configuration of integration {integration} is not a JSON object.")
        subject = options.get("subject")
        if subject is not None and len(str(subject)) > MAX_SUBJECT:
            raise _wrong(f"The subject of a notification cannot exceed {MAX_SUBJECT} characters.")
        for content_type, text in messages:
            if content_type not in ("text/plain", "text/html", "application/json"):
                raise _wrong(f"Invalid content type '{content_type}' in a notification.")
            store.post(
                account,
                "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION",
                integration,
                content_type,
                text if isinstance(text, str) else json.dumps(text, ensure_ascii=False),
                subject=subject,
                recipients=tuple(options.get("toAddress", ())),
                query_id=account.query_id,
            )
    return "Enqueued notifications"


def _objects(value: Any, what: str) -> list[tuple[str, Any]]:
    """The entries of a JSON object, or of all objects in an array."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as cause:
            raise _wrong(f"Invalid {what} in a notification: {value!r} is not JSON.") from cause
    if isinstance(value, dict):
        return list(value.items())
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(f"Invalid {what} in a notification.")
    return [entry for one in value for entry in _objects(one, what)]


def send_email(account: Account, session: Session, arguments: tuple[Any, ...]) -> bool:
    """SYSTEM$SEND_EMAIL(integration, recipients, subject, body [, mime type]).

    https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_email
    """
    if not 4 <= len(arguments) <= 5 or not all(arguments[:4]):
        raise _wrong("SYSTEM$SEND_EMAIL takes an integration, recipients, a subject and a body, none empty.")
    integration, recipients, subject, body, *mime = (str(argument) for argument in arguments)
    store.post(
        account,
        "SYSTEM$SEND_EMAIL",
        integration,
        mime[0] if mime else "text/plain",
        body,
        subject=subject,
        recipients=tuple(_addresses(recipients)),
        query_id=account.query_id,
    )
    return True


_BUILDERS: Mapping[str, Callable[..., Any]] = {
    "TEXT_PLAIN": _content("text/plain"),
    "TEXT_HTML": _content("text/html"),
    "APPLICATION_JSON": _content("application/json"),
    "INTEGRATION": _integration,
    "EMAIL_INTEGRATION_CONFIG": _email,
    "SANITIZE_WEBHOOK_CONTENT": _sanitize,
}

SYSTEM_FUNCTIONS: Mapping[str, SystemFunction] = {
    **{f"SNOWFLAKE.NOTIFICATION.{name}": build for name, build in _BUILDERS.items()},
    "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION": send,
    "SYSTEM$SEND_EMAIL": send_email,
}


# -- reading the outbox

_COLUMNS = (
    Column("NUMBER", "fixed"),
    Column("CREATED", "timestamp_ltz"),
    Column("SOURCE"),
    Column("QUERY_ID"),
    Column("INTEGRATION"),
    Column("CONTENT_TYPE"),
    Column("SUBJECT"),
    Column("RECIPIENTS"),
    Column("MESSAGE"),
)


def outbox(account: Account, session: Session, database: str | None) -> Result:
    """SNOWFLAKE.LOCAL.NOTIFICATIONS: every message that would have been sent, the oldest first."""
    return table(
        _COLUMNS,
        [
            (
                row["number"],
                datetime.fromisoformat(row["created"]),
                row["source"],
                row["query_id"],
                row["integration"],
                row["content_type"],
                row["subject"],
                row["recipients"],
                row["message"],
            )
            for row in store.every(account)
        ],
    )


def notification_history(account: Account, session: Session, arguments: Args) -> Result:
    """NOTIFICATION_HISTORY(): Snowflake's view of sent messages; here every message succeeded.

    https://docs.snowflake.com/en/sql-reference/functions/notification_history
    """
    columns = (
        Column("CREATED", "timestamp_ltz"),
        Column("PROCESSED", "timestamp_ltz"),
        Column("MESSAGE_SOURCE"),
        Column("INTEGRATION_NAME"),
        Column("STATUS"),
        Column("MESSAGE"),
        Column("ERROR_MESSAGE"),
    )
    given = arguments.by_name("NOTIFICATION_HISTORY", "START_TIME END_TIME INTEGRATION_NAME RESULT_LIMIT")
    name = given.get("INTEGRATION_NAME")
    start, end = time_of(given.get("START_TIME")), time_of(given.get("END_TIME"))
    rows = [
        (row[1], row[1], row[2], row[4], "SUCCESS", row[8], None)
        for row in reversed(list(outbox(account, session, None).rows))
        if (start or row[1]) <= row[1] <= (end or row[1])
        and (name is None or str(name).upper() == row[4].upper())
    ]
    return table(columns, rows[: int(given.get("RESULT_LIMIT", 100))])


RELATIONS = {"SNOWFLAKE.LOCAL.NOTIFICATIONS": outbox}
TABLE_FUNCTIONS = {"NOTIFICATION_HISTORY": notification_history}
