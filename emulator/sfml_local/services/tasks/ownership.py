"""The owner of a task. A task that gets another owner is suspended, as on an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sfml_local.core.account import Account
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.session import Session
from sfml_local.grammar.tokens import Name
from sfml_local.services.tasks import commands, store, tag_store
from sfml_local.services.tasks.model import Task


def owner_of(account: Account, session: Session, written: Name) -> tuple[datetime, str] | None:
    """When the task was created, and its owner."""
    task = store.find(account.store, resolve(written, session))
    return (task.created_on, task.owner) if task else None


def give(account: Account, session: Session, written: Name, role: str) -> None:
    """Make a role the owner of a task, which loses its links: the tasks of a graph have one owner.

    https://docs.snowflake.com/en/user-guide/tasks-graphs#manage-task-graph-ownership
    """
    with account.store.transaction():
        task = commands.fetch(account, resolve(written, session))
        if task.owner != role:
            _pass_on(account, commands.unlink(account, task), role)


def give_all(account: Account, session: Session, names: Sequence[Name], role: str) -> None:
    """Make a role the owner of tasks at once, so that they keep their links to each other."""
    with account.store.transaction():
        for written in names:
            task = commands.fetch(account, resolve(written, session))
            if task.owner != role:
                _pass_on(account, task, role)


def _pass_on(account: Account, task: Task, role: str) -> None:
    if task.started:
        task = replace(
            task,
            started=False,
            last_suspended_on=account.clock(),
            last_suspended_reason="GRANT_OWNERSHIP_ON_TASK",
        )
    store.save(account.store, replace(task, owner=role))


def tags_of(account: Account, session: Session, written: Name) -> Mapping[ObjectName, str]:
    """The tags on an existing task."""
    return tag_store.tags_of(account.store, commands.fetch(account, resolve(written, session)).id)
