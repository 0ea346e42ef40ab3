"""How long something is up in a year, when each run needs it for a while from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from sfml.base.record import record
from sfml.cost.firings import YEAR


@record
class Need:
    """Runs that begin at `times`, sorted, and need the thing for `length` seconds each."""

    times: Sequence[int]
    length: float


def uptime(needs: Iterable[Need]) -> float:
    """The seconds of the year in which one run at least needs it; what is up already is not started again."""
    active = [need for need in needs if need.times and need.length > 0]
    if len(active) == 1 and isinstance(times := active[0].times, range):
        # Runs at an interval are too many to look at each.
        last = YEAR - times[-1]
        return (len(times) - 1) * min(times.step, active[0].length) + min(last, active[0].length)
    up = end = 0.0
    for start, length in merge(*map(_intervals, active)):
        stop = min(start + length, float(YEAR))
        up += max(stop - max(start, end), 0.0)
        end = max(end, stop)
    return up


def _intervals(need: Need) -> Iterator[tuple[int, float]]:
    return ((at, need.length) for at in need.times)
