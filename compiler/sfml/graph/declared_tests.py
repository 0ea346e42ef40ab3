"""The graph tests of a spec, typed. Names of tasks are not resolved yet; every expectation has its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import TypeAlias

from sfml.base.record import record
from sfml.graph.located import Place, Ref, Scalar
from sfml.spec.nodes import Plain

STATES = {
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "skipped": "SKIPPED",
    "never_ran": "NOT_EXECUTED",
}
"""Key of a test that lists tasks → the expected state of those tasks; NOT_EXECUTED is for a task that never ran."""

SUCCEEDS, FAILS = "succeeds", "fails"

EVERY = 1_000_000
"""A number above the attempts of any run; stands for all of them."""


@record
class GivenEnd:
    """How a task ends in a test. `word` is the short form (`succeeds`, `fails`), `outcome` the outcome of a branch.

    The first `fails` attempts fail. `when` is the value of the task's own condition. `named` is the place of the
    task's name, `place` that of its settings.
    """

    named: Place
    place: Place
    word: str | None = None
    outcome: Ref | None = None
    returns: Plain = None
    has_result: bool = False
    fails: int = 0
    when: bool | None = None

    @property
    def gives_end(self) -> bool:
        """Whether the test says how the task's body ends, and not only the value of its condition."""
        return bool(self.word or self.outcome or self.has_result or self.fails)


@record
class ExpectedState:
    """A task that is expected to end in a state; `key` is the list that names the task."""

    task: Ref
    key: str

    @property
    def state(self) -> str:
        return STATES[self.key]


@record
class RunTest:
    """A test of one run: how some tasks end (`given`), and the expected states of others.

    `streams`, `config`, `state` and `attempts` hold a value and its place.
    """

    name: str
    place: Place
    given: Mapping[str, GivenEnd]
    expected: tuple[ExpectedState, ...]
    targets: tuple[Ref, ...] = ()
    streams: Mapping[str, tuple[bool, Place]] = field(default_factory=dict)
    config: Mapping[str, tuple[Scalar, Place]] = field(default_factory=dict)
    state: tuple[str, Place] | None = None
    attempts: tuple[int, Place] | None = None


Moment: TypeAlias = tuple[datetime, Place]


@record
class ScheduleTest:
    """A test of the schedule: which runs begin between `since` and `until`.

    `takes` holds the durations of runs in seconds. `failed_runs` holds the numbers of failing runs, or is None if all
    fail. `suspended` holds the time at which the root is expected to be suspended, or None for never.
    """

    name: str
    place: Place
    since: datetime
    until: datetime | None
    runs: tuple[Moment, ...]
    runs_at: Place
    targets: tuple[Ref, ...] = ()
    takes: tuple[int, ...] = ()
    failed_runs: frozenset[int] | None = frozenset()
    data: tuple[datetime, ...] = ()
    data_at: Place | None = None
    missed: tuple[Moment, ...] | None = None
    missed_at: Place | None = None
    suspended: tuple[datetime | None, Place] | None = None


GraphTest: TypeAlias = RunTest | ScheduleTest


def holds_for(test: GraphTest, target: str) -> bool:
    """Whether the test applies to this target; a test without `targets` applies to all."""
    return not test.targets or any(ref.name == target for ref in test.targets)
