"""A step that sends a message through a notification integration."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step

# https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification
SUBJECT_LIMIT = 256


@step
def send_notification(
    ctx: Context,
    integration: str,
    message: str,
    subject: str | None = None,
    recipients: list[str] | None = None,
    content_type: Literal["text/plain", "text/html", "application/json"] = "text/plain",
    webhook: bool = False,
) -> None:
    """Send a message by SYSTEM$SEND_SNOWFLAKE_NOTIFICATION.

    For a message of fixed form, a task with `notify:` needs no Python.

    - `integration`: the name of the notification integration.
    - `message`: the text, which must not be blank; for `application/json` a JSON text.
    - `subject`, `recipients`: for email integrations, in place of the integration's own; a subject has at most 256
      characters.
    - `content_type`: email takes `text/plain` and `text/html`, queues take `application/json`.
    - `webhook`: whether the integration is a webhook. Its template puts the message between the quotes of a JSON
      body, so the text is escaped for JSON, and names of the template's placeholders are replaced.
    """
    if not message.strip():
        raise StepError("the notification has no `message`")
    options: dict[str, Any] = {}
    if subject is not None:
        if len(subject) > SUBJECT_LIMIT:
            raise StepError(f"the `subject` has {len(subject)} characters; Snowflake takes {SUBJECT_LIMIT}")
        options["subject"] = subject
    if recipients is not None:
        options["toAddress"] = recipients
    content = webhook_text(message) if webhook and content_type == "text/plain" else message
    ctx.session.call(
        "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION",
        json.dumps({content_type: content}, ensure_ascii=False),
        json.dumps({integration: options}, ensure_ascii=False),
    )
    ctx.logger.info("notified through %s: %s", integration, message)


def webhook_text(message: str) -> str:
    """Return the message escaped for JSON, without the names that a template replaces, such as that of its secret.

    https://docs.snowflake.com/en/sql-reference/functions/sanitize_webhook_content
    """
    return json.dumps(re.sub(r"SNOWFLAKE_WEBHOOK_\w+", "REDACTED", message), ensure_ascii=False)[1:-1]
