"""The tasks that a task names: its predecessors and the root that it finalizes; refusals with Snowflake's messages.

A missing task is named as written; only then it is checked that all tasks of a graph are in one schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName, resolve
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name
from sfml_local.services.tasks import store
from sfml_local.services.tasks.rules import NO_PREDECESSOR, refused

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def predecessors(account: Account, task: ObjectName, names: tuple[Name, ...]) -> tuple[str, ...]:
    """Unqualified names, sorted, without duplicates; their order has no meaning."""
    found = [_known(account, task, name, "predecessor") for name in names]
    for full in found:
        if not _are_neighbours(full, task):
            raise refused(f"Cannot have predecessor {quoted_if_needed(full.name)} from a different schema.")
    return tuple(sorted({full.name for full in found}))


def finalized(account: Account, task: ObjectName, name: Name) -> str:
    """The unqualified name of the root that a task finalizes."""
    full = _known(account, task, name, "finalized root task")
    if not _are_neighbours(full, task):
        raise refused(f"Cannot finalize graph {_written(name)} in a different schema.")
    return full.name


def removed(
    account: Account, task: ObjectName, names: tuple[Name, ...], known: tuple[str, ...]
) -> tuple[str, ...]:
    """The names for REMOVE AFTER; tasks that are not predecessors are reported first."""
    full_names = [resolve(name, task) for name in names]
    for full in full_names:
        is_predecessor = _are_neighbours(full, task) and full.name in known
        if not is_predecessor and store.find(account.store, full) is not None:
            raise refused(f"Task {task.name} does not have predecessor {full.name}.")
    for name, full in zip(names, full_names, strict=True):
        if full.name not in known:
            raise _invalid("predecessor", name)
    return tuple(full.name for full in full_names)


def _known(account: Account, task: ObjectName, name: Name, kind: str) -> ObjectName:
    full = resolve(name, task)
    if full != task and store.find(account.store, full) is None:
        raise _invalid(kind, name)
    return full


def _invalid(kind: str, name: Name) -> Exception:
    sentence = f"Invalid {kind} {_written(name)} was specified."
    return refused(sentence, *NO_PREDECESSOR) if kind == "predecessor" else refused(sentence)


def _written(name: Name) -> str:
    return ".".join(quoted_if_needed(part) for part in name.parts)


def _are_neighbours(one: ObjectName, other: ObjectName) -> bool:
    return (one.database, one.schema) == (other.database, other.schema)
