"""Reads the settings of tasks that the REST API does not return, for the tasks that the root's record names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sfml.base.quoting import folded, identifier, literal, qualified, raw
from sfml.graph.model import Target
from sfml.lower.beyond import CONTACTS, INTERVAL, LOG_LEVEL, TAGS, WATCH
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

AT_ONCE = 8
"""The maximum number of parallel SHOW PARAMETERS calls."""

TAGS_AT_ONCE = 50
"""The maximum number of tasks whose tags one statement reads."""

_PARTS = re.compile(r'"(?:[^"]|"")+"|[^.]+')

_PARAMETERS = {
    LOG_LEVEL: "LOG_LEVEL",
    INTERVAL: "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS",
}


def observed_beyond(
    connection: SnowflakeConnection, target: Target, recorded: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The current values of the settings that the record names, by task. An empty record costs no call.

    Contacts are taken from the record, because GET_CONTACTS supports only databases, schemas and tables, and does not
    return the contact's name; what is watched stands nowhere else. https://docs.snowflake.com/en/sql-reference/functions/get_contacts
    """
    settings: dict[str, dict[str, Any]] = {name: {} for name in recorded}
    with_parameters = [name for name, names in recorded.items() if _PARAMETERS.keys() & names.keys()]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = pool.map(lambda name: _parameters(connection, target, name), with_parameters)
        for name, parameters in zip(with_parameters, answers, strict=True):
            settings[name].update(parameters)
    tags = {name: names[TAGS] for name, names in recorded.items() if names.get(TAGS)}
    for name, values in _tags(connection, target, tags).items():
        settings[name][TAGS] = values
    for name, names in recorded.items():
        for key in (CONTACTS, WATCH):
            if names.get(key):
                settings[name][key] = dict(names[key])
    return settings


def _parameters(connection: SnowflakeConnection, target: Target, task: str) -> dict[str, Any]:
    """The parameters that are set on the task itself, without inherited ones.

    https://docs.snowflake.com/en/sql-reference/sql/show-parameters
    """
    name = qualified(target.database, target.schema, task)
    rows = records(connection, f"SHOW PARAMETERS IN TASK {name}", role=target.owner_role)
    own = {str(row["key"]): str(row["value"]) for row in rows if str(row["level"]).upper() == "TASK"}
    values: dict[str, Any] = {}
    if level := own.get(_PARAMETERS[LOG_LEVEL]):
        values[LOG_LEVEL] = level.upper()
    if interval := own.get(_PARAMETERS[INTERVAL]):
        values[INTERVAL] = int(interval)
    return values


def _tags(
    connection: SnowflakeConnection, target: Target, wanted: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """The values of the wanted tags, by task, with the tags' names as in the record.

    Other tags of a task, and inherited ones, are left out.
    https://docs.snowflake.com/en/sql-reference/functions/tag_references
    """
    tags: dict[str, dict[str, str]] = {name: {} for name in wanted}
    names = list(wanted)
    for start in range(0, len(names), TAGS_AT_ONCE):
        sql = " UNION ALL ".join(_tag_query(target, name) for name in names[start : start + TAGS_AT_ONCE])
        for row in records(connection, sql, role=target.owner_role):
            parts = (str(row["TAG_DATABASE"]), str(row["TAG_SCHEMA"]), str(row["TAG_NAME"]))
            for tag in wanted[str(row["TASK_NAME"])]:
                if _full(tag, target) == parts:
                    tags[str(row["TASK_NAME"])][tag] = str(row["TAG_VALUE"])
    return tags


def _tag_query(target: Target, task: str) -> str:
    name = ".".join(folded(part) for part in (target.database, target.schema, task))
    return (
        f"SELECT {literal(task)} AS TASK_NAME, TAG_DATABASE, TAG_SCHEMA, TAG_NAME, TAG_VALUE"
        f" FROM TABLE({identifier(target.database)}.INFORMATION_SCHEMA.TAG_REFERENCES({literal(name)}, 'TASK'))"
        " WHERE LEVEL = 'TASK'"
    )


def _full(written: str, target: Target) -> tuple[str, ...]:
    """The database, schema and name of a tag, resolved as in a statement in the target's schema."""
    parts = [raw(part) for part in _PARTS.findall(written)]
    return (*(raw(target.database), raw(target.schema))[: 3 - len(parts)], *parts)
