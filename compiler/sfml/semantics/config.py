"""A task graph's CONFIG: JSON objects, merged and read by path."""

from __future__ import annotations

import json
from typing import Any

INVALID_CONFIG = "Invalid config. Must be a string representation of a valid JSON Object."


class ConfigError(ValueError):
    """A CONFIG that Snowflake refuses; the message is Snowflake's."""


def parse_config(text: str) -> dict[str, Any]:
    """The object in a CONFIG string; raises `ConfigError`."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError as cause:
        raise ConfigError(INVALID_CONFIG) from cause
    if not isinstance(value, dict):
        raise ConfigError(INVALID_CONFIG)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def merged(default: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """The config of a run: `EXECUTE TASK … USING CONFIG` over the default.

    Objects merge at every depth; any other value replaces the default.

    https://docs.snowflake.com/en/sql-reference/sql/execute-task

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    result = dict(default)
    for key, value in override.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def config_text(config: dict[str, Any]) -> str:
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))


def read_path(config: Any, path: str) -> str | None:
    """What SYSTEM$GET_TASK_GRAPH_CONFIG(path) returns: text as it is, other values as JSON, None for a missing path.

    Paths have the syntax of GET_PATH: `a.b`, `a[0]`, `a['b c']`, `a:b`. Raises `ConfigError` for another.
    https://docs.snowflake.com/en/sql-reference/functions/system_get_task_graph_config
    """
    value = config
    for key in _keys(path):
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and 0 <= key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _keys(path: str) -> list[str | int]:
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        char = path[at]
        if char in ".:":
            at += 1
        elif char == "[":
            end = path.find("]", at)
            if end < 0:
                raise ConfigError(f"Invalid extraction path '{path}'")
            inner = path[at + 1 : end].strip()
            keys.append(int(inner) if inner.isdigit() else inner.strip("'\""))
            at = end + 1
        elif char == '"':
            end = path.find('"', at + 1)
            if end < 0:
                raise ConfigError(f"Invalid extraction path '{path}'")
            keys.append(path[at + 1 : end])
            at = end + 1
        else:
            end = at
            while end < len(path) and path[end] not in ".:[":
                end += 1
            keys.append(path[at:end])
            at = end
    return keys
