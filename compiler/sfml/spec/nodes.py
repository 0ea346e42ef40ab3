"""Located nodes: YAML values with the place where they were written and the value that they replaced (`overrode`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span

Plain: TypeAlias = "bool | int | float | str | list[Any] | dict[str, Any] | None"


@record
class ScalarNode:
    """A value without parts. `path` is the logical path within its file (`tasks.train.after[0]`)."""

    value: bool | int | float | str | None
    span: Span
    path: str
    overrode: Node | None = field(default=None, compare=False, repr=False)


@record
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    span: Span
    path: str
    overrode: Node | None = field(default=None, compare=False, repr=False)


@record
class MapNode:
    """A mapping; `key_spans` holds the span of each key."""

    entries: dict[str, Node]
    key_spans: dict[str, Span]
    span: Span
    path: str
    overrode: Node | None = field(default=None, compare=False, repr=False)

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def without(self, *keys: str) -> MapNode:
        """The mapping without these keys."""
        return replace(self, entries={k: v for k, v in self.entries.items() if k not in keys})


Node: TypeAlias = ScalarNode | ListNode | MapNode


def plain(node: Node) -> Plain:
    """The value without its places, as JSON would hold it."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {key: plain(value) for key, value in node.entries.items()}


def located(value: Plain, span: Span, path: str) -> Node:
    """The nodes of a value that does not stand in a text, such as the value of an expression; all get `span`."""
    if isinstance(value, dict):
        entries = {str(k): located(v, span, key_path(path, str(k))) for k, v in value.items()}
        return MapNode(entries, dict.fromkeys(entries, span), span, path)
    if isinstance(value, list):
        return ListNode(tuple(located(v, span, f"{path}[{i}]") for i, v in enumerate(value)), span, path)
    return ScalarNode(value, span, path)


def map_of(node: Node | None) -> MapNode | None:
    """The node if it is a mapping, else None."""
    return node if isinstance(node, MapNode) else None


def is_null(node: Node | None) -> bool:
    """Whether the node is a null, which removes a setting; false where there is no node."""
    return isinstance(node, ScalarNode) and node.value is None


def entries_of(node: Node | None) -> Iterator[tuple[str, Span, Node]]:
    """The key, the key's span and the value of each entry of a mapping; nothing for any other node."""
    if isinstance(node, MapNode):
        for key, value in node.entries.items():
            yield key, node.key_spans.get(key, value.span), value


def text_of(node: Node | None) -> str | None:
    """A scalar as text, such as `1.5` for a number; None for null, lists and mappings."""
    if isinstance(node, ScalarNode) and node.value is not None:
        return node.value if isinstance(node.value, str) else str(plain_word(node.value))
    return None


def texts_of(node: Node | None) -> tuple[ScalarNode, ...]:
    """The scalars of a list; a single scalar counts as a list of one."""
    match node:
        case ListNode():
            return tuple(item for item in node.items if isinstance(item, ScalarNode))
        case ScalarNode(value=value) if value is not None:
            return (node,)
        case _:
            return ()


def plain_word(value: bool | int | float | str | None) -> str:
    """A scalar as YAML writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


_OF_PATHS = frozenset(".[]\"' ")


def key_path(parent: str, key: str) -> str:
    """The logical path of an entry; a key that holds characters of the path syntax is quoted."""
    word = key if key and _OF_PATHS.isdisjoint(key) else f'"{key}"'
    return f"{parent}.{word}" if parent else word
