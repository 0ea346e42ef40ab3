"""The statement that creates a task in its current state."""

from __future__ import annotations

from collections.abc import Sequence

from sfml_local.core.account import Account
from sfml_local.core.kinds import ddl_name
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import ddl_literal, literal, quoted_if_needed
from sfml_local.services.tasks import store

_PARAMETERS = (
    *("user_task_managed_initial_warehouse_size", "suspend_task_after_num_failures", "user_task_timeout_ms"),
    "task_auto_retry_attempts",
)


def ddl(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE TASK; of the overlap policies an account tells that of ALLOW_OVERLAPPING_EXECUTION alone."""
    task = store.find(account.store, name)
    if task is None:
        return None
    settings = task.settings
    clauses = [f"create or replace task {ddl_name(name, qualified)}"]
    if settings.warehouse:
        clauses.append(f"warehouse={quoted_if_needed(settings.warehouse)}")
    if settings.schedule:
        clauses.append(f"schedule={literal(settings.schedule)}")
    if settings.config:
        clauses.append(f"config={literal(settings.config)}")
    for field in _PARAMETERS:
        if (value := getattr(settings, field)) is not None:
            clauses.append(f"{field.upper()}={literal(value) if isinstance(value, str) else value}")
    if settings.comment:
        clauses.append(f"COMMENT={ddl_literal(settings.comment)}")
    if settings.overlap_policy == "ALLOW_CHILD_OVERLAP":
        clauses.append("allow_overlapping_execution=true")
    if settings.finalize:
        clauses.append(f"finalize={literal(name.sibling(settings.finalize).fqn())}")
    if settings.predecessors:
        clauses.append("after " + ", ".join(name.sibling(one).fqn() for one in settings.predecessors))
    if settings.condition:
        clauses.append(f"when {settings.condition}")
    clauses.append(f"as {settings.definition}")
    return "\n\t".join(clauses) + ";"


def names(account: Account, database: str, schema: str) -> Sequence[ObjectName]:
    """The tasks of a schema."""
    return [task.name for task in store.in_schema(account.store, database, schema)]
