"""Replaces the bodies of tasks by SQL that succeeds or fails as a test demands, attempt by attempt."""

from __future__ import annotations

from collections.abc import Collection

from sfml.base.quoting import literal
from sfml.graph.model import OnWarehouse, SqlBody, Target, TaskNode
from sfml.testing.local_snowflake import LocalSnowflake

ATTEMPTS = "SFML_TEST_ATTEMPTS"
"""A table in the test's database with one row for each start of a task that fails in some attempts."""


def make_attempts(account: LocalSnowflake, target: Target) -> None:
    """Create the table in which failing bodies count their attempts."""
    account.sql(f"CREATE TABLE {target.database}.{target.schema}.{ATTEMPTS} (TASK STRING)")


def failing_body(task: str, failing: Collection[int] | None, otherwise: str) -> str:
    """A statement that fails at the executions in `failing`, counted from 1 (None: always), else runs `otherwise`."""
    failing_statement = f"SELECT GIVEN_TO_FAIL FROM {ATTEMPTS}"
    if failing is None:
        return failing_statement
    numbers = ", ".join(map(str, sorted(failing)))
    name = literal(task)
    return (
        f"BEGIN INSERT INTO {ATTEMPTS} VALUES ({name}); LET n INT; "
        f"SELECT COUNT(*) INTO :n FROM {ATTEMPTS} WHERE TASK = {name}; "
        f"IF (n IN ({numbers})) THEN {failing_statement}; END IF; {otherwise}; END"
    )


def constant_task(node: TaskNode, body: str, target: Target) -> TaskNode:
    """The task with another body, on the target's warehouse. Its place in the graph stays."""
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
