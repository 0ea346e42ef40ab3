"""`sfml test --local`: what a test gives is so on a real server, everything else is real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfml.frontend.reading import Reading, read
from sfml.graph_tests.selection import verdict
from sfml.graph_tests.verdict import Verdict
from sfml.testing.firing import can_fire
from sfml.testing.given import LocalRuns, throwaway_server
from sfml.testing.local_snowflake import SharedServer
from sfml.ways.shape import Behaviour

PROJECT = """version: 1
steps: [steps]
defaults: {run_on: {warehouse: WH}}
targets:
  prod: {connection: none, account: ORG-PROD, database: ML_PROD, schema: SHOP, warehouse: WH, mode: production}
"""

STEPS = """from typing import Literal

from sfml_steps import Context, step


@step
def count(ctx: Context) -> dict:
    return {"rows": 12}


@step
def gate(ctx: Context, rows: int, least: int) -> Literal["publish", "tell"]:
    return "publish" if rows >= least else "tell"


@step
def publish(ctx: Context, rows: int) -> None:
    if rows > 100:
        raise ValueError("too many rows to publish")
"""

SPEC = """version: 1
pipeline: shop
graph:
  config: {least: 10}
  overridable: []
  tasks:
    count: {step: shop.count}
    gate:
      step: shop.gate
      after: [count]
      with: {rows: "${count.rows}", least: "${config.least}"}
      outcomes: [publish, tell]
    publish: {step: shop.publish, with: {rows: "${count.rows}"}, after: [gate]}
    tell: {sql: select 1, after: [gate]}
    late: {sql: select 1, after: [tell], when: "SYSTEM$STREAM_HAS_DATA('NO_SUCH_STREAM')"}
schedule:
  schedule: {every: 1h}
  retries: 1
  suspend_after_failures: 2
  alerts: {on_error: ML_ERRORS}
tests:
"""


@pytest.fixture(scope="module")
def throwaway() -> Iterator[SharedServer]:
    with throwaway_server() as server:
        yield server


def reading_of(folder: Path, test: str) -> Reading:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "steps").mkdir()
    (folder / "steps" / "shop.py").write_text(STEPS, encoding="utf-8")
    (folder / "shop.yaml").write_text(f"{SPEC}  it: {test}\n", encoding="utf-8")
    reading = read(folder / "shop.yaml", cwd=folder)
    assert reading.graph is not None, [finding.message for finding in reading.diagnostics]
    return reading


def judged(folder: Path, server: SharedServer, test: str) -> tuple[Verdict, Verdict]:
    """What the server comes to, and the rules."""
    reading = reading_of(folder, test)
    assert reading.graph is not None
    (one,) = reading.graph.tests
    return LocalRuns(reading, server).verdict(one), verdict(Behaviour(reading.graph), one)


@pytest.mark.parametrize(
    "test",
    [
        # Nothing but a stream is given: real steps count and choose.
        "{streams: {NO_SUCH_STREAM: true}, succeeded: publish, skipped: tell, never_ran: late}",
        # The threshold decides otherwise, and a stream that is nowhere has data.
        "{config: {least: 13}, streams: {NO_SUCH_STREAM: true}, succeeded: [tell, late], skipped: publish}",
        # A given result is read by real steps.
        "{given: {count: {returns: {rows: 3}}, late: {when: false}}, succeeded: tell, skipped: [publish, late]}",
    ],
)
def test_real_steps_decide(tmp_path: Path, throwaway: SharedServer, test: str) -> None:
    ran, ruled = judged(tmp_path, throwaway, test)
    assert ran.findings == ()
    assert ruled.result == "undecided", "the rules do not know what a step returns"


def test_an_error_of_a_real_step_is_told(tmp_path: Path, throwaway: SharedServer) -> None:
    test = "{given: {count: {returns: {rows: 101}}}, succeeded: publish, attempts: 1}"
    ran, _ = judged(tmp_path, throwaway, test)
    first, second = ran.findings
    assert first.label == "ValueError: too many rows to publish"
    assert second.message.endswith("the run should have taken 1 attempt, but took 2")


def test_a_result_that_a_real_step_would_read_has_to_be_given(
    tmp_path: Path, throwaway: SharedServer
) -> None:
    test = "{given: {count: succeeds, gate: publish}, succeeded: publish}"
    ran, ruled = judged(tmp_path, throwaway, test)
    assert ruled.result == "passed"
    assert ran.result == "undecided"
    assert ran.findings[0].message.endswith("`publish` reads what `count` returns")


FAILING = "from: 2026-01-01T00:10Z, until: 2026-01-01T09:00Z, failed_runs: [2, 4, 5]"


@pytest.mark.parametrize(
    ("test", "fires", "passes"),
    [
        (f"{{{FAILING}, suspended: 2026-01-01T05:10Z, runs: [ALL]}}", True, True),
        (f"{{{FAILING}, suspended: false, runs: [2026-01-01T01:10Z, 2026-01-01T01:30Z]}}", True, False),
        ("{from: 2026-01-01, takes: 90m, runs: [2026-01-01T01:00, 2026-01-01T03:00]}", False, True),
    ],
)
def test_schedules_fire_by_a_moved_clock(
    tmp_path: Path, throwaway: SharedServer, test: str, fires: bool, passes: bool
) -> None:
    every = ", ".join(f"2026-01-01T0{hour}:10Z" for hour in range(1, 6))
    ran, ruled = judged(tmp_path, throwaway, test.replace("ALL", every))
    reading = read(tmp_path / "shop.yaml", cwd=tmp_path)
    assert reading.graph is not None
    assert can_fire(reading.graph.settings, reading.graph.tests[0]) is fires  # type: ignore[arg-type]
    assert (ran.result == "passed") is passes
    assert [(one.message, one.span) for one in ran.findings] == [
        (one.message, one.span) for one in ruled.findings
    ]
