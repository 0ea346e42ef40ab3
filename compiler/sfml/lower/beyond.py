"""Settings of tasks that the REST API does not have: log level, trigger interval, tags, contacts.

Only `ALTER TASK` sets them. Reading them takes a call for each task, and contacts cannot be read at all. So the root's
record holds the settings of each task, and settings that it does not hold are not looked for in the account. What a
watching pipeline is to know of a graph stands in the record alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.quoting import dotted, identifier, literal
from sfml.lower.canonical import Json, canonical_json
from sfml.lower.desired import DesiredTask

RECORDED = "beyond"
"""The key in the root's record; absent where no task has such a setting."""

LOG_LEVEL = "log_level"
INTERVAL = "minimum_trigger_interval"
TAGS = "tags"
CONTACTS = "contacts"
WATCH = "watch"


def beyond(task: DesiredTask) -> dict[str, Any]:
    """The task's settings of this kind, by the names that plans show; settings without a value are left out."""
    values: dict[str, Any] = {
        LOG_LEVEL: task.log_level.upper() if task.log_level else None,
        INTERVAL: task.minimum_trigger_interval_seconds,
        TAGS: dict(task.tags),
        CONTACTS: dict(task.contacts),
        WATCH: dict(task.watch),
    }
    return {key: value for key, value in values.items() if value}


def set_clauses(settings: Mapping[str, Any]) -> Iterator[str]:
    """The clauses for `ALTER TASK … SET`, each for one statement: parameters, tags, contacts.

    https://docs.snowflake.com/en/sql-reference/sql/alter-task
    """
    parameters = []
    if settings.get(INTERVAL):
        parameters.append(f"USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = {int(settings[INTERVAL])}")
    if settings.get(LOG_LEVEL):
        parameters.append(f"LOG_LEVEL = {literal(settings[LOG_LEVEL])}")
    if parameters:
        yield ", ".join(parameters)
    if tags := settings.get(TAGS):
        yield "TAG " + ", ".join(f"{dotted(tag)} = {literal(tags[tag])}" for tag in sorted(tags))
    if contacts := settings.get(CONTACTS):
        pairs = (f"{identifier(key)} = {dotted(contacts[key])}" for key in sorted(contacts))
        yield "CONTACT " + ", ".join(pairs)


def unset_clauses(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The clauses for `ALTER TASK … UNSET` that remove the settings of `before` that `after` does not have."""
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
    """The settings of all tasks for the root's record; `tasks` begins with the root.

    `[{"set": {"log_level": "INFO"}, "tasks": ["", "TRAIN_MODEL"]}]`: tasks with the same settings share an entry. Names
    are without that of the root, which itself is "". An entry without `tasks` is for all tasks.
    """
    root = tasks[0].name
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for task in tasks:
        if settings := beyond(task):
            groups.setdefault(canonical_json(settings), (settings, []))[1].append(_short(task.name, root))
    return [
        {"set": settings, **({"tasks": list(names)} if len(names) < len(tasks) else {})}
        for settings, names in groups.values()
    ]


def recorded(record: Mapping[str, Any] | None, root: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Task → settings, for the tasks of `names`, from the root's record; entries of another shape are ignored."""
    settings_by_task: dict[str, dict[str, Any]] = {}
    entries = (record or {}).get(RECORDED)
    for entry in entries if isinstance(entries, list) else ():
        settings = entry.get("set") if isinstance(entry, dict) else None
        if not isinstance(settings, dict):
            continue
        tasks = entry.get("tasks")
        for name in names:
            if tasks is None or _short(name, root) in tasks:
                settings_by_task[name] = {**settings_by_task.get(name, {}), **_known(settings)}
    return settings_by_task


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that this version understands; the record is in a comment, which anybody can edit."""
    kinds = {LOG_LEVEL: str, INTERVAL: int, TAGS: dict, CONTACTS: dict, WATCH: dict}
    return {key: settings[key] for key, kind in kinds.items() if isinstance(settings.get(key), kind)}


def _short(name: str, root: str) -> str:
    return name.removeprefix(root).removeprefix("$")
