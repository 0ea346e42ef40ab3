"""Carries passages out in this process or in one that will be killed, and reads what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import snowflake.connector
from graphs import TARGET, Passage
from snowflake.connector.backoff_policies import linear_backoff

from sfml.base.retry_policy import RetryPolicy
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import planned_graph, work_of
from sfml.operations.deployer import Deployer, Work
from sfml.operations.held_lease import HeldLease, holding, new_lease
from sfml.operations.removal import planned_removal
from sfml.operations.restoration import restore_work
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact, observed_artefact
from sfml.plan.lease import Lease
from sfml.snowflake.history import History
from sfml.snowflake.leases import Leases
from sfml.snowflake.objects import use_schema
from sfml.snowflake.stage import Stage
from sfml.snowflake.tasks import Tasks

QUICK = RetryPolicy(longest=0.05, first_pause=0.001, longest_pause=0.01)
"""A fault of a test is over at once."""


@contextmanager
def account(arguments: Mapping[str, Any]) -> Iterator[TargetAccount]:
    connection = snowflake.connector.connect(
        **{**arguments, "database": TARGET.database, "schema": TARGET.schema, "warehouse": "LOCAL_WH"},
        backoff_policy=linear_backoff(factor=0, base=0, cap=0),
    )
    try:
        use_schema(connection, TARGET)
        yield TargetAccount(
            connection,
            Tasks(connection, TARGET),
            Stage(connection, TARGET),
            History(connection, TARGET),
            Leases(connection, TARGET),
        )
    finally:
        connection.close()


def carry_out(
    passage: Passage,
    account: TargetAccount,
    *,
    force: bool = False,
    watching: Callable[[HeldLease], object] = lambda held: None,
    retry_policy: RetryPolicy = QUICK,
) -> None:
    """Make the account hold the new graph, whatever an earlier attempt left."""
    root = passage.either.root.name
    if force:
        account.leases.drop(root)
    with holding(account.leases, root, new_lease("somebody"), wait=0) as held:
        watching(held)
        work = work_for(passage, account, held.lease)
        if work is not None:
            Deployer(work, account.tasks, account.stage, held, retry_policy=retry_policy).deploy()


def go_back(passage: Passage, account: TargetAccount, *, force: bool = False) -> bool:
    """Put back what was there; false when no apply is unfinished."""
    root = passage.either.root.name
    if force:
        account.leases.drop(root)
    with holding(account.leases, root, new_lease("somebody"), wait=0) as held:
        work = restore_work(passage.either, account)
        if work is not None:
            Deployer(work, account.tasks, account.stage, held, retry_policy=QUICK).deploy()
    return work is not None


def work_for(passage: Passage, account: TargetAccount, lease: Lease) -> Work | None:
    if passage.new is not None:
        return work_of(planned_graph(passage.new, account, resume=passage.on), passage.new, lease)
    removal = planned_removal(passage.either, account)
    return removal.work(lease) if removal.groups else None


def state(graph: DesiredGraph, account: TargetAccount) -> Artefact | None:
    """The graph as it is deployed now, on or off, to the letter."""
    return observed_artefact(graph.pipeline, TARGET, account.tasks.observed(graph.root.name))
