"""The outline of a spec: its parts, tasks, config keys, variables and tests as symbols, and what can be folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lsprotocol import types

from sfml.lsp.cursor import Cursor
from sfml.lsp.outline_text import Block, blocks, comments

_KINDS: Mapping[str, types.SymbolKind] = {
    "tasks": types.SymbolKind.Function,
    "finalizer": types.SymbolKind.Function,
    "config": types.SymbolKind.Constant,
    "variables": types.SymbolKind.Variable,
    "parameters": types.SymbolKind.Variable,
    "targets": types.SymbolKind.Module,
    "tests": types.SymbolKind.Method,
    "seeds": types.SymbolKind.Array,
}
"""Part of a spec → the kind of symbol of the names below it."""


def symbols(cursor: Cursor) -> list[types.DocumentSymbol]:
    """The parts of a spec with the names below them."""
    result: list[types.DocumentSymbol] = []
    inside: dict[tuple[str, ...], types.DocumentSymbol] = {}
    for block in blocks(cursor.text):
        kind = _kind(block.keys)
        if kind is None:
            continue
        symbol = _symbol(cursor, block, kind)
        inside[block.keys] = symbol
        above = inside.get(block.keys[:-1])
        if above is None:
            result.append(symbol)
        else:
            above.children = [*(above.children or ()), symbol]
    return result


def _kind(keys: tuple[str, ...]) -> types.SymbolKind | None:
    if len(keys) == 1:
        return types.SymbolKind.Namespace
    if keys[0] == "graph":
        return types.SymbolKind.Namespace if len(keys) == 2 else _kind(keys[1:])
    return _KINDS.get(keys[0]) if len(keys) == 2 else None


def _symbol(cursor: Cursor, block: Block, kind: types.SymbolKind) -> types.DocumentSymbol:
    places = cursor.places
    rows = cursor.text.split("\n")
    end = sum(len(row) + 1 for row in rows[: block.last]) + len(rows[block.last].rstrip("\r"))
    return types.DocumentSymbol(
        name=block.keys[-1] or '""',
        kind=kind,
        range=places.range_of(block.start, max(end, block.end)),
        selection_range=places.range_of(block.start, block.end),
        detail=block.rest.strip().partition(" #")[0][:80] or None,
    )


def flat_symbols(cursor: Cursor) -> list[types.SymbolInformation]:
    """The same for clients that show no tree."""
    uri = cursor.session.uri_of(cursor.path)

    def flat(every: list[types.DocumentSymbol], above: str | None) -> Iterator[types.SymbolInformation]:
        for one in every:
            yield types.SymbolInformation(
                location=types.Location(uri, one.range), name=one.name, kind=one.kind, container_name=above
            )
            yield from flat(list(one.children or ()), one.name)

    return list(flat(symbols(cursor), None))


def folds(cursor: Cursor) -> list[types.FoldingRange]:
    """What can be folded: every key with lines below it, and comments of several lines."""
    ranges = [
        types.FoldingRange(block.first, block.last)
        for block in blocks(cursor.text)
        if block.last > block.first
    ]
    ranges += [
        types.FoldingRange(first, last, kind=types.FoldingRangeKind.Comment)
        for first, last in comments(cursor.text)
        if last > first
    ]
    return ranges
