"""The former graphs of a pipeline: those that its spec made where it does not lead any more; pure.

A renamed pipeline, or a target with another database or schema, leads to another place. The graph at the former one
stays, with its schedule.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sfml.base.quoting import name_parts, raw
from sfml.base.record import record
from sfml.lower.names import folded_name
from sfml.plan.settings import split_comment

FORMER = "former"
"""Key of the former graphs in the record of a root."""

RootPlace = tuple[str, str, str]
"""Database, schema and name of a root task, unquoted."""


@record
class RecordedRoot:
    """A root task with sfml's record in its comment."""

    place: RootPlace
    started: bool
    record: Mapping[str, Any]

    @property
    def spec(self) -> str:
        return str(self.record.get("spec", ""))

    @property
    def is_whole(self) -> bool:
        """Whether it is the root of a pipeline, and not of a part of a run or of a lane."""
        return not self.record.keys() & {"part", "lane"}


@record
class SpecPlaces:
    """Where a spec leads. `here` is the place of the graph that is looked at.

    `of` gives the places that a user gets, by target; None for a target whose place depends on more than the user and
    the pipeline, such as a branch: there, a graph elsewhere may be another instance.
    """

    here: RootPlace
    of: Callable[[str], Mapping[str, RootPlace | None]]


@record
class FormerGraph:
    """A graph at a former place. If it is not `certain`, it may belong to another project, or to a deleted spec."""

    place: RootPlace
    started: bool
    pipeline: str
    spec: str
    certain: bool = True

    @property
    def name(self) -> str:
        return ".".join(map(folded_name, self.place))

    def removal(self, spec: str, target: str, root: str) -> str:
        """The command that removes it; `spec`, `target` and `root` are those of the present graph."""
        name = shlex.quote(spec) if self.place[2] == raw(root) else self.pipeline
        at = shlex.quote(".".join(map(folded_name, self.place[:2])))
        return f"sfml destroy {name} -t {target} --at {at}"


def recorded_root(row: Mapping[str, Any]) -> RecordedRoot | None:
    """A row of SHOW TASKS as a root; None if it has no record."""
    record = split_comment(row.get("comment"))[1]
    if record is None:
        return None
    place = (str(row["database_name"]), str(row["schema_name"]), str(row["name"]))
    return RecordedRoot(place, row["state"] == "started", record)


def former_graph(root: RecordedRoot, *, certain: bool = True) -> FormerGraph:
    """The root as a former graph. Records of sfml 0.1 do not name the pipeline, whose name the root has as a rule."""
    pipeline = str(root.record.get("pipeline") or root.place[2].lower())
    return FormerGraph(root.place, root.started, pipeline, root.spec, certain)


def is_replaced(root: RecordedRoot, places: SpecPlaces) -> bool:
    """Whether the spec, which made this graph, leads elsewhere now, and to the place that is looked at.

    It is another instance if the spec still leads its user there, for any target. Records of sfml 0.1 do not name the
    target; then it is one of those with the same database, if there are any.
    """
    own = places.of(str(root.record.get("user") or ""))
    if root.place == places.here or root.place in own.values():
        return False
    target = root.record.get("target")
    if target is not None:
        followers = [own.get(str(target))]
    else:
        same = [place for place in own.values() if place is not None and place[0] == root.place[0]]
        followers = [*same] or [*own.values()]
    return places.here in followers and None not in followers


def former_value(graphs: Iterable[FormerGraph]) -> dict[str, Any]:
    """The entry of the root's record that names these graphs, as far as they are certain; empty without any."""
    certain = [{"at": one.name, "spec": one.spec} for one in graphs if one.certain]
    return {FORMER: certain} if certain else {}


def recorded_former(record: Mapping[str, Any] | None) -> Mapping[RootPlace, str]:
    """The former graphs that a root's record names, with their specs."""
    named = (record or {}).get(FORMER)
    return dict(_places(named)) if isinstance(named, list) else {}


def _places(named: list[Any]) -> Iterator[tuple[RootPlace, str]]:
    for one in named:
        parts = name_parts(str(one.get("at", ""))) if isinstance(one, dict) else ()
        if len(parts) == 3:
            yield (raw(parts[0]), raw(parts[1]), raw(parts[2])), str(one.get("spec", ""))
