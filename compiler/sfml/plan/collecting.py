"""Which kept deployments, archives and jobs nothing needs any more: they are removed when an apply is done.

A deployment is kept as one of the last few, or when a run of it could still be retried; an archive as long as a
deployed graph or a kept deployment runs it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.artefact import Artefact, archives_in
from sfml.plan.journal import Deployment, deployment_name
from sfml.plan.staged import StageContent, state_path

REACH = timedelta(days=15)
"""How far back a run can be retried, 14 days (https://docs.snowflake.com/en/sql-reference/sql/execute-task), and a
day for a run that began just before its graph was replaced and for clocks that differ."""


def outdated(staged: StageContent, keep: int, now: datetime) -> tuple[int, ...]:
    """The numbers of kept deployments that the one to come makes superfluous; told from the LIST alone.

    A deployment could run until the next one was written.
    """
    numbers = staged.deployments
    found = []
    for number, successor in itertools.pairwise(numbers):
        replaced = staged.written.get(state_path(staged.pipeline, deployment_name(successor)))
        if replaced is not None and replaced < now - REACH:
            found.append(number)
    last = set(numbers[len(numbers) - (keep - 1) :]) if keep > 1 else set()
    return tuple(number for number in found if number not in last)


def collected(
    staged: StageContent,
    gone: tuple[int, ...],
    kept: Iterable[Deployment],
    desired: DesiredGraph,
    was: Iterable[Artefact | None],
) -> tuple[str, ...]:
    """The files of those deployments, and the folders that neither the others nor the two graphs need."""
    needed = set(_archives(desired))
    needed |= {path for one in kept if one.header.number not in gone for path in one.artefact.archives}
    needed |= {path for one in was if one is not None for path in one.archives}
    files = (state_path(staged.pipeline, deployment_name(number)) for number in gone)
    return (*files, *sorted(staged.archives - needed))


def _archives(desired: DesiredGraph) -> Iterable[str]:
    for task in desired.all_tasks:
        match task.definition:
            case SqlDefinition(sql):
                yield from archives_in(sql)
            case MLJobDefinitionSpec(stage_path=path):
                yield path
