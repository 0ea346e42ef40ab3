"""Which ways through a graph its tests cover."""

from __future__ import annotations

from collections.abc import Iterable

from sfml.base.record import record
from sfml.graph_tests.verdict import Verdict
from sfml.semantics.states import State
from sfml.ways.walks import Way, WayWalk


@record
class CoveredWay:
    """A way with the names of the tests that take it."""

    way: Way
    tests: tuple[str, ...]

    @property
    def has_failure(self) -> bool:
        return any(state.is_failure for state in self.way.states.values())


@record
class Coverage:
    """All ways that were walked; `elsewhere` are tests that take a way beyond them."""

    ways: tuple[CoveredWay, ...]
    elsewhere: tuple[str, ...]

    @property
    def uncovered(self) -> tuple[CoveredWay, ...]:
        return tuple(one for one in self.ways if not one.tests)

    @property
    def uncovered_outcomes(self) -> tuple[CoveredWay, ...]:
        """Those on which nothing fails."""
        return tuple(one for one in self.uncovered if not one.has_failure)


def covered(walked: WayWalk, verdicts: Iterable[Verdict]) -> Coverage:
    """A test covers the way on which every task ends as in the test, whatever the test expects of it."""
    takers: dict[tuple[State, ...], list[str]] = {}
    for one in verdicts:
        if one.states is not None:
            takers.setdefault(tuple(one.states.values()), []).append(one.test.name)
    # Ways may differ in no more than why a task fails.
    ways = tuple(CoveredWay(way, tuple(takers.get(tuple(way.states.values()), ()))) for way in walked.ways)
    taken = {name for way in ways for name in way.tests}
    return Coverage(ways, tuple(name for names in takers.values() for name in names if name not in taken))
