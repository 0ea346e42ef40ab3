"""Tests of a graph as a spec has them: typed, every name still only a name, every expectation located."""

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
"""The lists of tasks that a test may hold → the state of those named there, NOT_EXECUTED for those without a row."""

SUCCEEDS, FAILS = "succeeds", "fails"

EVERY = 1_000_000
"""More attempts than any run has."""


@record
class GivenEnd:
    """How a task ends: `word` is what is written for it in one word, `outcome` the outcome of a branch.

    The first `fails` attempts fail. `when` stands for the task's own condition; `named` is where its
    name stands.
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
        """Whether it says how the body ends, not only whether the condition holds."""
        return bool(self.word or self.outcome or self.has_result or self.fails)


@record
class ExpectedState:
    """A task that is to end in a state; `key` is the list that names it."""

    task: Ref
    key: str

    @property
    def state(self) -> str:
        return STATES[self.key]


@record
class RunTest:
    """Given how some tasks end, what becomes of the others."""

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
    """Given a clock, which runs begin.

    `takes` is in seconds; `failed_runs` is None for all of them; `suspended` holds None for never.
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
    """Whether the test is one of this target."""
    return not test.targets or any(ref.name == target for ref in test.targets)
