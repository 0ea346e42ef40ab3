"""Where drift is written in a spec, and where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import Reading
from sfml.frontend.reading import read as read_spec
from sfml.lower.desired import DesiredGraph, SqlDefinition
from sfml.lower.lower import lower
from sfml.plan.diff import make_plan
from sfml.plan.drift import Drift, DriftField, DriftKind
from sfml.plan.drift_acceptance import AcceptableField, UnacceptableField, acceptances
from sfml.plan.model import Comparable, ObservedGraph, ObservedTask, Reason
from sfml.plan.settings import desired_settings, split_comment

PROJECT = """version: 1
defaults: {timeout: 5m, run_on: {warehouse: "{{ target.warehouse }}"}}
targets:
  local: {kind: local}
"""
SPEC = """version: 1
pipeline: shop
variables: {limit: 10m}
graph:
  config: {threshold: 0.4, name: "{{ pipeline }}"}
  tasks:
    load:
      sql: select 1   # body
    score:
      sql: {file: score.sql}
      timeout: "{{ var.limit }}"
      run_on: {serverless: {initial: SMALL}}
    each:
      for_each: {part: [a, b]}
      sql: select 2
schedule: SCHEDULE
"""


def read(folder: Path, schedule: str = "{cron: '0 3 * * *'}") -> tuple[Reading, DesiredGraph]:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "score.sql").write_text("select 'score'", encoding="utf-8")
    (folder / "shop.yaml").write_text(SPEC.replace("SCHEDULE", schedule), encoding="utf-8")
    reading = read_spec(folder / "shop.yaml", user="tester")
    assert reading.graph is not None, reading.diagnostics
    return reading, lower(reading.graph, reading.catalog.closure, "0")


def written(folder: Path, task: str, path: str, now: Comparable, *, schedule: str | None = None) -> str:
    """What stands where the value was written, or why it was not."""
    reading, desired = read(folder, schedule) if schedule else read(folder)
    name = "SHOP" if task == "shop" else f"SHOP${task.upper()}"
    drift = Drift(task, name, DriftKind.CHANGED, (DriftField(path, None, now),))
    assert reading.loaded.spec is not None
    (found,) = acceptances((drift,), reading.loaded.spec, desired, reading.loaded.sources)
    match found:
        case AcceptableField(fix=fix):
            return fix.new
        case UnacceptableField(why=why):
            return f"refused: {why}"


@pytest.mark.parametrize(
    ("task", "path", "now", "text"),
    [
        ("load", "definition", "select 9", "select 9"),
        ("load", "timeout_ms", 60_000, "timeout: 1m\n      "),
        ("load", "warehouse", '"My Wh"', 'run_on: {warehouse: "\\"My Wh\\""}\n      '),
        ("load", "when", "1 = 1", 'when: "1 = 1"\n      '),
        ("load", "comment", "{{ a }}", 'comment: "{{ \\"{{\\" }} a }}"\n      '),
        ("load", "session_parameters.TIMEZONE", "UTC", "session_parameters: {TIMEZONE: UTC}\n      "),
        ("score", "serverless.initial", "LARGE", "LARGE"),
        ("score", "serverless.max", "LARGE", "{initial: SMALL, max: LARGE}"),
        ("shop", "config.threshold", 0.5, "0.5"),
        ("shop", "config.extra", True, '{threshold: 0.4, name: "{{ pipeline }}", extra: true}'),
        ("shop", "schedule", "every 1800 s", "{every: 30m}"),
        ("shop", "retries", 2, '{schedule: {cron: "0 3 * * *"}, retries: 2}'),
        ("shop", "on_error", "ML_ERRORS", '{schedule: {cron: "0 3 * * *"}, alerts: {on_error: ML_ERRORS}}'),
    ],
)
def test_a_value_goes_where_it_belongs(
    tmp_path: Path, task: str, path: str, now: Comparable, text: str
) -> None:
    assert written(tmp_path, task, path, now) == text


@pytest.mark.parametrize(
    ("task", "path", "now", "why"),
    [
        ("score", "timeout_ms", 60_000, "is an expression"),
        ("score", "definition", "select 9", "by hand"),
        ("load", "timeout_ms", 1_500, "whole number of seconds"),
        ("load", "after", ("SHOP$SCORE",), "the order of tasks"),
        ("load", "state", "suspended", "`enabled: false`"),
        ("load", "execute_as_user", None, "unset in the account"),
        ("shop", "config.name", "other", "is an expression"),
        ("shop", "comment", "other", "description"),
        ("gone", "timeout_ms", 60_000, "no such task"),
    ],
)
def test_what_cannot_be_written_says_why(
    tmp_path: Path, task: str, path: str, now: Comparable, why: str
) -> None:
    text = written(tmp_path, task, path, now)
    assert text.startswith("refused: ") and why in text


def test_a_schedule_config_takes_what_is_new(tmp_path: Path) -> None:
    schedule = "{schedule: {every: 1h}, retries: 1}"
    assert written(tmp_path, "shop", "retries", 3, schedule=schedule) == "3"
    assert (
        written(tmp_path, "shop", "overlap", "ALLOW_ALL_OVERLAP", schedule=schedule)
        == "{schedule: {every: 1h}, retries: 1, overlap: ALLOW_ALL_OVERLAP}"
    )


def test_a_changed_default_is_told_as_one(tmp_path: Path) -> None:
    _, before = read(tmp_path)
    tasks = []
    for task in before.all_tasks:
        assert isinstance(task.definition, SqlDefinition)
        tasks.append(ObservedTask(task.name, "1", True, task.definition.sql, desired_settings(task)))
    observed = ObservedGraph(tasks[0], tuple(tasks[1:]), split_comment(before.root.comment)[1])
    (tmp_path / "sfml.yaml").write_text(PROJECT.replace("5m", "6m"), encoding="utf-8")
    reading = read_spec(tmp_path / "shop.yaml", user="tester")
    assert reading.graph is not None
    plan = make_plan(lower(reading.graph, reading.catalog.closure, "0"), observed)
    told = {(change.task, field.reason, field.place) for change in plan.changes for field in change.fields}
    assert told == {(task, Reason.DEFAULT_CHANGED, "sfml.yaml:2") for task in ("load", "each_a", "each_b")}
