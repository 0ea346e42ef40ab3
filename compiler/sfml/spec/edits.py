"""Changes of single values in a YAML file; all other text, with comments and layout, stays as it is."""

from __future__ import annotations

from sfml.base.diagnostic import Fix
from sfml.base.fixes import text_at
from sfml.base.source import Span
from sfml.spec.nodes import MapNode, Node, Plain
from sfml.spec.yaml_text import flow_text, scalar_text


def replacing(source: str, node: Node, value: Plain) -> Fix | None:
    """The fix that replaces a node by another value; None when the node does not stand in the text."""
    old = text_at(source, node.span)
    if not old:
        return None
    # The span of a block ends where the next token begins; the white space between is kept.
    kept = old[len(old.rstrip()) :]
    return Fix(node.span, old, flow_text(value) + kept)


def adding(source: str, mapping: MapNode, key: str, value: Plain) -> Fix | None:
    """The fix that adds an entry to a mapping, in the mapping's own style; None when that cannot be told."""
    entry = f"{scalar_text(key)}: {flow_text(value)}"
    text = text_at(source, mapping.span)
    if text is None:
        return None
    if text.startswith("{"):
        if not text.endswith("}"):
            return None
        inner = text[1:-1].rstrip()
        comma = "" if not inner.strip() or inner.endswith(",") else ", "
        return Fix(
            mapping.span, text, "{" + inner + (comma or (" " if inner.endswith(",") else "")) + entry + "}"
        )
    if not mapping.key_spans:
        return None
    first = min(mapping.key_spans.values())
    at = Span(first.file, first.start, first.start)
    return Fix(at, "", f"{entry}\n{' ' * (first.start.column - 1)}")


def node_at(document: MapNode, key: Span) -> tuple[MapNode, Node] | None:
    """The entry whose key has this span: the mapping around it and its value; None when there is none."""
    for name, value in document.entries.items():
        if document.key_spans.get(name) == key:
            return document, value
        if isinstance(value, MapNode) and (entry := node_at(value, key)) is not None:
            return entry
    return None
