"""The graph of a diff as a Mermaid flowchart; signs and line styles, not only colours, mark the changes."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.record import record
from sfml.plan.model import Action
from sfml.render.merged import MergedEdge, MergedGraph, MergedTask, merged
from sfml.render.mermaid import compute_words, label_text
from sfml.render.schedule import schedule_words
from sfml.review.model import TargetDiff

MAX_NODES = 40
"""Of a graph with more tasks than this, only changed tasks and their neighbours are drawn."""
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
    """Lines of Mermaid, and the number of tasks that are not drawn."""

    lines: tuple[str, ...]
    left_out: int


def picture(target: TargetDiff) -> Picture | None:
    """The merged graph of both sides; None without a graph, or when more than `MAX_DRAWN` tasks would be drawn."""
    if target.base is None and target.head is None:
        return None
    merged_graph = merged(target)
    shown = set(merged_graph.tasks)
    if len(shown) > MAX_NODES:
        shown &= _around(merged_graph)
    if len(shown) > MAX_DRAWN:
        return None
    left_out = len(merged_graph.tasks) - len(shown)
    return Picture(tuple(_lines(target, merged_graph, shown, left_out)), left_out)


def _around(merged_graph: MergedGraph) -> set[str]:
    """The changed tasks, the ends of changed edges, and the direct neighbours of both."""
    changed = {name for name, one in merged_graph.tasks.items() if one.action is not Action.UNCHANGED}
    for edge in merged_graph.edges:
        if edge.action is not Action.UNCHANGED:
            changed |= _ends(edge)
    return changed | {name for edge in merged_graph.edges for name in _ends(edge) if changed & _ends(edge)}


def _ends(edge: MergedEdge) -> set[str]:
    return {name for name in (edge.above, edge.below) if name}


def _lines(target: TargetDiff, merged_graph: MergedGraph, shown: set[str], left_out: int) -> Iterator[str]:
    ids = {name: f"t{number}" for number, name in enumerate(merged_graph.tasks, start=1)}
    yield "flowchart TD"
    root = _root_action(target)
    yield f'  root(["{_root_label(target, _SIGNS.get(root))}"])'
    for name, one in merged_graph.tasks.items():
        if name in shown:
            yield f"  {ids[name]}{_shape(name, one)}"
    for number, edge in enumerate(merged_graph.edges):
        if _ends(edge) <= shown:
            start = ids.get(edge.above, "root")
            end = f'n{number}(("nothing"))' if edge.below is None else ids[edge.below]
            yield f"  {start} {_arrow(edge)} {end}"
    for name, one in merged_graph.tasks.items():
        if name in shown and one.node.is_finalizer:
            yield f'  root -. "finally" .-> {ids[name]}'
    if left_out:
        yield f'  rest["{label_text(f"{left_out:,} more tasks, unchanged")}"]'
    marked: dict[tuple[str, str], list[str]] = {}
    actions = [(ids[name], one.action) for name, one in merged_graph.tasks.items() if name in shown]
    for id, action in (("root", root), *actions):
        if action in _CLASSES:
            marked.setdefault(_CLASSES[action], []).append(id)
    for (style_name, style), marked_ids in marked.items():
        yield f"  classDef {style_name} {style}"
        yield f"  class {','.join(marked_ids)} {style_name}"


def _root_action(target: TargetDiff) -> Action:
    """The action on the root itself; UNCHANGED when one side does not exist, as nothing is marked then."""
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
    """`-->`; thick for a new edge, dashed with a cross for a removed one; outcomes are its label."""
    outcome = " or ".join(edge.outcomes)
    if edge.action is Action.DROP:
        return f'-. "{label_text(f"✗ {outcome}".strip())}" .->'
    label = f'|"{label_text(outcome)}"|' if outcome else ""
    return f"{'==>' if edge.action is Action.CREATE else '-->'}{label}"
