"""The ways through a graph that its tests cover."""

from __future__ import annotations

from collections.abc import Iterable

from sfml.base.record import record
from sfml.graph_tests.verdict import Verdict
from sfml.semantics.states import State
from sfml.ways.walks import Way, WayWalk


@record
class CoveredWay:
    """A way with the names of the tests that cover it."""

    way: Way
    tests: tuple[str, ...]

    @property
    def has_failure(self) -> bool:
        return any(state.is_failure for state in self.way.states.values())


@record
class Coverage:
    """The ways that were walked with their tests; `elsewhere` are the tests that cover none of them."""

    ways: tuple[CoveredWay, ...]
    elsewhere: tuple[str, ...]

    @property
    def uncovered(self) -> tuple[CoveredWay, ...]:
        return tuple(way for way in self.ways if not way.tests)

    @property
    def uncovered_outcomes(self) -> tuple[CoveredWay, ...]:
        """The uncovered ways on which no task fails."""
        return tuple(one for one in self.uncovered if not one.has_failure)


def covered(walked: WayWalk, verdicts: Iterable[Verdict]) -> Coverage:
    """The coverage of the walked ways by tests.

    A test covers the way on which every task ends in the same state as in the test; its expectations do not matter.
    """
    takers: dict[tuple[State, ...], list[str]] = {}
    for verdict in verdicts:
        if verdict.states is not None:
            takers.setdefault(tuple(verdict.states.values()), []).append(verdict.test.name)
    # Several ways can have the same states, if they differ only in why a task fails.
    ways = tuple(CoveredWay(way, tuple(takers.get(tuple(way.states.values()), ()))) for way in walked.ways)
    tested = {name for way in ways for name in way.tests}
    return Coverage(ways, tuple(name for names in takers.values() for name in names if name not in tested))
