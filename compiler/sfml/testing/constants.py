"""Tasks whose bodies do nothing but end as they are told to, attempt by attempt."""

from __future__ import annotations

from collections.abc import Collection

from sfml.base.quoting import literal
from sfml.graph.model import OnWarehouse, SqlBody, Target, TaskNode
from sfml.testing.local_snowflake import LocalSnowflake

ATTEMPTS = "SFML_TEST_ATTEMPTS"
"""A table of the test's own: a row each time that a task which fails at times was begun."""


def make_attempts(account: LocalSnowflake, target: Target) -> None:
    """Make the table that failing bodies count their attempts in."""
    account.sql(f"CREATE TABLE {target.database}.{target.schema}.{ATTEMPTS} (TASK STRING)")


def failing_body(task: str, failing: Collection[int] | None, otherwise: str) -> str:
    """A statement that fails these times that it runs (None: always), counted from 1, and else does something."""
    fails = f"SELECT GIVEN_TO_FAIL FROM {ATTEMPTS}"
    if failing is None:
        return fails
    numbers = ", ".join(map(str, sorted(failing)))
    name = literal(task)
    return (
        f"BEGIN INSERT INTO {ATTEMPTS} VALUES ({name}); LET n INT; "
        f"SELECT COUNT(*) INTO :n FROM {ATTEMPTS} WHERE TASK = {name}; "
        f"IF (n IN ({numbers})) THEN {fails}; END IF; {otherwise}; END"
    )


def constant_task(node: TaskNode, body: str, target: Target) -> TaskNode:
    """The task with another body, on a warehouse; nothing of its own work is left."""
    return TaskNode(
        name=node.name,
        body=SqlBody(body),
        run_on=OnWarehouse(target.warehouse),
        after=node.after,
        outcomes=node.outcomes,
        run_if=node.run_if,
        when=node.when,
        is_finalizer=node.is_finalizer,
        own_name=node.own_name,
    )
