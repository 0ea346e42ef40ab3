"""The statement that creates a task in its current state."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import literal, quoted_if_needed
from sfml_local.services.tasks import commands


def ddl(account: Account, name: ObjectName, qualified: bool) -> str:
    """CREATE TASK with the full name or its last part."""
    task = commands.fetch(account, name)
    settings = task.settings
    clauses = [f"create or replace task {name.fqn() if qualified else quoted_if_needed(name.name)}"]
    if settings.warehouse:
        clauses.append(f"warehouse={quoted_if_needed(settings.warehouse)}")
    if settings.schedule:
        clauses.append(f"schedule={literal(settings.schedule)}")
    if settings.config:
        clauses.append(f"config={literal(settings.config)}")
    if settings.overlap_policy and settings.overlap_policy != "NO_OVERLAP":
        clauses.append(f"overlap_policy={settings.overlap_policy}")
    for field in ("user_task_timeout_ms", "suspend_task_after_num_failures", "task_auto_retry_attempts"):
        if getattr(settings, field) is not None:
            clauses.append(f"{field.upper()}={getattr(settings, field)}")
    if settings.comment:
        clauses.append(f"COMMENT={literal(settings.comment)}")
    if settings.finalize:
        clauses.append(f"finalize={literal(name.sibling(settings.finalize).fqn())}")
    if settings.predecessors:
        clauses.append("after " + ", ".join(name.sibling(one).fqn() for one in settings.predecessors))
    if settings.condition:
        clauses.append(f"when {settings.condition}")
    clauses.append(f"as {settings.definition}")
    return "\n\t".join(clauses) + ";"
