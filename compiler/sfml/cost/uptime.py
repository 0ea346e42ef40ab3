"""How long something is up in a year, when each run needs it for a while from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice, repeat
from operator import sub

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
    if len(active) == 1:
        return _of_one(active[0])
    up = end = 0.0
    for start, length in merge(*map(_intervals, active)):
        stop = min(start + length, float(YEAR))
        up += max(stop - max(start, end), 0.0)
        end = max(end, stop)
    return up


def _of_one(need: Need) -> float:
    """The same where nothing else needs it: it is up for `length` after each beginning, or until the next one."""
    times, length = need.times, need.length
    last = min(YEAR - times[-1], length)
    if isinstance(times, range):  # runs at an interval are too many to look at each
        return (len(times) - 1) * min(times.step, length) + last
    gaps = map(sub, islice(times, 1, None), times)
    return sum(map(min, gaps, repeat(length)), last)


def _intervals(need: Need) -> Iterator[tuple[int, float]]:
    return ((at, need.length) for at in need.times)
