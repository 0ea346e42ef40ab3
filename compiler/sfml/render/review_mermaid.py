"""The graph of a diff as a Mermaid flowchart: what comes, goes and changes, told by signs and lines, not by colour."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.record import record
from sfml.plan.model import Action
from sfml.render.merged import MergedEdge, MergedGraph, MergedTask, merged
from sfml.render.mermaid import compute_words, label_text
from sfml.render.schedule import schedule_words
from sfml.review.model import TargetDiff

MAX_NODES = 40
"""Larger graphs are drawn around what changes."""
MAX_DRAWN = 80

_SIGNS = {Action.CREATE: "+", Action.DROP: "-", Action.MOVE: "→", Action.ALTER: "~", Action.REPLACE: "±"}
_CLASSES = {
    Action.CREATE: ("added", "stroke-width:3px,stroke:#1a7f37"),
    Action.ALTER: ("changed", "stroke-width:3px,stroke:#9a6700"),
    Action.REPLACE: ("changed", "stroke-width:3px,stroke:#9a6700"),
    Action.MOVE: ("renamed", "stroke-width:3px,stroke:#0969da"),
    Action.DROP: ("removed", "stroke-dasharray:6 4,stroke:#cf222e"),
}
LEGEND = "`+` added, `~` changed, `±` replaced, `→` renamed, `-` removed; thick edges are new, crossed ones are gone"


@record
class Picture:
    """Lines of Mermaid, and how many tasks are left out of them."""

    lines: tuple[str, ...]
    left_out: int


def picture(target: TargetDiff) -> Picture | None:
    """The graph of both sides in one; None when there is none, or when even its changes are too many to draw."""
    if target.base is None and target.head is None:
        return None
    found = merged(target)
    shown = set(found.tasks)
    if len(shown) > MAX_NODES:
        shown &= _around(found)
    if len(shown) > MAX_DRAWN:
        return None
    left_out = len(found.tasks) - len(shown)
    return Picture(tuple(_lines(target, found, shown, left_out)), left_out)


def _around(found: MergedGraph) -> set[str]:
    """The changed tasks, the ends of changed edges, and what stands right beside them."""
    core = {name for name, one in found.tasks.items() if one.action is not Action.UNCHANGED}
    for edge in found.edges:
        if edge.action is not Action.UNCHANGED:
            core |= _ends(edge)
    return core | {name for edge in found.edges for name in _ends(edge) if core & _ends(edge)}


def _ends(edge: MergedEdge) -> set[str]:
    return {name for name in (edge.above, edge.below) if name}


def _lines(target: TargetDiff, found: MergedGraph, shown: set[str], left_out: int) -> Iterator[str]:
    ids = {name: f"t{number}" for number, name in enumerate(found.tasks, start=1)}
    yield "flowchart TD"
    root = _root_action(target)
    yield f'  root(["{_root_label(target, _SIGNS.get(root))}"])'
    for name, one in found.tasks.items():
        if name in shown:
            yield f"  {ids[name]}{_shape(name, one)}"
    for number, edge in enumerate(found.edges):
        if _ends(edge) <= shown:
            start = ids.get(edge.above, "root")
            end = f'n{number}(("nothing"))' if edge.below is None else ids[edge.below]
            yield f"  {start} {_arrow(edge)} {end}"
    for name, one in found.tasks.items():
        if name in shown and one.node.is_finalizer:
            yield f'  root -. "finally" .-> {ids[name]}'
    if left_out:
        yield f'  rest["{label_text(f"{left_out:,} more tasks, unchanged")}"]'
    marked: dict[tuple[str, str], list[str]] = {}
    actions = [(ids[name], one.action) for name, one in found.tasks.items() if name in shown]
    for id, action in (("root", root), *actions):
        if action in _CLASSES:
            marked.setdefault(_CLASSES[action], []).append(id)
    for (style_name, style), marked_ids in marked.items():
        yield f"  classDef {style_name} {style}"
        yield f"  class {','.join(marked_ids)} {style_name}"


def _root_action(target: TargetDiff) -> Action:
    """What happens to the root itself; nothing is marked where all of it is new, or gone."""
    if target.base is None or target.head is None:
        return Action.UNCHANGED
    name = target.head.desired.root.name
    return next((change.action for change in target.changes if change.name == name), Action.UNCHANGED)


def _root_label(target: TargetDiff, sign: str | None) -> str:
    sides = [side.graph for side in (target.base, target.head) if side is not None]
    words = list(dict.fromkeys(schedule_words(graph.settings.schedule) for graph in sides))
    name = f"{sign} {sides[-1].pipeline}" if sign else sides[-1].pipeline
    return f"{label_text(name)}<br/>{label_text(' → '.join(words))}"


def _shape(name: str, one: MergedTask) -> str:
    sign = _SIGNS.get(one.action)
    lines = [f"{sign} {name}" if sign else name]
    if one.before is not None:
        lines.append(f"was {one.before}")
    lines.append(compute_words(one.node.run_on))
    label = "<br/>".join(label_text(line) for line in lines)
    return f'{{"{label}"}}' if one.node.is_branch else f'["{label}"]'


def _arrow(edge: MergedEdge) -> str:
    """`-->`, thick for a new edge, dashed with a cross for one that is gone; outcomes stand on it."""
    outcome = " or ".join(edge.outcomes)
    if edge.action is Action.DROP:
        return f'-. "{label_text(f"✗ {outcome}".strip())}" .->'
    label = f'|"{label_text(outcome)}"|' if outcome else ""
    return f"{'==>' if edge.action is Action.CREATE else '-->'}{label}"
