"""What a task may have beyond the API's model of it: log level, trigger interval, tags, contacts.

Only `ALTER TASK` sets them. Reading them back takes a call for each task, and contacts cannot be read at all, so
the root's record says which task was given which; what nobody recorded is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.quoting import dotted, identifier, literal
from sfml.lower.canonical import Json, canonical_json
from sfml.lower.desired import DesiredTask

RECORDED = "beyond"
"""The key of the root's record; absent where no task has any of it."""

LOG_LEVEL = "log_level"
INTERVAL = "minimum_trigger_interval"
TAGS = "tags"
CONTACTS = "contacts"


def beyond(task: DesiredTask) -> dict[str, Any]:
    """The settings that are set, by the names that a plan shows."""
    values: dict[str, Any] = {
        LOG_LEVEL: task.log_level.upper() if task.log_level else None,
        INTERVAL: task.minimum_trigger_interval_seconds,
        TAGS: dict(task.tags),
        CONTACTS: dict(task.contacts),
    }
    return {key: value for key, value in values.items() if value}


def set_clauses(given: Mapping[str, Any]) -> Iterator[str]:
    """What follows `ALTER TASK … SET`, each a statement of its own: parameters, tags, contacts.

    https://docs.snowflake.com/en/sql-reference/sql/alter-task
    """
    parameters = []
    if given.get(INTERVAL):
        parameters.append(f"USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = {int(given[INTERVAL])}")
    if given.get(LOG_LEVEL):
        parameters.append(f"LOG_LEVEL = {literal(given[LOG_LEVEL])}")
    if parameters:
        yield ", ".join(parameters)
    if tags := given.get(TAGS):
        yield "TAG " + ", ".join(f"{dotted(tag)} = {literal(tags[tag])}" for tag in sorted(tags))
    if contacts := given.get(CONTACTS):
        pairs = (f"{identifier(key)} = {dotted(contacts[key])}" for key in sorted(contacts))
        yield "CONTACT " + ", ".join(pairs)


def unset_clauses(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What follows `ALTER TASK … UNSET` so that nothing of `before` is left that `after` does not set."""
    parameters = []
    if before.get(INTERVAL) and not after.get(INTERVAL):
        parameters.append("USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS")
    if before.get(LOG_LEVEL) and not after.get(LOG_LEVEL):
        parameters.append("LOG_LEVEL")
    if parameters:
        yield ", ".join(parameters)
    if gone := _gone(before, after, TAGS):
        yield "TAG " + ", ".join(dotted(tag) for tag in gone)
    for purpose in _gone(before, after, CONTACTS):
        yield f"CONTACT {identifier(purpose)}"


def _gone(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> list[str]:
    return sorted(set(before.get(key) or ()) - set(after.get(key) or ()))


def record_of(tasks: Sequence[DesiredTask]) -> list[Json]:
    """The settings of all tasks, root first, for the root's record; tasks with the same ones share an entry.

    `[{"set": {"log_level": "INFO"}, "tasks": ["", "TRAIN_MODEL"]}]`: names without the root's, which is "". An
    entry without `tasks` holds for every task.
    """
    root = tasks[0].name
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for task in tasks:
        if given := beyond(task):
            groups.setdefault(canonical_json(given), (given, []))[1].append(_short(task.name, root))
    return [
        {"set": given, **({"tasks": list(names)} if len(names) < len(tasks) else {})}
        for given, names in groups.values()
    ]


def recorded(record: Mapping[str, Any] | None, root: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the root's record says was set, by the names of the tasks that are there; lenient with other shapes."""
    found: dict[str, dict[str, Any]] = {}
    entries = (record or {}).get(RECORDED)
    for entry in entries if isinstance(entries, list) else ():
        given = entry.get("set") if isinstance(entry, dict) else None
        if not isinstance(given, dict):
            continue
        chosen = entry.get("tasks")
        for name in names:
            if chosen is None or _short(name, root) in chosen:
                found[name] = {**found.get(name, {}), **_known(given)}
    return found


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that this version understands; the record stands in a comment, which anybody may edit."""
    kinds = {LOG_LEVEL: str, INTERVAL: int, TAGS: dict, CONTACTS: dict}
    return {key: given[key] for key, kind in kinds.items() if isinstance(given.get(key), kind)}


def _short(name: str, root: str) -> str:
    return name.removeprefix(root).removeprefix("$")
