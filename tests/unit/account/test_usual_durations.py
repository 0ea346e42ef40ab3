"""What the duration of a run is compared with, and the deployment that a run ran on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from test_run_history import GRAPH

from sfml.account.history import Run
from sfml.account.run_history import run_history, usual_ms
from sfml.plan.part_record import PartRecord
from sfml.render.history import runs_text
from sfml.render.symbols import Symbols

AT = datetime(2026, 11, 30, tzinfo=UTC)
PART = PartRecord("M", "P$M", "n", "ada", AT.isoformat(), ("x",), ("x",), {}, commit="abc")


def run(
    seconds: float | None, state: str = "SUCCEEDED", attempt: int = 1, part: PartRecord | None = None
) -> Run:
    ended = None if seconds is None else AT + timedelta(seconds=seconds)
    return Run("p", "t", state, f"r{seconds}", attempt, (), AT, ended, part=part)


@pytest.mark.parametrize(
    ("runs", "usual"),
    [
        ([], None),
        ([run(1), run(2)], None),
        ([run(1), run(9), run(2)], 2000),
        ([run(1), run(9), run(2), run(3)], 2500),
        ([run(1), run(2), run(9, "FAILED")], None),
        ([run(1), run(2), run(9, "CANCELLED")], None),
        ([run(1), run(2), run(9, attempt=2)], None),
        ([run(1), run(2), run(9, part=PART)], None),
        ([run(1), run(2), run(None, "EXECUTING")], None),
    ],
)
def test_the_usual_duration_is_that_of_runs_that_went_well(runs: list[Run], usual: float | None) -> None:
    assert usual_ms(runs) == usual


def test_a_part_with_the_code_of_files_has_its_commit_and_no_deployment() -> None:
    history = run_history([run(1, part=PART), run(2)], ())
    assert list(history.ran_on) == ["r1"]
    assert (history.ran_on["r1"].number, history.ran_on["r1"].commit) == (None, "abc")


def test_the_usual_duration_is_that_of_all_runs_though_few_are_listed() -> None:
    history = run_history([run(4), run(5), run(6)], (), limit=1)
    assert (len(history.runs), history.usual_ms) == (1, 5000)


def test_what_took_notably_more_or_less_says_so() -> None:
    runs = [run(30), run(10), run(10), run(11), run(4), run(60, "CANCELLED"), run(90, part=PART)]
    head, *lines = runs_text(GRAPH, run_history(runs, ()), Symbols(True)).splitlines()
    assert head == "p on local: the last 7 runs, usually 10 s"
    notable = {line.split()[1]: line.partition("×")[0].split()[-1] for line in lines if "× the usual" in line}
    assert notable == {"r30": "3", "r4": "0.4", "r60": "6"}, "neither those near it, nor a part"
    (cancelled,) = [line for line in lines if " r60 " in line]
    assert cancelled.endswith("cancelled")


def test_a_difference_of_little_time_is_not_notable() -> None:
    runs = [run(6), run(2), run(2), run(2)]
    assert "× the usual" not in runs_text(GRAPH, run_history(runs, ()), Symbols(True))
