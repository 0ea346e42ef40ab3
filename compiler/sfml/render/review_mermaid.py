"""The graph of a diff as a Mermaid flowchart: what comes, goes and changes, told by signs and lines, not by colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.graph.model import TaskGraph, TaskNode
from sfml.plan.model import Action
from sfml.record import record
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


@record
class _Drawn:
    """A task of either side; `old` and `new` are its names in the spec."""

    id: str
    node: TaskNode
    action: Action


def picture(target: TargetDiff) -> Picture | None:
    """The graph of both sides in one; None when there is none, or when even its changes are too many to draw."""
    old = target.base.graph if target.base else None
    new = target.head.graph if target.head else None
    if old is None and new is None:
        return None
    actions = _actions(target)
    renamed = _renamed(target)
    edges_old, edges_new = _edges(old, renamed), _edges(new, {})
    nodes = _nodes(old, new, renamed, actions)
    shown = set(nodes)
    if len(nodes) > MAX_NODES:
        shown = _around(
            {name for name, one in nodes.items() if one.action is not Action.UNCHANGED}, edges_old, edges_new
        )
        shown &= nodes.keys()
    if len(shown) > MAX_DRAWN:
        return None
    kept = {name: one for name, one in nodes.items() if name in shown}
    lines = tuple(_lines(target, kept, edges_old, edges_new, renamed, len(nodes) - len(kept)))
    return Picture(lines, len(nodes) - len(kept))


def _actions(target: TargetDiff) -> Mapping[str, Action]:
    """What happens to each task, by its name in the spec; nothing is marked where all of it is new, or gone."""
    if target.base is None or target.head is None:
        return {}
    found = {change.task: change.action for change in target.changes if change.action is Action.DROP}
    return found | {
        change.task: change.action for change in target.changes if change.action is not Action.DROP
    }


def _renamed(target: TargetDiff) -> Mapping[str, str]:
    """Old name → new name in the spec, of the tasks that move."""
    if target.base is None:
        return {}
    was = {task.name: task.task for task in target.base.desired.all_tasks}
    pairs = ((was.get(change.moved_from or ""), change.task) for change in target.changes)
    return {old: new for old, new in pairs if old is not None}


Edge = tuple[str, str, str]
"""From, to, and the outcome that leads there; from the root, and to nothing, by an empty name."""


def _edges(graph: TaskGraph | None, renamed: Mapping[str, str]) -> tuple[Edge, ...]:
    return tuple(_edges_of(graph, renamed)) if graph is not None else ()


def _edges_of(graph: TaskGraph, renamed: Mapping[str, str]) -> Iterator[Edge]:
    for node in graph.tasks:
        name = renamed.get(node.name, node.name)
        if not node.after:
            yield "", name, ""
        for above in node.after:
            outcomes = graph.task(above).outcomes or {}
            chosen = [outcome for outcome, tasks in outcomes.items() if node.name in tasks]
            for outcome in chosen or [""]:
                yield renamed.get(above, above), name, outcome
        for outcome, tasks in (node.outcomes or {}).items():
            if not tasks:
                yield name, "", outcome


def _nodes(
    old: TaskGraph | None, new: TaskGraph | None, renamed: Mapping[str, str], actions: Mapping[str, Action]
) -> dict[str, _Drawn]:
    found: dict[str, TaskNode] = {node.name: node for node in new.all_tasks} if new else {}
    for node in old.all_tasks if old else ():
        found.setdefault(renamed.get(node.name, node.name), node)
    return {
        name: _Drawn(f"t{index}", node, actions.get(name, Action.UNCHANGED))
        for index, (name, node) in enumerate(found.items(), start=1)
    }


def _around(changed: set[str], old: tuple[Edge, ...], new: tuple[Edge, ...]) -> set[str]:
    """The changed tasks, the ends of changed edges, and what stands right beside them."""
    moved = {*old} ^ {*new} if old and new else set()
    core = changed | {name for above, below, _ in moved for name in (above, below)} - {""}
    return core | {
        name for above, below, _ in (*old, *new) for name in (above, below) if core & {above, below}
    } - {""}


def _lines(
    target: TargetDiff,
    nodes: Mapping[str, _Drawn],
    old: tuple[Edge, ...],
    new: tuple[Edge, ...],
    renamed: Mapping[str, str],
    left_out: int,
) -> Iterator[str]:
    yield "flowchart TD"
    root = _root_action(target)
    yield f'  root(["{_root_label(target, _SIGNS.get(root))}"])'
    before = {name: was for was, name in renamed.items()}
    for name, one in nodes.items():
        yield f"  {one.id}{_shape(name, one, before.get(name))}"
    for number, edge in enumerate(dict.fromkeys((*new, *old))):
        above, below, _ = edge
        if (above and above not in nodes) or (below and below not in nodes):
            continue
        start = nodes[above].id if above else "root"
        end = nodes[below].id if below else f'n{number}(("nothing"))'
        yield f"  {start} {_arrow(edge, old, new)} {end}"
    for one in nodes.values():
        if one.node.is_finalizer:
            yield f'  root -. "finally" .-> {one.id}'
    if left_out:
        yield f'  rest["{label_text(f"{left_out:,} more tasks, unchanged")}"]'
    marked: dict[tuple[str, str], list[str]] = {}
    for name, action in (("root", root), *((one.id, one.action) for one in nodes.values())):
        if action in _CLASSES:
            marked.setdefault(_CLASSES[action], []).append(name)
    for (name, style), ids in marked.items():
        yield f"  classDef {name} {style}"
        yield f"  class {','.join(ids)} {name}"


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


def _shape(name: str, one: _Drawn, before: str | None) -> str:
    sign = _SIGNS.get(one.action)
    lines = [f"{sign} {name}" if sign else name]
    if before is not None:
        lines.append(f"was {before}")
    lines.append(compute_words(one.node.run_on))
    label = "<br/>".join(label_text(line) for line in lines)
    return f'{{"{label}"}}' if one.node.is_branch else f'["{label}"]'


def _arrow(edge: Edge, old: tuple[Edge, ...], new: tuple[Edge, ...]) -> str:
    """`-->`, thick for a new edge, dashed with a cross for one that is gone; outcomes stand on it."""
    outcome = edge[2]
    if new and edge not in new:
        return f'-. "{label_text(f"✗ {outcome}".strip())}" .->'
    label = f'|"{label_text(outcome)}"|' if outcome else ""
    return f"{'==>' if old and edge not in old else '-->'}{label}"
