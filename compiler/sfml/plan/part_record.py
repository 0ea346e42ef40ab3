"""The record of a part of a run: a file on the stage, which outlives the part's graph and Snowflake's history.

It is written before the graph is made, and again with the outcome before the graph is removed. `history` and later
parts read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sfml.base.record import record
from sfml.graph.located import Scalar
from sfml.lower.canonical import Json, canonical_json
from sfml.plan.part import TaskResult
from sfml.plan.rehoming import EarlierRun
from sfml.plan.stage_content import StageContent, state_path
from sfml.semantics.states import State

RECORD_VERSION = 1


@record
class PartTaskEnd:
    """How a task of a part ended; times are ISO texts in UTC, `value` is the return value as Snowflake keeps it."""

    name: str
    state: str
    started_at: str | None = None
    completed_at: str | None = None
    value: str | None = None
    error: str | None = None
    query_id: str | None = None


@record
class PartOutcome:
    """How a part ended."""

    run_id: str
    state: str
    attempt: int
    started_at: str | None
    completed_at: str | None
    tasks: tuple[PartTaskEnd, ...]
    timed_out: bool = False


@record
class PartRecord:
    """A part of a run: what it was to do, and how it ended; `outcome` is None until that is recorded.

    `mark` is what the name of its root ends with. `selectors` are those of the command line. `deployment` is the number
    of the deployment whose code it ran, None for the code of the files, of which `commit` is the commit.
    """

    mark: str
    root: str
    nonce: str
    owner: str
    began_at: str
    selectors: tuple[str, ...]
    running: tuple[str, ...]
    reused: Mapping[str, TaskResult]
    recovers: str | None = None
    run: EarlierRun | None = None
    deployment: int | None = None
    commit: str | None = None
    config: Mapping[str, Scalar] | None = None
    outcome: PartOutcome | None = None

    def results(self) -> Mapping[str, TaskResult]:
        """The results of its tasks: those that it reused, and how the others ended."""
        outcome = self.outcome
        if outcome is None:
            return self.reused
        ended = {
            task.name: TaskResult(State(task.state), outcome.run_id, task.value, time_of(task.completed_at))
            for task in outcome.tasks
            if task.name not in self.reused and task.state in State.__members__
        }
        return {**self.reused, **ended}


_OPEN = "-open.json"


def record_path(pipeline: str, mark: str) -> str:
    """The path of the record of a part that has ended."""
    return state_path(pipeline, f"part-{mark.lower()}.json")


def open_path(pipeline: str, mark: str) -> str:
    """The path of the record of a part whose graph exists, or is about to.

    It is another file than that of an ended part, so that one LIST says whether there is a graph to be looked after.
    """
    return state_path(pipeline, f"part-{mark.lower()}{_OPEN}")


def record_paths(staged: StageContent | None) -> tuple[str, ...]:
    """The paths of the records of parts that are on the stage; of a part with two records, that of its end."""
    paths = () if staged is None else staged.paths
    start = "" if staged is None else state_path(staged.pipeline, "part-")
    own = {path for path in paths if path.startswith(start) and path.endswith(".json")}
    return tuple(sorted(path for path in own if path.replace(_OPEN, ".json") not in own - {path}))


def open_marks(staged: StageContent | None) -> tuple[str, ...]:
    """The marks of the parts whose graphs may exist."""
    paths = () if staged is None else staged.paths
    start = "" if staged is None else state_path(staged.pipeline, "part-")
    return tuple(
        sorted(
            path.removeprefix(start).removesuffix(_OPEN)
            for path in paths
            if path.startswith(start) and path.endswith(_OPEN)
        )
    )


def record_json(part: PartRecord) -> str:
    """The text of the record's file."""
    outcome = part.outcome
    value: dict[str, Json] = {
        "format_version": RECORD_VERSION,
        "mark": part.mark,
        "root": part.root,
        "nonce": part.nonce,
        "owner": part.owner,
        "began_at": part.began_at,
        "selectors": list(part.selectors),
        "running": list(part.running),
        "reused": {
            name: {
                "run_id": result.run_id,
                "value": result.value,
                "completed_at": None if result.completed_at is None else result.completed_at.isoformat(),
            }
            for name, result in part.reused.items()
        },
        "recovers": part.recovers,
        "run": None
        if part.run is None
        else {"id": part.run.id, "scheduled_at": part.run.scheduled_at, "root": part.run.root},
        "deployment": part.deployment,
        "commit": part.commit,
        "config": None if part.config is None else dict(part.config),
        "outcome": None
        if outcome is None
        else {
            "run_id": outcome.run_id,
            "state": outcome.state,
            "attempt": outcome.attempt,
            "started_at": outcome.started_at,
            "completed_at": outcome.completed_at,
            "timed_out": outcome.timed_out,
            "tasks": [
                {
                    "name": task.name,
                    "state": task.state,
                    "started_at": task.started_at,
                    "completed_at": task.completed_at,
                    "value": task.value,
                    "error": task.error,
                    "query_id": task.query_id,
                }
                for task in outcome.tasks
            ],
        },
    }
    return canonical_json(value) + "\n"


def record_from(content: bytes) -> PartRecord | None:
    """The record in the bytes of its file; None if this version cannot read it."""
    try:
        value = json.loads(content)
        if value["format_version"] != RECORD_VERSION:
            return None
        return _record(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _record(value: Mapping[str, Any]) -> PartRecord:
    run, outcome = value["run"], value["outcome"]
    return PartRecord(
        mark=str(value["mark"]),
        root=str(value["root"]),
        nonce=str(value["nonce"]),
        owner=str(value["owner"]),
        began_at=str(value["began_at"]),
        selectors=tuple(map(str, value["selectors"])),
        running=tuple(map(str, value["running"])),
        reused={
            str(name): TaskResult(
                State.SUCCEEDED, str(one["run_id"]), one["value"], time_of(one.get("completed_at"))
            )
            for name, one in value["reused"].items()
        },
        recovers=value["recovers"],
        run=None if run is None else EarlierRun(str(run["id"]), run["scheduled_at"], str(run["root"])),
        deployment=value["deployment"],
        commit=value["commit"],
        config=value["config"],
        outcome=None
        if outcome is None
        else PartOutcome(
            str(outcome["run_id"]),
            str(outcome["state"]),
            int(outcome["attempt"]),
            outcome["started_at"],
            outcome["completed_at"],
            tuple(PartTaskEnd(**one) for one in outcome["tasks"]),
            bool(outcome["timed_out"]),
        ),
    )


def time_of(text: object) -> datetime | None:
    """A time of a record, in UTC; None if there is none."""
    if not isinstance(text, str):
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
