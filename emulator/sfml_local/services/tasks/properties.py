"""Settings in CREATE TASK and ALTER TASK: names, kinds, ranges, spellings.

A statement is checked in two steps, like on accounts: first its form (a repeated setting, an unknown
name, a value of another kind), even under IF NOT EXISTS, and then the meaning of its values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfml.semantics.config import ConfigError, parse_config
from sfml.semantics.interval import ScheduleError, interval_seconds
from sfml.semantics.limits import WAREHOUSE_SIZES, warehouse_size
from sfml.semantics.overlap import POLICIES
from sfml.semantics.schedule import parse_schedule
from sfml_local.core.errors import SqlError, invalid_value
from sfml_local.core.names import ObjectName
from sfml_local.core.session_parameters import OF_SESSION
from sfml_local.grammar.task_settings import LIST, Clauses, Value
from sfml_local.grammar.tokens import Name, parse_name
from sfml_local.services.tasks import links, parameters
from sfml_local.services.tasks.model import Settings
from sfml_local.services.tasks.rules import check_exclusions, refused

if TYPE_CHECKING:
    from sfml_local.core.account import Account

_ALLOW = "ALLOW_OVERLAPPING_EXECUTION"
_SIZES = (
    "user_task_managed_initial_warehouse_size",
    "serverless_task_min_statement_size",
    "serverless_task_max_statement_size",
)
_ALL_SIZES = (*WAREHOUSE_SIZES, "X3LARGE", "X4LARGE", "X5LARGE", "X6LARGE")
_MORE_SIZES = {"XXXLARGE": "X3LARGE"} | {f"{n}X-LARGE": f"X{n}LARGE" for n in range(3, 7)}


# -- the statement by itself


def read_clauses(clauses: Clauses) -> dict[str, Any]:
    """Upper-case name → value of its kind, from the clauses."""
    if clauses.repeated is not None:
        raise repeated(clauses.repeated)
    values: dict[str, Any] = {}
    for key, value in clauses.settings:
        if key in _PROPERTIES:
            values[key] = _PROPERTIES[key](key, value)
        elif key in parameters.ALL:
            values[key] = parameters.read(key, value)
        else:
            raise unsupported(key)
    if clauses.execute_as is not None:
        values["EXECUTE_AS_USER"] = clauses.execute_as
    return values


def repeated(name: str) -> SqlError:
    return SqlError(f"SQL compilation error:\nduplicate property '{name}';", 1410, "42601")


def unsupported(key: str) -> SqlError:
    """The refusal of a name that is not a property of a task."""
    return SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'TASK'", 1420, "42601")


def _object(key: str, value: Value) -> str:
    if isinstance(value, Name):
        return ".".join(value.parts)
    return parameters.as_text(key, value).upper()


def _task(key: str, value: Value) -> Name:
    return value if isinstance(value, Name) else parse_name(parameters.as_text(key, value))


def _config(key: str, value: Value) -> str:
    if value is LIST:
        raise refused(f"Invalid value specified for property '{key}'")
    return parameters.as_text(key, value)


_PROPERTIES: Mapping[str, Callable[[str, Value], Any]] = {
    "WAREHOUSE": _object,
    "SCHEDULE": parameters.as_text,
    "CONFIG": _config,
    "COMMENT": parameters.as_text,
    "FINALIZE": _task,
    "OVERLAP_POLICY": parameters.as_text,
    _ALLOW: parameters.as_boolean,
    "ERROR_INTEGRATION": _object,
    "SUCCESS_INTEGRATION": _object,
    "EXECUTE_AS_USER": _object,
    "TARGET_COMPLETION_INTERVAL": parameters.as_text,
}


# -- what it means


def settings_from(
    account: Account, name: ObjectName, clauses: Clauses, given: Mapping[str, Any], definition: str
) -> Settings:
    """The settings of a CREATE TASK, checked independently of other tasks."""
    values: dict[str, Any] = {"definition": definition, **fields_from(account, name, given)}
    values["predecessors"] = links.predecessors(account, name, clauses.after or ())
    values["condition"] = clauses.when
    settings = Settings(**values)
    check_overlap(name, settings, given)
    return checked(name, settings)


def fields_from(account: Account, name: ObjectName, given: Mapping[str, Any]) -> dict[str, Any]:
    """Field of `Settings` → value; session parameters under their own key. Refuses values out of range."""
    values: dict[str, Any] = {}
    session: dict[str, Any] = {}
    for key, value in given.items():
        if key == "FINALIZE":
            values["finalize"] = links.finalized(account, name, value)
        elif key == _ALLOW:
            # FALSE is the default, which every task accepts.
            values["overlap_policy"] = POLICIES[1] if value else None
        elif key in _CHECKS:
            values[key.lower()] = _CHECKS[key](key, value)
        elif key in OF_SESSION:
            session[key] = parameters.check(key, value)
        elif key in parameters.OWN:
            values[key.lower()] = parameters.check(key, value)
        else:
            values[key.lower()] = value
    if "OVERLAP_POLICY" in given:
        values["overlap_policy"] = _demand_one_overlap(given)
    if session:
        values["session_parameters"] = session
    return values


def _demand_one_overlap(given: Mapping[str, Any]) -> str:
    policy: str = given["OVERLAP_POLICY"]
    if policy not in POLICIES:
        raise SqlError(
            f"SQL compilation error:\ninvalid value '{policy}' for property 'OVERLAP_POLICY'", 1008, "22023"
        )
    if _ALLOW in given and policy != POLICIES[given[_ALLOW]]:
        raise refused(
            "Cannot specify ALLOW_OVERLAPPING_EXECUTION and OVERLAP_POLICY to different values in the same command."
        )
    return policy


def check_overlap(name: ObjectName, settings: Settings, given: Mapping[str, Any]) -> None:
    """Refuses an overlap policy, even the default one, for tasks other than roots."""
    if "OVERLAP_POLICY" in given and not settings.is_root:
        raise refused(f"Cannot set overlap policy on non-root task {name.fqn()}.")


def _size(key: str, value: str) -> str:
    if size_order(value) is None:
        raise invalid_value(value, key)
    return value


def size_order(text: str) -> int | None:
    """The rank of a size in any spelling; None if there is no such size."""
    size = warehouse_size(text) or _MORE_SIZES.get(text.upper(), text.upper())
    return _ALL_SIZES.index(size) if size in _ALL_SIZES else None


def _completion(key: str, value: str) -> str:
    seconds = interval_seconds(value)
    if seconds is None or not 10 <= seconds <= 86_400:
        raise invalid_value(value, key)
    return value


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "TARGET_COMPLETION_INTERVAL": _completion,
    **dict.fromkeys((size.upper() for size in _SIZES), _size),
}


def field_named(key: str) -> str | None:
    """The field of `Settings` that ALTER TASK … UNSET resets, or None for a session parameter."""
    if key == _ALLOW:
        return "overlap_policy"
    if key in _PROPERTIES or key in parameters.OWN:
        return key.lower()
    if key not in OF_SESSION:
        raise unsupported(key)
    return None


def checked(name: ObjectName, settings: Settings) -> Settings:
    """Return the settings; refuses invalid values and combinations."""
    if settings.schedule is not None:
        try:
            parse_schedule(settings.schedule)
        except ScheduleError as cause:
            raise refused(str(cause)) from cause
    if settings.config is not None:
        try:
            parse_config(settings.config)
        except ConfigError as cause:
            raise refused(str(cause)) from cause
    _check_sizes(settings)
    check_exclusions(name, settings)
    return settings


def demand_serverless(old: Settings, new: Settings) -> None:
    """091857: a task with a target completion interval cannot have a warehouse."""
    is_moved = old.warehouse is None and new.warehouse is not None
    if is_moved and old.target_completion_interval and new.target_completion_interval:
        raise refused("TARGET_COMPLETION_INTERVAL is only allowed for serverless Tasks.", 91857, "42601")


def _check_sizes(settings: Settings) -> None:
    if settings.warehouse is not None:
        serverless = (*_SIZES, "target_completion_interval")
        for field in serverless:
            if getattr(settings, field) is not None:
                raise refused(f"Cannot set {field.upper()} on a non-serverless task.")
    initial, least, most = _SIZES
    _demand_order(settings, least, most, "greater")
    _demand_order(settings, initial, least, "less")
    _demand_order(settings, initial, most, "greater")


def _demand_order(settings: Settings, field: str, bound: str, word: str) -> None:
    """Refuse a size outside of its bounds; defaults are no bounds."""
    size, limit = getattr(settings, field), getattr(settings, bound)
    if not size or not limit:
        return
    order, allowed = size_order(size) or 0, size_order(limit) or 0
    if order > allowed if word == "greater" else order < allowed:
        raise refused(f"{field.upper()} ({size}) cannot be {word} than {bound.upper()} ({limit}).")
