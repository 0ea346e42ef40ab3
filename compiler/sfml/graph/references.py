"""Parsing `${…}` in texts: references to values that are read when a task runs."""

from __future__ import annotations

import re

from sfml.base.source import Span
from sfml.graph.model import Reference, Source, Template, Value
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode

_OPEN = re.compile(r"\$?\$\{")
_HEAD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]|\[(\"[^\"\]]*\"|'[^'\]]*')\]")

RUN_KEYS = ("id", "scheduled_at", "task", "root")


class BadReference(ValueError):
    """A `${…}` that cannot be read; the message is for the user."""


def value_of(node: Node, problems: list[tuple[Node, str]]) -> Value:
    """The node as a value with references; a `${…}` that cannot be read is added to `problems`, as (node, message)."""
    match node:
        case MapNode():
            return {key: value_of(value, problems) for key, value in node.entries.items()}
        case ListNode():
            return tuple(value_of(item, problems) for item in node.items)
        case ScalarNode(value=str() as text) if "${" in text:
            try:
                return parsed(text, node.span)
            except BadReference as cause:
                problems.append((node, str(cause)))
                return text
        case _:
            return node.value


def parsed(text: str, span: Span | None = None) -> str | Reference | Template:
    """The text with its references; `$${` stands for a literal `${`. Raises BadReference."""
    parts: list[str | Reference] = []
    plain = ""
    position = 0
    while match := _OPEN.search(text, position):
        plain += text[position : match.start()]
        if match[0].startswith("$$"):
            plain += "${"
            position = match.end()
            continue
        end = text.find("}", match.end())
        if end < 0:
            raise BadReference("`${` is never closed")
        if plain:
            parts.append(plain)
            plain = ""
        parts.append(reference(text[match.end() : end].strip(), span))
        position = end + 1
    plain += text[position:]
    if plain or not parts:
        parts.append(plain)
    if len(parts) == 1:
        return parts[0]
    return Template(tuple(parts))


def reference(inner: str, span: Span | None = None) -> Reference:
    """The reference for the text between `${` and `}`. Raises BadReference."""
    head = _HEAD.match(inner)
    if head is None:
        raise BadReference(f"`${{{inner}}}` names neither a task nor `config` or `run`")
    keys: list[str | int] = []
    position = head.end()
    while position < len(inner):
        key = _KEY.match(inner, position)
        if key is None:
            raise BadReference(f"`${{{inner}}}` cannot be read from `{inner[position:]}` on")
        keys.append(key[1] if key[1] is not None else int(key[2]) if key[2] is not None else key[3][1:-1])
        position = key.end()
    if head[0] in (Source.CONFIG, Source.RUN):
        source = Source(head[0])
        if len(keys) != 1 or not isinstance(keys[0], str):
            raise BadReference(f"`${{{inner}}}` must name one key: `${{{head[0]}.…}}`")
        return Reference(source, None, tuple(keys), span)
    return Reference(Source.RESULT, head[0], tuple(keys), span)


def written(reference: Reference) -> str:
    """The reference as it is written in a spec."""
    head = reference.task if reference.source is Source.RESULT else str(reference.source)
    keys = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in reference.keys)
    return f"${{{head}{keys}}}"


def references_in(value: Value) -> tuple[Reference, ...]:
    """Every reference in a value, in the order written."""
    match value:
        case Reference():
            return (value,)
        case Template(parts=parts):
            return tuple(part for part in parts if isinstance(part, Reference))
        case tuple():
            return tuple(reference for item in value for reference in references_in(item))
        case None | bool() | int() | float() | str():
            return ()
        case _:
            return tuple(reference for item in value.values() for reference in references_in(item))
