"""Keys with nothing behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, first_of
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode


def empty_values(node: Node | None, known: Iterable[Diagnostic] = ()) -> tuple[Diagnostic, ...]:
    """SF116 for each key of a document without a value; not where `known` has a finding already."""
    places = {finding.span for finding in known}
    found = (_finding(key, value) for key, value in _empty(node) if value.span not in places)
    return tuple(first_of(found, MAX_FINDINGS))


def _finding(key: str, value: ScalarNode) -> Diagnostic:
    help = "give it a value, take it out, or write `null` if it is to have none"
    return Diagnostic.warning("SF116", f"`{key}` has no value", at=value.span, path=value.path, help=help)


def _empty(node: Node | None) -> Iterator[tuple[str, ScalarNode]]:
    match node:
        case MapNode(entries=entries):
            for key, value in entries.items():
                if isinstance(value, ScalarNode):
                    if value.value is None and value.span.start == value.span.end:
                        yield key, value
                else:
                    yield from _empty(value)
        case ListNode(items=items):
            for item in items:
                yield from _empty(item)
