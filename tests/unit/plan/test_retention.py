"""What is kept of old deployments: the last few, and whatever a run could still be retried with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfml.graph.model import Target
from sfml.lower.desired import DesiredTask, SqlDefinition
from sfml.plan.artefact import Artefact, archives_in
from sfml.plan.journal import Deployment, Header, deployment_name
from sfml.plan.retention import collected, outdated
from sfml.plan.stage_content import StageContent, state_path

TARGET = Target("prod", "account", "D", "S", "WH")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def staged(*days: float) -> StageContent:
    """A stage whose deployments were written so many days ago, the first first."""
    written = {
        state_path("x", deployment_name(number)): NOW - timedelta(days=ago)
        for number, ago in enumerate(days, start=1)
    }
    return StageContent("x", frozenset(written), written)


@pytest.mark.parametrize(
    ("days", "keep", "gone"),
    [
        ((), 10, ()),
        ((400,), 1, ()),
        ((400, 300), 1, (1,)),
        ((400, 300, 200), 3, (1,)),
        ((400, 300, 200), 2, (1, 2)),
        ((400, 14.9, 1), 1, ()),
        ((400, 15.1, 1), 1, (1,)),
        ((400, 399, 16, 14), 1, (1, 2)),
    ],
)
def test_only_what_was_replaced_long_ago_goes(
    days: tuple[float, ...], keep: int, gone: tuple[int, ...]
) -> None:
    assert outdated(staged(*days), keep, NOW) == gone


def test_folders_of_code_and_jobs_are_told_from_the_files_in_them() -> None:
    code, job = f"x/code/{'0' * 64}", f"x/jobs/{'1' * 64}"
    paths = (
        f"{code}/steps.zip",
        f"{job}/X_FIT_ABC/app/steps.zip",
        f"{job}/X_FIT_ABC/system/run.sh",
        "x/state/apply.json",
    )
    there = StageContent("x", frozenset(paths))
    assert there.archives == {code, job}
    call = f"""CALL SYSTEM$EXECUTE_ML_JOB('D.S.X_FIT_', 'P', '{{"STAGE_PATH": "@D.S.SFML/{job}/X_FIT_ABC"}}', '{{}}')"""
    assert there.lacks(archives_in(call)) == ()
    assert there.lacks((job, f"x/code/{'2' * 64}")) == (f"x/code/{'2' * 64}",)


def test_what_another_deployment_or_the_deployed_graph_runs_is_not_collected() -> None:
    names = [f"x/code/{digit * 64}" for digit in "0123"]
    files = {f"{name}/steps.zip" for name in names}
    states = {state_path("x", deployment_name(number)) for number in (1, 2)}
    there = StageContent("x", frozenset(files | states))
    kept = [Deployment(Header(number, "ada", "", ""), artefact(names[number])) for number in (1, 2)]
    desired = artefact(names[3]).graph(TARGET)
    gone = collected(there, (1,), kept, desired, (None,))
    assert gone == (state_path("x", deployment_name(1)), names[0], names[1])
    assert collected(there, (1,), kept, desired, (artefact(names[1]),)) == (gone[0], names[0])


def artefact(archive: str) -> Artefact:
    root = DesiredTask("X", None, SqlDefinition(f"call p('@D.S.SFML/{archive}/steps.zip')"), "root")
    return Artefact("x", "prod", "D.S", (root,), True)
