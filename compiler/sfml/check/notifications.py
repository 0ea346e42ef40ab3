"""SF3xx and SF6xx, notifications: messages and recipients that fit the kind of the integration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sfml.base.diagnostic import Diagnostic
from sfml.base.quoting import folded
from sfml.check.case import Case, error, listed, warning
from sfml.graph.alerts import INTEGRATION_TYPES
from sfml.graph.draft import TaskDraft
from sfml.graph.model import NotifyBody, Reference, Template, Value

MAX_SUBJECT = 256


def _notifications(case: Case) -> Iterator[tuple[TaskDraft, NotifyBody]]:
    for task in case.tasks:
        if isinstance(task.node.body, NotifyBody):
            yield task, task.node.body


def unfit_notifications(case: Case) -> Iterator[Diagnostic]:
    """SF332: a notification has a setting that its integration does not support.

    What: recipients and a subject are for email; `bcc` and a subject need recipients in `email` or `cc`. The format
    `html` is for email; `json` is for queues and webhooks, and its message is valid JSON. A subject has at most 256
    characters.
    Why: Snowflake refuses the message, or sends it without that part.
    Instead: remove the setting, or name an integration of the right type.
    """
    for task, body in _notifications(case):
        for setting, message, help in (*_addressing(body), *_content(body)):
            yield error("SF332", message, task.place(f"notify.{setting}", "notify"), help=help)


def _addressing(body: NotifyBody) -> Iterator[tuple[str, str, str]]:
    keys = [name for name in ("email", "cc", "bcc", "subject") if getattr(body, name)]
    if body.type in ("webhook", "queue") and keys:
        message = f"{listed(keys)} {'belongs' if len(keys) == 1 else 'belong'} to an email, and this is a {body.type}"
        yield keys[0], message, "take them out, or write `type: email`"
        return
    for name in ("email", "cc", "bcc"):
        for address in getattr(body, name):
            local, at, domain = address.partition("@")
            if not (at and local and "." in domain) or any(char.isspace() for char in address):
                yield name, f"`{address[:60]}` is not an email address", "write `name@example.com`"
    if not (body.email or body.cc) and (body.bcc or body.subject):
        name = "bcc" if body.bcc else "subject"
        yield name, f"`{name}` needs recipients in `email` or `cc`", "add `email: […]`"
    fixed = body.subject if isinstance(body.subject, str) else ""
    if isinstance(body.subject, Template):
        fixed = "".join(part for part in body.subject.parts if isinstance(part, str))
    if len(fixed) > MAX_SUBJECT:
        message = f"the subject has {len(fixed)} characters; Snowflake takes {MAX_SUBJECT}"
        yield "subject", message, "shorten it"


def _content(body: NotifyBody) -> Iterator[tuple[str, str, str]]:
    is_email = body.type == "email" or bool(body.email or body.cc or body.bcc)
    if body.format == "html" and body.type in ("webhook", "queue"):
        yield "format", f"a {body.type} takes no HTML", "write `format: text` or `format: json`"
    if body.format == "json" and is_email:
        yield "format", "an email takes no JSON", "write `format: text` or `format: html`"
    if isinstance(body.message, Mapping) and body.format != "json":
        yield "message", "only a JSON message can be a mapping", "write it as a text, or add `format: json`"
    elif body.format == "json" and isinstance(body.message, (Template, Reference)):
        # The value of a reference may hold quotes; as a value of a mapping it is written as JSON.
        help = "write the message as a mapping: `message: {key: ${…}}`"
        yield "message", "a `${…}` in a text would not be written as JSON", help
    elif body.format == "json" and isinstance(body.message, str):
        try:
            json.loads(body.message)
        except ValueError as cause:
            at = (
                f" at line {cause.lineno}, column {cause.colno}"
                if isinstance(cause, json.JSONDecodeError)
                else ""
            )
            yield "message", f"the message is not JSON{at}", "correct it, or write it as a mapping"


def unescaped_text(case: Case) -> Iterator[Diagnostic]:
    """SF360: a message with values or quotes goes to an integration whose type is not known.

    What: a notification says its `type` where the message may need escaping. With `type: webhook` the message is
    escaped, because the template of a webhook puts it between the quotes of JSON; emails and queues get it as it is.
    Without `type`, recipients, or another task or alert with the same integration, may show that it is not a webhook.
    Otherwise the message is not escaped.
    Why: a quote, a backslash or a line end breaks the JSON of a webhook, and the message is lost.
    Instead: add `type: webhook`, `type: email` or `type: queue`.
    """
    settings = case.draft.settings
    known = {folded(name) for name in (settings.on_error, settings.on_success) if name}
    channels = settings.alerts.channels if settings.alerts else ()
    known |= {
        folded(channel.integration) for channel in channels if INTEGRATION_TYPES[channel.kind] != "webhook"
    }
    known |= {folded(body.integration) for _, body in _notifications(case) if _tells_its_kind(body)}
    for task, body in _notifications(case):
        if body.format != "text" or folded(body.integration) in known:
            continue
        if what := _unlike_in_json(body.message):
            yield warning(
                "SF360",
                f"if `{body.integration}` is a webhook, {what} in this message are not escaped for its JSON",
                task.place("notify.message", "notify"),
                why="a quote, a backslash or a line end breaks the JSON of a webhook, and the message is lost",
                help="say what it is: `type: webhook` escapes them; `type: email` and `type: queue` need nothing",
            )


def _tells_its_kind(body: NotifyBody) -> bool:
    """Whether the type of a notification's integration is known: it is set, or the message can only be an email."""
    return bool(body.type or body.email or body.cc or body.bcc) or body.format == "html"


def _unlike_in_json(message: Value) -> str | None:
    """The parts of a message that JSON may have to escape, in words; None without any."""
    if isinstance(message, (Template, Reference)):
        return "the values"
    if isinstance(message, str) and json.dumps(message, ensure_ascii=False) != f'"{message}"':
        return "quotes, backslashes and line ends"
    return None


def alerts_of_the_wrong_type(case: Case) -> Iterator[Diagnostic]:
    """SF606: an alert names an integration that is used for email or webhooks.

    What: `alerts.on_error` and `alerts.on_success` name integrations for queues: SNS, Event Grid, Pub/Sub.
    Why: Snowflake sends the alerts of tasks to queues only, and refuses an email or webhook integration.
    Instead: name a queue, or send the email from a `notify` task, such as the finalizer.
    """
    used: dict[str, str] = {}
    for _, body in _notifications(case):
        if body.type in ("email", "webhook") or body.email or body.cc or body.bcc:
            used[folded(body.integration)] = body.type or "email"
    settings = case.draft.settings
    for key, name in (("on_error", settings.on_error), ("on_success", settings.on_success)):
        place = case.draft.places.get(f"schedule_config.alerts.{key}")
        if name and place and folded(name) in used:
            kind = used[folded(name)]
            message = f"`{name}` is used for {kind}s in this pipeline, and alerts go to queues only"
            help = f"name a queue, or send the {kind} from a `notify` task, such as the finalizer"
            yield error("SF606", message, place, help=help)
