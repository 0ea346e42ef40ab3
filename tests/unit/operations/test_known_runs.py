"""What is known of earlier runs, and which of them a part may continue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from made_graphs import closure, graph, sql

from sfml.account.history import MOST_ROWS, DeployedRoot, TaskRow
from sfml.base.errors import ConflictingState
from sfml.lower.desired import SqlDefinition
from sfml.lower.lower import lower
from sfml.operations.known_runs import KnownRuns, _whole_runs, run_named
from sfml.operations.part_runs import named_run
from sfml.plan.artefact import intended_artefact
from sfml.plan.journal import Deployment, Header, KeptDeployments

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROOT = DeployedRoot("CLV", "1", True, None, None)
DESIRED = lower(graph(sql("a"), sql("b", after=("a",))), closure, "0.1.0")
OWN_ROOT = replace(DESIRED, root=replace(DESIRED.root, definition=SqlDefinition("create table t (a int)")))


def row(name: str, state: str, run: str = "r1", *, minute: int = 0, config: str | None = None) -> TaskRow:
    at = NOON + timedelta(minutes=minute)
    return TaskRow(name, state, None, at, at, at, None, None, None, run, 1, config)


def deployment(number: int, minute: int, factor: int) -> Deployment:
    """A deployment whose config has a factor, begun so many minutes after noon."""
    desired = replace(DESIRED, root=replace(DESIRED.root, config={"factor": factor}))
    bodies = {task.name: "select 1" for task in desired.all_tasks}
    artefact = intended_artefact(desired, bodies, dict.fromkeys(bodies), started=True)
    began = (NOON + timedelta(minutes=minute)).isoformat()
    return Deployment(Header(number, "ada", began, "n", None, "apply"), artefact)


def known(*rows: TaskRow, kept: tuple[Deployment, ...] = ()) -> KnownRuns:
    return KnownRuns(rows, (), KeptDeployments(kept), {"CLV$A": "a", "CLV$B": "b"}, ROOT)


CONFIGURED = row("CLV", "SUCCEEDED", config='{"factor": 7, "day": "x", "_sfml_run": "n"}')


def test_a_run_overrode_what_its_deployment_has_otherwise() -> None:
    assert known(CONFIGURED, kept=(deployment(1, -5, 7),)).overridden("r1") == {}
    assert known(CONFIGURED, kept=(deployment(1, -5, 2),)).overridden("r1") == {"factor": 7}


def test_of_a_run_whose_deployment_is_not_kept_the_whole_config_counts() -> None:
    assert known(CONFIGURED).overridden("r1") == {"factor": 7, "day": "x"}
    assert known(CONFIGURED, kept=(deployment(2, 5, 2),)).overridden("r1") == {"factor": 7, "day": "x"}
    assert known(row("CLV", "SUCCEEDED")).overridden("r1") == {}


@pytest.mark.parametrize(
    ("minutes", "can_be"), [((), True), ((-5,), True), ((-5, 5), False), ((-9, -5), True), ((5,), False)]
)
def test_a_run_can_be_retried_until_a_later_deployment(minutes: tuple[int, ...], can_be: bool) -> None:
    kept = tuple(deployment(number, minute, 2) for number, minute in enumerate(minutes, 1))
    assert known(CONFIGURED, kept=kept).can_be_retried("r1") is can_be


@pytest.mark.parametrize("text", ["r1", "last"])
def test_a_run_whose_root_failed_is_recovered_only_where_the_root_does_nothing(text: str) -> None:
    failed = known(row("CLV", "FAILED"))
    assert run_named(text, failed, DESIRED) == "r1"
    with pytest.raises(ConflictingState, match="the root failed in run r1") as refused:
        run_named(text, failed, OWN_ROOT)
    assert refused.value.help and refused.value.help.startswith("run the pipeline anew:  sfml run")
    well = known(row("CLV", "SUCCEEDED"), row("CLV$A", "FAILED"))
    assert run_named(text, well, OWN_ROOT) == "r1"


def test_a_run_that_was_skipped_leaves_nothing_to_recover() -> None:
    skipped = known(row("CLV", "SKIPPED"))
    with pytest.raises(ConflictingState, match="was skipped, because the condition of its root"):
        run_named("r1", skipped, DESIRED)
    with pytest.raises(ConflictingState, match=r"nothing to recover for clv .*: no run that failed"):
        run_named("last", skipped, DESIRED)


def test_a_run_that_the_history_cuts_off_is_not_taken_for_one_that_did_less() -> None:
    newest = [
        row(name, "SUCCEEDED", f"r{run}", minute=run) for run in range(3, 0, -1) for name in ("B", "A", "CLV")
    ]
    few = tuple(newest[:-1])
    assert _whole_runs(few, ROOT) == few
    many = (*(newest[0],) * (MOST_ROWS - len(few)), *few)
    assert {one.run_group for one in _whole_runs(many, ROOT)} == {"r3", "r2"}


def test_the_last_of_no_runs_is_said_to_be_none() -> None:
    with pytest.raises(ConflictingState, match="has not run in the last seven days") as caught:
        named_run(DESIRED, (), "last")
    assert caught.value.help == f"sfml run {DESIRED.where}"
    with pytest.raises(ConflictingState, match="run `r9` of clv is not kept"):
        named_run(DESIRED, (), "r9")
