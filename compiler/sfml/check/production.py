"""SF6xx, production: alerts, secrets, pinned versions, and config keys that may be overridden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, did_you_mean, renaming
from sfml.check.case import Case, error, listed, warning
from sfml.graph.alert_events import all_events
from sfml.graph.located import Place
from sfml.graph.model import (
    CallBody,
    JobBody,
    Manual,
    Mode,
    NotifyBody,
    OnPool,
    SqlBody,
    StepBody,
    Value,
)

_SECRET_KEY = re.compile(
    r"(^|_)(password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credentials?)$", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.|://[^\s/@:'\"$]*:[^\s/@'\"$*]+@"
)
_STATEMENTS = ("sql", "when")
_SECRET_IN_SQL = re.compile(
    r"\b(?:password|secret_string|client_secret|oauth_\w*secret|oauth_refresh_token|private_key|aws_secret_key"
    r"|aws_token|azure_sas_token|master_key|passphrase)\s*=>?\s*'[^'$]",
    re.IGNORECASE,
)
"""A secret that a statement such as CREATE STAGE or ALTER USER sets."""
_VERSION = re.compile(r"\s*[=<>!~;,]")
_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?\s*==\s*[0-9A-Za-z.+!_-]+\Z")


def no_alerts(case: Case) -> Iterator[Diagnostic]:
    """SF601: a scheduled pipeline in production sends no alert when it fails.

    What: in a target of mode production, a scheduled graph has `alerts.channels` that are told of failures,
    `alerts.on_error`, or a finalizer with `notify`.
    Why: otherwise nobody learns of a failed run.
    Instead: add `alerts: {channels: {slack: INTEGRATION}}` or `alerts: {on_error: QUEUE}` to the schedule config.
    """
    draft = case.draft
    if draft.target.mode is not Mode.PRODUCTION or isinstance(draft.settings.schedule, Manual):
        return
    notifies = any(isinstance(task.node.body, NotifyBody) for task in draft.finalizers)
    events = all_events(draft.settings, (task.node for task in draft.tasks))
    if draft.settings.on_error is None and not notifies and "failure" not in events:
        message = f"pipeline `{draft.pipeline}` has no alert in production"
        help = "add `alerts: {channels: {slack: …}}` to the schedule config"
        yield warning("SF601", message, draft.places["schedule_config"], help=help)


def plain_secrets(case: Case) -> Iterator[Diagnostic]:
    """SF603: a value in the spec looks like a secret.

    What: a spec holds no text under a key such as `password`, `token` or `api_key`, and no text in the form of a known
    kind of key.
    Why: many people can read specs, the bodies of tasks and the query history, and git keeps them forever.
    Instead: create a SECRET in Snowflake and name it under `secrets`, or let the step look it up.
    """
    for name, value, place in _texts(case):
        if _looks_secret(name, value):
            message = f"`{name}` looks like a secret in plain text"
            help = "create a SECRET in Snowflake and name it under `secrets`"
            yield warning("SF603", message, place, why="task bodies and query history show it", help=help)


def _looks_secret(name: str, value: str) -> bool:
    if _SECRET_TEXT.search(value):
        return True
    if name in _STATEMENTS:
        return _SECRET_IN_SQL.search(value) is not None
    return bool(_SECRET_KEY.search(name) and value and "$" not in value)


def _texts(case: Case) -> Iterator[tuple[str, str, Place]]:
    """Every text that becomes visible in the account: its key, the text, and its place."""
    for key, value in case.draft.config.items():
        yield from _texts_in(key, value, case.draft.places.get(f"config.{key}", case.draft.places["tasks"]))
    if isinstance(case.draft.root_body, SqlBody):
        yield "sql", case.draft.root_body.text, case.draft.places["root.sql"]
    for task in case.tasks:
        match task.node.body:
            case StepBody(arguments=arguments):
                for key, argument in arguments.items():
                    yield from _texts_in(key, argument, task.place(f"with.{key}"))
            case CallBody(arguments=items):
                yield from _texts_in("args", items, task.place("call.args", "call"))
            case JobBody(arguments=items):
                yield from _texts_in("args", items, task.place("job.args", "job"))
            case NotifyBody(message=message):
                yield from _texts_in("message", message, task.place("notify.message", "notify"))
            case SqlBody(text=text):
                yield "sql", text, task.place("sql")
        yield "when", task.node.when or "", task.place("when")
        yield "comment", task.node.comment or "", task.place("comment")
        for key, text in task.node.env_vars.items():
            yield key, text, task.place(f"env_vars.{key}")


def _texts_in(key: str, value: Value, place: Place) -> Iterator[tuple[str, str, Place]]:
    match value:
        case str():
            yield key, value, place
        case tuple():
            for item in value:
                yield from _texts_in(key, item, place)
        case Mapping():
            for inner, item in value.items():
                yield from _texts_in(inner, item, place)


def unpinned_packages(case: Case) -> Iterator[Diagnostic]:
    """SF604: a package has no version in production.

    What: in a target of mode production, `packages` and `pip` are pinned: `name==version`. Other targets need no pins.
    Why: Snowflake resolves packages at each run of the task, and another version may train a different model.
    Instead: pin them, at least in this target.
    """
    if case.draft.target.mode is not Mode.PRODUCTION:
        return
    for task in case.tasks:
        for setting in ("packages", "pip"):
            loose = [package for package in getattr(task.node, setting) if not _PINNED.match(package)]
            if loose:
                message = (
                    f"{listed(loose)} of task `{task.name}` {'is' if len(loose) == 1 else 'are'} not pinned"
                )
                help = f"write `{re.split(_VERSION, loose[0])[0]}==…`"
                yield error("SF604", message, task.place(setting), help=help)


def unpinned_runtimes(case: Case) -> Iterator[Diagnostic]:
    """SF607: an ML Job does not pin its runtime in production.

    What: in a target of mode production, `run_on: {pool: …}` names a `runtime`.
    Why: without it, each apply takes the newest runtime of the account, which has other versions of packages.
    Instead: name the version that was tested, such as `runtime: "2.3.0"`, or an image.
    """
    if case.draft.target.mode is not Mode.PRODUCTION:
        return
    for task in case.tasks:
        if isinstance(task.node.run_on, OnPool) and task.node.run_on.runtime is None:
            message = f"the ML Job `{task.name}` does not name its runtime"
            help = 'add `runtime: "…"` to `run_on`, at least in this target'
            yield warning("SF607", message, task.place("run_on"), help=help)


def unknown_overridable(case: Case) -> Iterator[Diagnostic]:
    """SF605: `overridable` names a config key that does not exist.

    What: `overridable` lists keys of `config`, which `sfml run --config` may change in production.
    Why: the name would have no effect, and the key that was meant could not be changed.
    Instead: correct the name.
    """
    for ref in case.draft.overridable:
        if ref.name not in case.draft.config:
            help = did_you_mean(ref.name, case.draft.config) or "add it to `config`, or take it out"
            message = f"`{ref.name}` is overridable but not in `config`"
            fix = renaming(ref.place.span, ref.name, case.draft.config)
            yield error("SF605", message, ref.place, label="no such key", help=help, fix=fix)
