"""The status of many pipelines on one screen: those that need attention in full, the others by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sfml.render.printable import printable
from sfml.render.status import PipelineStatus, table_lines, verdict
from sfml.render.symbols import Symbols

SHOWN_IN_FULL = 40
"""The number of pipelines up to which each has a line of its own."""

_GAP = 2
_INDENT = "    "


def fleet_text(statuses: Sequence[PipelineStatus], symbols: Symbols, now: datetime, width: int) -> str:
    """The verdict, the pipelines that need attention or run, and the names of the others in columns of `width`."""
    return "\n".join(_lines(statuses, symbols, now, width))


def _lines(statuses: Sequence[PipelineStatus], symbols: Symbols, now: datetime, width: int) -> Iterator[str]:
    yield verdict(statuses)
    shown = [one for one in statuses if _is_shown(one)]
    if shown:
        yield ""
        yield from table_lines(shown, symbols, now)
    has_one_target = len({one.target for one in statuses}) == 1
    for symbol, words, others in _groups([one for one in statuses if not _is_shown(one)]):
        names = (one.pipeline if has_one_target else f"{one.pipeline} -t {one.target}" for one in others)
        yield ""
        yield f"{symbols[symbol]} {len(others)} {words}"
        yield from _columns([printable(name) for name in names], width)


def _is_shown(status: PipelineStatus) -> bool:
    return status.needs_attention or _is_running(status)


def _is_running(status: PipelineStatus) -> bool:
    run = status.health.run if status.health is not None else None
    return run is not None and not run.is_over


def _groups(statuses: Sequence[PipelineStatus]) -> Iterator[tuple[str, str, list[PipelineStatus]]]:
    """Symbol, words and pipelines of each kind of well pipelines that there is."""
    absent = [one for one in statuses if not one.is_deployed]
    there = [one for one in statuses if one.is_deployed]
    off = [one for one in there if one.health is not None and one.health.off]
    well = [one for one in there if one.health is not None and not one.health.off]
    for symbol, words, own in (
        ("SUCCEEDED", "well", well),
        ("never", "off as intended", off),
        ("never", "not deployed", absent),
    ):
        if own:
            yield symbol, words, own


def _columns(names: Sequence[str], width: int) -> Iterator[str]:
    """The names row by row, below each other."""
    each = max(len(name) for name in names) + _GAP
    count = max(1, (width - len(_INDENT)) // each)
    for at in range(0, len(names), count):
        row = "".join(name.ljust(each) for name in names[at : at + count])
        yield f"{_INDENT}{row}".rstrip()
