"""Decoding `expect`, `sizes` and `budget`; a value that cannot be used becomes None and a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, cast

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.quoting import folded
from sfml.graph.decode_schedule import duration, whole_number
from sfml.graph.durations import seconds
from sfml.graph.expectations import (
    Budget,
    ExpectedRuns,
    PoolSize,
    Range,
    Size,
    TaskExpectation,
    Unit,
    WarehouseSize,
)
from sfml.graph.located import Place
from sfml.semantics.limits import POOL_FAMILIES, STANDARD_SIZES, standard_size
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, map_of, text_of

_RUNS = re.compile(r"\s*([0-9]+)\s*(?:\.\.\s*([0-9]+)\s*)?an?\s+(hour|day|week|month)\s*")
_LAST_OF_GENERATION_2 = "X4LARGE"


def task_expectation(node: Node | None, findings: list[Diagnostic]) -> TaskExpectation | None:
    """The expectation in a task's `expect`; None if it is empty."""
    settings = map_of(node)
    if settings is None or not settings.entries:
        return None
    return TaskExpectation(_takes(settings.get("takes"), findings), _share(settings.get("fails")))


def expected_runs(node: Node | None, findings: list[Diagnostic]) -> ExpectedRuns | None:
    """The expected runs in the `expect` of a schedule config; None without them."""
    settings = map_of(node)
    written = settings.get("runs") if settings else None
    text = text_of(written)
    match = _RUNS.fullmatch(text) if text else None
    if match is None or written is None:
        if text is not None and written is not None:
            _add(findings, "SF506", f"`{text}` does not say how often", written, "write `20..200 a day`")
        return None
    low, high, per = int(match[1]), int(match[2] or match[1]), match[3]
    turned = f"{high}..{low} {'an' if per == 'hour' else 'a'} {per}"
    runs = _range(low, high, written, turned, findings)
    return ExpectedRuns(runs, cast(Unit, per)) if runs else None


def target_sizes(node: Node | None, findings: list[Diagnostic]) -> MappingProxyType[str, Size]:
    """Folded name → size of the warehouse or compute pool, from `sizes` of a target."""
    return MappingProxyType({size.name: size for size in _sizes(node, findings)})


def budget_of(node: MapNode | None) -> Budget | None:
    """The budget of a pipeline; None without one."""
    credits = node.get("credits_per_month") if node is not None else None
    number = _number(credits)
    return Budget(number, credits.span, credits.path) if number is not None and credits is not None else None


def _sizes(node: Node | None, findings: list[Diagnostic]) -> Iterator[Size]:
    for key, at, entry in entries_of(node):
        settings = map_of(entry)
        if settings is None:
            continue
        place = Place(at, settings.path)
        if "family" in settings.entries:
            yield _pool(folded(key), settings, place, findings)
        else:
            yield _warehouse(folded(key), settings, place, findings)


def _warehouse(name: str, settings: MapNode, place: Place, findings: list[Diagnostic]) -> WarehouseSize:
    written = settings.entries["size"]
    text = text_of(written) or ""
    size, generation = standard_size(text), whole_number(settings.get("generation"))
    if size is None:
        help = did_you_mean(text.upper(), STANDARD_SIZES) or f"sizes are {', '.join(STANDARD_SIZES)}"
        _add(findings, "SF520", f"`{text}` is not the size of a warehouse", written, help)
    elif generation == 2 and size in STANDARD_SIZES[STANDARD_SIZES.index(_LAST_OF_GENERATION_2) + 1 :]:
        help = f"take a size up to {_LAST_OF_GENERATION_2}, or generation 1"
        _add(findings, "SF520", f"no warehouse of generation 2 is {size}", written, help)
        size = None
    return WarehouseSize(name, size, generation, _idle(settings, findings), place)


def _pool(name: str, settings: MapNode, place: Place, findings: list[Diagnostic]) -> PoolSize:
    written = settings.entries["family"]
    family = (text_of(written) or "").upper()
    if family not in POOL_FAMILIES:
        message = f"the instance family `{text_of(written)}` is not in the table of rates"
        help = did_you_mean(family, POOL_FAMILIES) or "a newer one may be right: what it costs stays unknown"
        at = Place(written.span, written.path)
        findings.append(Diagnostic.warning("SF521", message, at=at.span, path=at.path, help=help))
    low, high = _nodes(settings.get("nodes"), findings)
    return PoolSize(name, family, low, high, _idle(settings, findings), place)


def _nodes(node: Node | None, findings: list[Diagnostic]) -> tuple[int, int]:
    """The smallest and the largest number of nodes of a pool; 1 and 1 if it is missing or wrong."""
    text = text_of(node)
    if text is None or node is None:
        return 1, 1
    first, _, last = text.partition("..")
    if not (first.strip().isdigit() and (last.strip() or "1").isdigit()):
        _add(findings, "SF522", f"`{text}` is not a number of nodes", node, "write `1` or `1..4`")
        return 1, 1
    low, high = int(first), int(last or first)
    if low < 1:
        help = f"write `1..{max(high, 1)}`; a suspended pool costs nothing by itself"
        _add(findings, "SF523", "a compute pool that runs has one node at least", node, help)
        return 1, max(high, 1)
    nodes = _range(low, high, node, f"{high}..{low}", findings)
    return (int(nodes.low), int(nodes.high)) if nodes else (1, 1)


def _idle(settings: MapNode, findings: list[Diagnostic]) -> int | None:
    return duration(settings.get("auto_suspend"), findings)


def _takes(node: Node | None, findings: list[Diagnostic]) -> Range | None:
    text = text_of(node)
    if text is None or node is None:
        return None
    first, _, last = text.partition("..")
    low, high = seconds(first), seconds(last or first)
    if low is None or high is None:
        help = "write a duration or two of them: `90s`, `10m..20m`"
        _add(findings, "SF506", f"`{text}` is not a duration or a range of two", node, help)
        return None
    return _range(low, high, node, f"{last.strip()}..{first.strip()}", findings)


def _range(low: int, high: int, node: Node, turned: str, findings: list[Diagnostic]) -> Range | None:
    """The range; None, with a finding, if its first number is larger. `turned` is the right text, for the help."""
    if low <= high:
        return Range(low, high)
    _add(findings, "SF522", f"the range `{text_of(node)}` is upside down", node, f"write `{turned}`")
    return None


def _share(node: Node | None) -> float | None:
    share = _number(node)
    return None if share is None else min(max(share, 0.0), 1.0)


def _number(node: Node | None) -> float | None:
    value: Any = node.value if isinstance(node, ScalarNode) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _add(findings: list[Diagnostic], code: str, message: str, node: Node, help: str) -> None:
    findings.append(Diagnostic.error(code, message, at=node.span, path=node.path, help=help))
