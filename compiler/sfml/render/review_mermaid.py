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
    edges_old = _edges(old, renamed) if old else {}
    edges_new = _edges(new, {}) if new else {}
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


Edges = Mapping[tuple[str, str], str]
"""(from, to) → the outcomes that lead there."""


def _edges(graph: TaskGraph, renamed: Mapping[str, str]) -> Edges:
    found: dict[tuple[str, str], str] = {}
    for node in graph.tasks:
        name = renamed.get(node.name, node.name)
        for above in node.after or ("",):
            outcomes = (graph.task(above).outcomes or {}) if above else {}
            chosen = " or ".join(outcome for outcome, tasks in outcomes.items() if node.name in tasks)
            found[renamed.get(above, above), name] = chosen
    return found


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


def _around(changed: set[str], *sides: Edges) -> set[str]:
    """The changed tasks, the ends of changed edges, and what stands right beside them."""
    every = [set(side.items()) for side in sides]
    moved = {pair for pair, _ in every[0] ^ every[1]} if all(every) else set()
    core = changed | {name for pair in moved for name in pair}
    return core | {name for side in sides for pair in side for name in pair if core & {*pair}} - {""}


def _lines(
    target: TargetDiff,
    nodes: Mapping[str, _Drawn],
    old: Edges,
    new: Edges,
    renamed: Mapping[str, str],
    left_out: int,
) -> Iterator[str]:
    yield "flowchart TD"
    yield f'  root(["{_root_label(target)}"])'
    before = {name: was for was, name in renamed.items()}
    for name, one in nodes.items():
        yield f"  {one.id}{_shape(name, one, before.get(name))}"
    both = bool(old) and bool(new)
    for (above, name), outcome in {**old, **new}.items():
        if name not in nodes or (above and above not in nodes):
            continue
        start = nodes[above].id if above else "root"
        yield f"  {start} {_arrow((above, name), outcome, old, new, both=both)} {nodes[name].id}"
    for one in nodes.values():
        if one.node.is_finalizer:
            yield f'  root -. "finally" .-> {one.id}'
    if left_out:
        yield f'  rest["{label_text(f"{left_out:,} more tasks, unchanged")}"]'
    for action in dict.fromkeys(one.action for one in nodes.values()):
        if action in _CLASSES:
            name, style = _CLASSES[action]
            yield f"  classDef {name} {style}"
            ids = ",".join(one.id for one in nodes.values() if one.action is action)
            yield f"  class {ids} {name}"


def _root_label(target: TargetDiff) -> str:
    side = target.head or target.base
    assert side is not None
    old, new = target.old_times, target.new_times
    words = [schedule_words(times.schedule) for times in (old, new) if times is not None]
    schedule = " → ".join(words) if target.changes_times else words[-1] if words else ""
    return f"{label_text(side.graph.pipeline)}<br/>{label_text(schedule)}"


def _shape(name: str, one: _Drawn, before: str | None) -> str:
    sign = _SIGNS.get(one.action)
    lines = [f"{sign} {name}" if sign else name]
    if before is not None:
        lines.append(f"was {before}")
    lines.append(compute_words(one.node.run_on))
    label = "<br/>".join(label_text(line) for line in lines)
    return f'{{"{label}"}}' if one.node.is_branch else f'["{label}"]'


def _arrow(pair: tuple[str, str], outcome: str, old: Edges, new: Edges, *, both: bool) -> str:
    """`-->`, thick for a new edge, dashed with a cross for one that is gone; outcomes stand on it."""
    if both and pair not in new:
        return f'-. "{label_text(" ".join(("✗", outcome)).strip())}" .->'
    is_new = both and (pair not in old or old[pair] != outcome)
    label = f'|"{label_text(outcome)}"|' if outcome else ""
    return f"{'==>' if is_new else '-->'}{label}"
