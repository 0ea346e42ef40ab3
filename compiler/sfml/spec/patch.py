"""Patches: mappings merge, any other value replaces, null removes; a node keeps what it replaced (`overrode`)."""

from __future__ import annotations

from dataclasses import replace

from sfml.spec.nodes import MapNode, Node, ScalarNode

_SCHEDULE_KINDS = ("cron", "every", "on_stream")


def merged(base: Node | None, patch: Node | None, key: str = "") -> Node | None:
    """`base` with `patch` merged over it; None when the patch removes it. `key` is the key of both."""
    if patch is None:
        return base
    if isinstance(patch, ScalarNode) and patch.value is None:
        return None
    if not isinstance(base, MapNode) or not isinstance(patch, MapNode) or _is_union(key, patch):
        fresh = patch if key == "with" else without_nulls(patch)
        return _over(fresh, base) if base is not None else fresh
    entries = dict(base.entries)
    key_spans = dict(base.key_spans)
    for name, value in patch.entries.items():
        result = merged(entries.get(name), value, name)
        if result is None:
            entries.pop(name, None)
            continue
        if name not in entries and name in patch.key_spans:
            key_spans[name] = patch.key_spans[name]
        entries[name] = result
    return replace(base, entries=entries, key_spans=key_spans)


def _over(fresh: Node, base: Node) -> Node:
    """The node with `base` added below the last of the values that it overrode."""
    return replace(fresh, overrode=_over(fresh.overrode, base) if fresh.overrode is not None else base)


def merged_maps(*layers: MapNode | None) -> MapNode | None:
    """The layers merged, with later ones over earlier ones."""
    result: Node | None = None
    for layer in layers:
        result = merged(result, layer)
    return result if isinstance(result, MapNode) else None


def without_nulls(node: Node) -> Node:
    """The mapping without its null entries: a null removes, also where there is nothing to remove.

    Nulls inside `with:` are values like any other.
    """
    if not isinstance(node, MapNode):
        return node
    kept = {
        key: value if key == "with" else without_nulls(value)
        for key, value in node.entries.items()
        if not (isinstance(value, ScalarNode) and value.value is None)
    }
    return replace(node, entries=kept)


def _is_union(key: str, patch: MapNode) -> bool:
    """Whether the mapping is of one of several kinds, such as a pool or a warehouse; a patch replaces it whole."""
    if key == "run_on":
        return True
    return key == "schedule" and any(kind in patch.entries for kind in _SCHEDULE_KINDS)
