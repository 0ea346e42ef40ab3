"""The statements about tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml.semantics.triggering import is_triggered
from sfml_local.core import session_parameters
from sfml_local.core.likeness import like as is_like
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import Area, area_of
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, status, table
from sfml_local.grammar import tasks as grammar
from sfml_local.services.compute.store import demand_warehouse
from sfml_local.services.tags.tagging import one_value_each
from sfml_local.services.tasks import commands, links, parameters, properties, store, tag_store, tags
from sfml_local.services.tasks import execution as service
from sfml_local.services.tasks.history import predecessors_json
from sfml_local.services.tasks.model import Settings, Task
from sfml_local.services.tasks.rules import refused

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

# -- CREATE


def create_task(account: Account, session: Session, statement: grammar.CreateTask) -> Result:
    name = resolve(statement.name, session)
    given = properties.read_clauses(statement.clauses)
    demand_warehouse(account, given.get("WAREHOUSE"))
    if statement.if_not_exists and store.find(account.store, name):
        return status(f"{name.name} already exists, statement succeeded.")
    commands.demand_schema(account, name.database, name.schema)
    if statement.clone is not None:
        settings = commands.fetch(account, resolve(statement.clone, session)).settings
    else:
        definition = statement.definition or ""
        settings = properties.settings_from(account, name, statement.clauses, given, definition)
    if statement.mode is grammar.CreateMode.OR_ALTER:
        _refuse_or_alter(statement)
        commands.create_or_alter(account, session, name, settings)
    else:
        replacing = statement.mode is grammar.CreateMode.OR_REPLACE
        commands.create(account, session, name, settings, replace_it=replacing)
    _set_tags(account, session, name, statement.clauses.tags)
    _set_contacts(account, session, name, statement.clauses.contacts)
    return status(f"Task {name.name} successfully created.")


def _refuse_or_alter(statement: grammar.CreateTask) -> None:
    """Clauses that CREATE OR ALTER does not have.

    https://docs.snowflake.com/en/sql-reference/sql/create-task
    """
    if statement.clauses.contacts:
        raise refused("CONTACT is not supported in CREATE OR ALTER TASK.", 2, "0A000")
    if statement.clauses.tags:
        raise refused("TAG is not supported in CREATE OR ALTER TASK.", 2, "0A000")
    if statement.clone:
        raise refused("CLONE is not supported in CREATE OR ALTER TASK.", 2, "0A000")


def _set_tags(
    account: Account, session: Session, name: ObjectName, given: tuple[tuple[Any, str], ...]
) -> None:
    if given:
        task = commands.fetch(account, name)
        tags.set_tags(
            account, task.id, one_value_each((resolve(tag, session), value) for tag, value in given)
        )


def _set_contacts(
    account: Account, session: Session, name: ObjectName, given: tuple[tuple[str, Any], ...]
) -> None:
    if given:
        task = commands.fetch(account, name)
        tag_store.set_contacts(
            account.store, task.id, {purpose: resolve(contact, session) for purpose, contact in given}
        )


# -- ALTER


def alter_task(account: Account, session: Session, statement: grammar.AlterTask) -> Result:
    name = resolve(statement.name, session)
    if statement.if_exists and store.find(account.store, name) is None:
        return status("Statement executed successfully.")
    match statement.action:
        case grammar.Resume():
            service.resume(account, name)
            return status(_resumed(account, commands.fetch(account, name)))
        case grammar.Suspend():
            commands.suspend(account, name)
        case grammar.SetTags(given):
            _set_tags(account, session, name, given)
        case grammar.SetContacts(given_contacts):
            _set_contacts(account, session, name, given_contacts)
        case grammar.UnsetContacts(purposes):
            tag_store.unset_contacts(account.store, commands.fetch(account, name).id, purposes)
        case grammar.UnsetTags(names):
            task = commands.fetch(account, name)
            tag_store.unset_tags(account.store, task.id, [resolve(tag, session) for tag in names])
        case action:
            commands.change(account, name, _change(account, name, action))
    return status("Statement executed successfully.")


def _resumed(account: Account, task: Task) -> str:
    done = "Statement executed successfully."
    by_itself = task.settings.schedule or is_triggered(None, task.settings.condition)
    if not task.settings.is_root or not by_itself or service.scheduler_of(account).is_on:
        return done
    return f"{done} ({NOT_KEPT})"


NOT_KEPT = (
    "A command started this local server and stops it again: schedules and triggers fire "
    "while `sfml local start` keeps the server up."
)


def _change(account: Account, name: ObjectName, action: grammar.Action) -> Callable[[Settings], Settings]:
    """The settings after an ALTER TASK."""
    match action:
        case grammar.AddAfter(names):
            return lambda old: replace(old, predecessors=_added(account, name, old, names))
        case grammar.RemoveAfter(names):
            return lambda old: replace(old, predecessors=_removed(account, name, old, names))
        case grammar.SetSettings(clauses):
            given = properties.read_clauses(clauses)
            return lambda old: _set(account, name, old, given)
        case grammar.UnsetSettings(unset, repeated):
            if repeated is not None:
                raise properties.repeated(repeated)
            fields = {key: properties.field_named(key) for key in unset}
            return lambda old: _without(old, fields)
        case grammar.ModifyBody(definition):
            return lambda old: replace(old, definition=definition)
        case grammar.ModifyWhen(condition):
            return lambda old: replace(old, condition=condition)
        case grammar.RemoveWhen():
            return lambda old: replace(old, condition=None)
    raise AssertionError(action)


def _added(account: Account, name: ObjectName, old: Settings, names: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(sorted({*old.predecessors, *links.predecessors(account, name, names)}))


def _removed(account: Account, name: ObjectName, old: Settings, names: tuple[Any, ...]) -> tuple[str, ...]:
    gone = links.removed(account, name, names, old.predecessors)
    return tuple(p for p in old.predecessors if p not in gone)


def _set(account: Account, name: ObjectName, old: Settings, given: dict[str, Any]) -> Settings:
    values = properties.fields_from(account, name, given)
    session = values.pop("session_parameters", {})
    new = replace(old, **values, session_parameters={**old.session_parameters, **session})
    properties.check_overlap(name, new, given)
    return new


def _without(old: Settings, fields: dict[str, str | None]) -> Settings:
    """The settings with those fields reset; session parameters have none."""
    left = {key: value for key, value in old.session_parameters.items() if key not in fields}
    reset = {field: None for field in fields.values() if field is not None}
    return replace(old, session_parameters=left, **reset)  # type: ignore[arg-type]


# -- DROP, EXECUTE


def drop_task(account: Account, session: Session, statement: grammar.DropTask) -> Result:
    name = resolve(statement.name, session)
    commands.demand_schema(account, name.database, name.schema)
    if statement.if_exists and store.find(account.store, name) is None:
        return status(f"Drop statement executed successfully ({name.name} already dropped).")
    commands.drop(account, name)
    return status(f"{name.name} successfully dropped.")


def execute_task(account: Account, session: Session, statement: grammar.ExecuteTask) -> Result:
    name = resolve(statement.name, session)
    match statement.how:
        case grammar.RetryLast():
            run = service.retry_last(account, name)
        case grammar.RetryGroup(group):
            run = service.retry_group(account, name, group)
        case grammar.UsingConfig(config):
            run = service.execute(account, name, config)
        case _:
            run = service.execute(account, name)
    if run.state == "SCHEDULED":
        return status(f"Task {name.name} is scheduled to run after the run that is executing.")
    return status(f"Task {name.name} is scheduled to run immediately.")


# -- SHOW, DESCRIBE

SHOW_COLUMNS = tuple(
    Column(name, "timestamp_ltz" if name.endswith("_on") else "text")
    for name in (
        *("created_on", "name", "id", "database_name", "schema_name", "owner", "comment", "warehouse"),
        *("schedule", "predecessors", "state", "definition", "condition", "allow_overlapping_execution"),
        *("error_integration", "last_committed_on", "last_suspended_on", "owner_role_type", "config"),
        *("task_relations", "last_suspended_reason", "success_integration", "scheduling_mode"),
        *("target_completion_interval", "execute_as_user", "overlap_policy", "created_by_user"),
    )
)
_KIND = Column("kind", "text")
_TERSE = (("created_on", "name"), ("database_name", "schema_name", "schedule"))
"""The columns of SHOW TERSE TASKS before and after `kind`."""


def show_tasks(account: Account, session: Session, statement: grammar.ShowTasks) -> Result:
    listing = statement.listing
    area = area_of(account, session, listing, unsaid="DATABASE", command="SHOW TASKS")
    tasks = _within(account, area)
    kept = selected(
        (task for task in tasks if task.settings.is_root or not listing.root_only),
        lambda task: task.name.name,
        listing,
    )
    rows = [show_values(account, task) for task in kept]
    if not listing.terse:
        return table(SHOW_COLUMNS, rows, SHOW)
    return _terse(rows)


def _terse(rows: list[tuple[Any, ...]]) -> Result:
    """The few columns of TERSE; `kind` is documented to be null for every task."""
    at = {column.name: n for n, column in enumerate(SHOW_COLUMNS)}
    left, right = [[at[name] for name in names] for names in _TERSE]
    columns = [*(SHOW_COLUMNS[n] for n in left), _KIND, *(SHOW_COLUMNS[n] for n in right)]
    return table(columns, [[*(row[n] for n in left), None, *(row[n] for n in right)] for row in rows], SHOW)


def _within(account: Account, area: Area) -> list[Task]:
    if area.database is None or area.schema is None:
        return store.everywhere(account.store, area.database)
    return store.in_schema(account.store, area.database, area.schema)


def show_values(account: Account, task: Task) -> tuple[Any, ...]:
    """A task's row of SHOW TASKS; columns of roots are null for other tasks."""
    settings = task.settings
    policy = (settings.overlap_policy or "NO_OVERLAP") if settings.is_root else None
    return (
        task.created_on,
        task.name.name,
        task.id,
        task.name.database,
        task.name.schema,
        task.owner,
        settings.comment,
        settings.warehouse,
        settings.schedule,
        predecessors_json(task),
        task.state,
        settings.definition,
        settings.condition,
        "null" if policy is None else str(policy == "ALLOW_CHILD_OVERLAP").lower(),
        settings.error_integration,
        task.last_committed_on,
        task.last_suspended_on,
        "ROLE",
        settings.config,
        task_relations(account, task),
        task.last_suspended_reason,
        settings.success_integration,
        None,
        settings.target_completion_interval,
        settings.execute_as_user,
        policy,
        settings.created_by,
    )


def task_relations(account: Account, task: Task) -> str:
    """JSON: predecessors, a root's finalizer, a finalizer's root."""
    relations: dict[str, Any] = {}
    if task.settings.finalize:
        relations["FinalizedRootTask"] = task.name.sibling(task.settings.finalize).fqn()
    relations["Predecessors"] = [task.name.sibling(p).fqn() for p in task.settings.predecessors]
    finalizer = store.finalizer_of(account.store, task.name)
    if finalizer:
        relations["FinalizerTask"] = finalizer.name.fqn()
    return json.dumps(relations, ensure_ascii=False, separators=(",", ":"))


def describe_task(account: Account, session: Session, statement: grammar.DescribeTask) -> Result:
    task = commands.fetch(account, resolve(statement.name, session))
    return table(SHOW_COLUMNS, [show_values(account, task)], DESCRIBE)


PARAMETER_COLUMNS = ("key", "value", "default", "level", "description", "type")


def show_parameters(account: Account, session: Session, statement: grammar.ShowTaskParameters) -> Result:
    """SHOW PARAMETERS IN TASK: every parameter that a task takes, with the level that set it."""
    task = commands.fetch(account, resolve(statement.name, session))
    around = parameters.levels(account, task.name)
    rows = [
        _parameter_row(key, parameter, _set_at(task.settings, around, key))
        for key, parameter in sorted(parameters.ALL.items())
        if is_like(statement.like, key)
    ]
    return table(PARAMETER_COLUMNS, rows, SHOW)


def _set_at(settings: Settings, around: Sequence[tuple[str, Mapping[str, Any]]], key: str) -> tuple[Any, str]:
    """The value of a parameter and its level: the task's, or that of the nearest place; (None, "") if it is not set."""
    own = getattr(settings, key.lower()) if key in parameters.OWN else settings.session_parameters.get(key)
    if own is not None:
        return own, "TASK"
    set_there = ((values[key], level) for level, values in around if key in values)
    of_account = session_parameters.ACCOUNT_VALUES.get(key)
    return next(set_there, (of_account, "ACCOUNT" if of_account is not None else ""))


def _parameter_row(
    key: str, parameter: session_parameters.Parameter, found: tuple[Any, str]
) -> tuple[str, ...]:
    value, level = found
    text = parameter.default if value is None else parameters.shown(value)
    return (key, text, parameter.default, level, "", parameter.kind)


HANDLERS: Handlers = {
    grammar.CreateTask: create_task,
    grammar.AlterTask: alter_task,
    grammar.DropTask: drop_task,
    grammar.ExecuteTask: execute_task,
    grammar.ShowTasks: show_tasks,
    grammar.DescribeTask: describe_task,
    grammar.ShowTaskParameters: show_parameters,
}
READ_ONLY = frozenset({grammar.ShowTasks, grammar.DescribeTask, grammar.ShowTaskParameters})
