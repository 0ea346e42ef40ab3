"""Which run made a model version, by the results of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sfml.account.history import Run, TaskRun
from sfml.account.registered import ModelVersion
from sfml.account.trace import maker_of, mentions_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
V2 = ModelVersion("V2", NOON, is_default=True)
PROMOTED = {"model": "M", "version": "V2"}


def ran(run_id: str, minutes: int, *tasks: TaskRun) -> Run:
    """A run of half an hour, that began so many minutes before the version was logged."""
    began = NOON - timedelta(minutes=minutes)
    return Run(
        "p",
        "local",
        "SUCCEEDED",
        run_id,
        1,
        tasks,
        started_at=began,
        completed_at=began + timedelta(minutes=30),
    )


def test_what_a_part_reused_is_not_what_it_made() -> None:
    made = ran("made", 10, TaskRun("promote", "SUCCEEDED", return_value=PROMOTED))
    reused = ran("part", 20, TaskRun("promote", "SUCCEEDED", return_value=PROMOTED, reused_from="made"))
    assert [mention.run_id for mention in mentions_of((made, reused))] == ["made"]
    assert maker_of("M", V2, (made, reused)) == ("made", "promote")


def test_a_batch_beside_the_run_that_made_a_version_did_not_make_it() -> None:
    made = ran("made", 10, TaskRun("promote", "SUCCEEDED", return_value=PROMOTED))
    batch = ran("batch", 20, TaskRun("score", "SUCCEEDED", return_value={**PROMOTED, "table": "SCORES"}))
    assert maker_of("M", V2, (made, batch)) == ("made", "promote")
    assert maker_of("M", V2, (batch,)) == ("batch", "score"), "one task may do both"
