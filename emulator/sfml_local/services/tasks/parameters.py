"""The parameters of a task: its own, those of its session, and their valid values.

https://docs.snowflake.com/en/sql-reference/parameters; displays and refusals were recorded on accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml.semantics.limits import DEFAULT_SUSPEND_AFTER_FAILURES, DEFAULT_TIMEOUT_MS, INTEGER_RANGES
from sfml_local.core.errors import SqlError, invalid_value
from sfml_local.core.session_parameters import LOG, OF_SESSION, Parameter, number, refused, text
from sfml_local.grammar.task_settings import Value, Word
from sfml_local.grammar.tokens import Name
from sfml_local.services.databases import store as databases

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.names import ObjectName
    from sfml_local.services.tasks.model import Settings, Task

_DEFAULTS: Mapping[str, int] = {
    "SUSPEND_TASK_AFTER_NUM_FAILURES": DEFAULT_SUSPEND_AFTER_FAILURES,
    "TASK_AUTO_RETRY_ATTEMPTS": 0,
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": 30,
    "USER_TASK_TIMEOUT_MS": DEFAULT_TIMEOUT_MS,
}
OWN: Mapping[str, Parameter] = {
    "LOG_LEVEL": text("OFF", LOG, keeps_case=True),
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE": text("X2Large"),
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE": text("XSMALL"),
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": text("Medium"),
    **{key: number(_DEFAULTS[key], *bounds) for key, bounds in INTEGER_RANGES.items()},
}
"""Parameters of tasks only; they are fields of `Settings`."""

ALL: Mapping[str, Parameter] = {**OWN, **OF_SESSION}

_UNSUPPORTED: Mapping[str, Callable[[Any], bool]] = {
    "AUTOCOMMIT": lambda value: value is False,
    "SEARCH_PATH": lambda value: True,
}
_UNSUPPORTED_AS: Mapping[str, str] = {"AUTOCOMMIT": "AUTOCOMMIT = false"}


# -- what a task's schema and database set


def levels(account: Account, name: ObjectName) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """What is set around a task: the name of a level and its parameters, the nearest first."""
    return (
        ("SCHEMA", databases.properties(account, name.database, name.schema)),
        ("DATABASE", databases.properties(account, name.database)),
    )


def in_effect(account: Account, task: Task) -> Settings:
    """A task's settings with the limits of its schema and database for those that it does not set."""
    around = databases.effective(account, task.name.database, task.name.schema)
    fields = {key.lower(): around[key] for key in INTEGER_RANGES if key in around}
    unset = {field: value for field, value in fields.items() if getattr(task.settings, field) is None}
    return replace(task.settings, **unset) if unset else task.settings


# -- values


def read(key: str, value: Value) -> Any:
    """The value, if it is of the parameter's kind; `check` verifies its range and words."""
    parameter = ALL[key]
    match parameter.kind:
        case "BOOLEAN":
            return as_boolean(key, value)
        case "NUMBER":
            return as_number(key, value)
    return as_text(key, value, keeps_case=parameter.keeps_case)


def check(key: str, value: Any) -> Any:
    """Return the value; refuses values that the parameter, or a task, does not accept."""
    if key in _UNSUPPORTED and _UNSUPPORTED[key](value):
        name = _UNSUPPORTED_AS.get(key, key)
        raise refused(
            f"The parameter {name} is not supported with Tasks. Remove the parameter and try again."
        )
    checks = ALL[key].check
    if checks is not None:
        checks(key, value)
    return value


def as_boolean(key: str, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    text = value.text if isinstance(value, Word) else value
    if isinstance(text, str) and text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    raise wrong_kind(key, value)


def as_number(key: str, value: Value) -> int:
    """An integer without quotes."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_kind(key, value)
    return value


def as_text(key: str, value: Value, *, keeps_case: bool = False) -> str:
    """A text in quotes, or a word, which accounts fold unless the parameter keeps case."""
    match value:
        case Name(parts):
            return ".".join(parts)
        case Word():
            return value.text if keeps_case else value.folded
        case str():
            return value
    raise wrong_kind(key, value)


def wrong_kind(key: str, value: Value) -> SqlError:
    """The refusal of a value of another kind; texts are shown in quotes."""
    match value:
        case bool():
            shown = str(value).upper()
        case str():
            shown = f"'{value}'"
        case Word():
            shown = value.folded
        case Name(parts):
            shown = ".".join(parts)
        case _:
            shown = str(value)
    return invalid_value(shown, key)


def shown(value: Any) -> str:
    """A value as in SHOW PARAMETERS."""
    return str(value).lower() if isinstance(value, bool) else str(value)
