"""The kept deployments, archives and payloads that are removed at the end of an apply, because nothing needs them.

A deployment is kept if it is one of the last few, or if a run of it can still be retried. An archive is kept as long as
the deployed graph or a kept deployment runs it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.artefact import Artefact, archives_in
from sfml.plan.journal import Deployment, deployment_name
from sfml.plan.stage_content import StageContent, state_path

REACH = timedelta(days=15)
"""How long a replaced deployment may be needed for a retry: 14 days
(https://docs.snowflake.com/en/sql-reference/sql/execute-task), and one day for runs that began just before their graph
was replaced, and for clocks that differ."""


def outdated(staged: StageContent, keep: int, now: datetime) -> tuple[int, ...]:
    """The numbers of kept deployments that are not needed once the next one is written; read from LIST only.

    `keep` is the number of last deployments to keep, including the next one. A deployment can have run until the time
    when its successor was written.
    """
    numbers = staged.deployments
    replaced_long_ago = []
    for number, successor in itertools.pairwise(numbers):
        replaced = staged.written.get(state_path(staged.pipeline, deployment_name(successor)))
        if replaced is not None and replaced < now - REACH:
            replaced_long_ago.append(number)
    last = set(numbers[len(numbers) - (keep - 1) :]) if keep > 1 else set()
    return tuple(number for number in replaced_long_ago if number not in last)


def collected(
    staged: StageContent,
    gone: tuple[int, ...],
    kept: Iterable[Deployment],
    desired: DesiredGraph,
    was: Iterable[Artefact | None],
) -> tuple[str, ...]:
    """The paths to remove: files of the deployments `gone`, and folders that no kept deployment or graph needs.

    `desired` is the graph that is being applied, `was` are graphs that were deployed before.
    """
    needed = set(_archives(desired))
    needed |= {
        path
        for deployment in kept
        if deployment.header.number not in gone
        for path in deployment.artefact.archives
    }
    needed |= {path for artefact in was if artefact is not None for path in artefact.archives}
    files = (state_path(staged.pipeline, deployment_name(number)) for number in gone)
    return (*files, *sorted(staged.archives - needed))


def _archives(desired: DesiredGraph) -> Iterable[str]:
    for task in desired.all_tasks:
        match task.definition:
            case SqlDefinition(sql):
                yield from archives_in(sql)
            case MLJobDefinitionSpec(stage_path=path, alerts=alerts):
                yield path
                if alerts is not None:
                    yield from archives_in(alerts.archive)
