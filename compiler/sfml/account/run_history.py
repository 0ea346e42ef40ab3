"""Runs with what they are compared with: the usual duration, and the deployment that each ran on; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime

from sfml.account.history import Run
from sfml.base.record import record
from sfml.plan.journal import Deployment, deployment_before
from sfml.plan.provenance import COMMIT, origin_text

LEAST_RUNS = 3
"""The number of runs from which on a duration is called usual."""


@record
class RanOn:
    """What a run ran on: the number of a deployment, None for a part with the code of files; and its commit."""

    number: int | None
    commit: str | None
    origin: str | None = None
    """The commit and what was not committed, as text."""


@record
class RunHistory:
    """Runs, newest first. `usual_ms` is their usual duration, `ran_on` what is known of each by its id."""

    runs: tuple[Run, ...]
    usual_ms: float | None = None
    ran_on: Mapping[str, RanOn] = field(default_factory=dict)


def run_history(
    runs: Sequence[Run], deployments: Iterable[Deployment], *, limit: int | None = None
) -> RunHistory:
    """The newest `limit` runs, and the values of backfills between them; the usual duration is that of all."""
    kept = tuple(deployments)
    counted = [at for at, run in enumerate(runs) if run.backfill is None]
    shown = tuple(runs if limit is None or len(counted) <= limit else runs[: counted[limit]])
    ran_on = {run.run_id: on for run in shown if (on := ran_on_of(run, kept)) is not None}
    return RunHistory(shown, usual_ms(runs), ran_on)


def usual_ms(runs: Iterable[Run]) -> float | None:
    """The median duration of the whole runs that succeeded at their first attempt; None if there are too few.

    A retried run waits between its attempts, a part runs fewer tasks, and a backfill runs other values.
    """
    took = sorted(
        milliseconds
        for run in runs
        if run.outcome == "succeeded" and run.part is None and run.backfill is None and run.attempt <= 1
        if (milliseconds := duration_ms(run)) is not None
    )
    if len(took) < LEAST_RUNS:
        return None
    return (took[(len(took) - 1) // 2] + took[len(took) // 2]) / 2


def duration_ms(run: Run) -> float | None:
    """How long a run took, all attempts together; None until it is over."""
    if not (run.started_at and run.completed_at and run.is_over):
        return None
    return (run.completed_at - run.started_at).total_seconds() * 1000


def ran_on_of(run: Run, deployments: Iterable[Deployment]) -> RanOn | None:
    """The deployment that a run ran on: the last one that was begun before it; None if that is not kept."""
    if run.part is not None and run.part.deployment is None:
        commit = run.part.commit
        return RanOn(None, commit, f"commit {commit}" if commit else None)
    if run.part is not None:
        number = run.part.deployment
        deployment = next((one for one in deployments if one.header.number == number), None)
    elif run.backfill is not None:
        origin = run.backfill.origin
        same = (one for one in reversed(tuple(deployments)) if one.artefact.fingerprint == origin)
        deployment = next(same, None)
    else:
        deployment = deployment_before(deployments, run.started_at or datetime.now(UTC))
    if deployment is None:
        return None
    record = deployment.artefact.record
    return RanOn(deployment.header.number, record.get(COMMIT), origin_text(record))
