"""Operations on tasks, called by statements and by the REST API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, already_exists, does_not_exist
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.compute.store import demand_warehouse
from sfml_local.services.tasks import store as tasks_store
from sfml_local.services.tasks.model import Settings, Task, by_name
from sfml_local.services.tasks.properties import checked, demand_serverless
from sfml_local.services.tasks.rules import (
    check_graph,
    check_links,
    children_of,
    demand_one_owner,
    demand_suspended,
    finalizer_of,
    no_such_task,
    roots_of,
)

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


class Created(Enum):
    CREATED = "created"
    REPLACED = "replaced"
    ALTERED = "altered"


def demand_schema(account: Account, database: str, schema: str) -> None:
    """Refuse a database or a schema that does not exist."""
    if not account.engine.has_database(database):
        raise does_not_exist("Database", quoted_if_needed(database))
    if schema not in account.engine.schemas(database):
        name = f"{quoted_if_needed(database)}.{quoted_if_needed(schema)}"
        raise does_not_exist("Schema", name)


def fetch(account: Account, name: ObjectName) -> Task:
    """The task; raises 002003."""
    task = tasks_store.find(account.store, name)
    if task is None:
        raise no_such_task(name)
    return task


def siblings(account: Account, name: ObjectName) -> dict[str, Task]:
    """The tasks of the same schema by unqualified name, itself included when it exists."""
    return by_name(tasks_store.in_schema(account.store, name.database, name.schema))


def create(
    account: Account, session: Session, name: ObjectName, settings: Settings, *, replace_it: bool = False
) -> Created:
    """CREATE [OR REPLACE] TASK: suspended, with a new id. Raises 002002 if it exists and must not be replaced."""
    demand_schema(account, name.database, name.schema)
    demand_warehouse(account, settings.warehouse)
    with account.store.transaction():
        tasks = siblings(account, name)
        old = tasks.get(name.name)
        if old is not None and not replace_it:
            raise already_exists(name.fqn())
        _demand_change(name, settings, tasks)
        check_links(name, settings, tasks, replaces=old is not None)
        demand_one_owner(name, session.role, settings, tasks)
        if old is not None:
            tasks_store.delete(account.store, old)
            account.object_dropped("TASK", name.fqn())
        made = replace(settings, created_by=session.user)
        task = Task(str(uuid.uuid4()), name, made, session.role, account.clock())
        tasks_store.save(account.store, task)
    return Created.REPLACED if old else Created.CREATED


def _demand_change(name: ObjectName, settings: Settings, tasks: dict[str, Task]) -> None:
    """Raise 091421 unless the roots of the task's current and new graphs are suspended."""
    above = [*settings.predecessors, *([settings.finalize] if settings.finalize else [])]
    for start in (name.name, *above):
        demand_suspended(*roots_of(start, tasks))


def create_or_alter(account: Account, session: Session, name: ObjectName, settings: Settings) -> Created:
    """CREATE OR ALTER TASK and PUT: missing settings get their defaults; the state stays."""
    old = tasks_store.find(account.store, name)
    if old is None:
        return create(account, session, name, settings)
    # Settings without a clause in CREATE OR ALTER are not changed.
    # https://docs.snowflake.com/en/sql-reference/sql/create-task
    before = old.settings
    kept = replace(settings, log_level=settings.log_level or before.log_level, created_by=before.created_by)
    if kept != before:
        change(account, name, lambda _: kept)
    return Created.ALTERED


def change(account: Account, name: ObjectName, new: Callable[[Settings], Settings]) -> Task:
    """Change a task's settings; its root, and that of a graph that it joins, must be suspended."""
    with account.store.transaction():
        tasks = siblings(account, name)
        task = fetch(account, name)
        wanted = new(task.settings)
        demand_serverless(task.settings, wanted)
        settings = checked(name, wanted)
        if settings.warehouse != task.settings.warehouse:
            demand_warehouse(account, settings.warehouse)
        _demand_change(name, settings, tasks)
        check_links(name, settings, tasks)
        demand_one_owner(name, task.owner, settings, tasks)
        changed = replace(task, settings=settings)
        if settings.schedule != task.settings.schedule:
            changed = replace(changed, scheduled_since=account.clock())
        changed = _orphaned(account, task, changed)
        tasks_store.save(account.store, changed)
    return changed


def _orphaned(account: Account, old: Task, new: Task) -> Task:
    """The task, suspended with Snowflake's reason for a task that has just become a root."""
    if not new.settings.is_root or old.settings.is_root:
        return new
    reason = "FINALIZER_BECAME_ROOT" if old.settings.finalize else "CHILD_BECAME_ROOT"
    return replace(
        new, started=False, last_suspended_on=account.clock(), last_suspended_reason=reason, graph_version=0
    )


def drop(account: Account, name: ObjectName) -> None:
    """DROP TASK: removes all links of the task; tasks without predecessors become suspended roots.

    A running graph finishes on its version. https://docs.snowflake.com/en/sql-reference/sql/drop-task
    """
    with account.store.transaction():
        tasks = siblings(account, name)
        task = fetch(account, name)
        if not task.settings.is_root:
            demand_suspended(*roots_of(name.name, tasks))
        elif children_of(name.name, tasks) or finalizer_of(name.name, tasks):
            demand_suspended(task)
        tasks_store.delete(account.store, task)
        account.object_dropped("TASK", name.fqn())
        _let_go(account, name, tasks)


def _let_go(account: Account, name: ObjectName, tasks: dict[str, Task]) -> None:
    """Remove the links of others to a task: of its children, and of its finalizer."""
    for child in children_of(name.name, tasks):
        left = tuple(p for p in child.settings.predecessors if p != name.name)
        tasks_store.save(account.store, _orphaned(account, child, child.with_settings(predecessors=left)))
    finalizer = finalizer_of(name.name, tasks)
    if finalizer:
        tasks_store.save(account.store, _orphaned(account, finalizer, finalizer.with_settings(finalize=None)))


def unlink(account: Account, task: Task) -> Task:
    """Remove all links of a task, as getting an owner of its own does, and return it without them."""
    _let_go(account, task.name, siblings(account, task.name))
    alone = _orphaned(account, task, task.with_settings(predecessors=(), finalize=None))
    tasks_store.save(account.store, alone)
    return alone


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Remove the tasks of a dropped schema."""
    with account.store.transaction():
        for task in tasks_store.in_schema(account.store, database, schema):
            tasks_store.delete(account.store, task)


def suspend(account: Account, name: ObjectName, reason: str = "USER_SUSPENDED") -> None:
    """ALTER TASK … SUSPEND; executing runs continue. Suspending a root resets its failure counters."""
    with account.store.transaction():
        tasks = siblings(account, name)
        task = fetch(account, name)
        if not task.settings.is_root:
            demand_suspended(*roots_of(name.name, tasks))
        else:
            tasks_store.set_failures(account.store, task.id, {})
        if task.started:
            now = account.clock()
            tasks_store.save(
                account.store,
                replace(task, started=False, last_suspended_on=now, last_suspended_reason=reason),
            )


def resume(account: Account, name: ObjectName) -> None:
    """ALTER TASK … RESUME; a root's graph is checked and a version of it fixed."""
    with account.store.transaction():
        tasks = siblings(account, name)
        task = fetch(account, name)
        if not task.settings.is_root:
            demand_suspended(*roots_of(name.name, tasks))
            if not task.started:
                tasks_store.save(account.store, replace(task, started=True))
            return
        if task.started:
            return
        commit(account, task, tasks)
        task = replace(fetch(account, name), started=True, scheduled_since=account.clock())
        tasks_store.save(account.store, task)
        account.store.after_commit(account.attention.set)


def commit(account: Account, root: Task, tasks: dict[str, Task]) -> int:
    """Fix a version of the root's graph as it is now, and return its number."""
    shape = check_graph(root, tasks)
    now = account.clock()
    members = [tasks[member.name] for member in shape]
    number = tasks_store.commit_version(account.store, root, members, now)
    tasks_store.save(
        account.store,
        *(replace(member, last_committed_on=now, graph_version=number) for member in members),
    )
    return number


def dependents(account: Account, name: ObjectName, recursive: bool = True) -> list[Task]:
    """The task itself, its children, with `recursive` all descendants, and the finalizer of a root.

    https://docs.snowflake.com/en/sql-reference/functions/task_dependents; that the finalizer is among
    them was seen on an account.
    """
    tasks = siblings(account, name)
    found = {name.name: fetch(account, name)}
    level = [name.name]
    while level:
        next_level = []
        for parent in level:
            for child in children_of(parent, tasks):
                if child.name.name not in found:
                    found[child.name.name] = child
                    next_level.append(child.name.name)
        level = next_level if recursive else []
    finalizer = finalizer_of(name.name, tasks)
    if finalizer:
        found[finalizer.name.name] = finalizer
    return list(found.values())


def enable_dependents(account: Account, name: ObjectName) -> None:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: resume every task of the graph, the root last."""
    root, *others = dependents(account, name)
    if not root.settings.is_root:
        raise SqlError(
            f"SYSTEM$TASK_DEPENDENTS_ENABLE cannot be called on non-root task {name.fqn()}.", 1008, "22000"
        )
    with account.store.transaction():
        for task in others:
            if not task.started:
                resume(account, task.name)
        resume(account, name)
