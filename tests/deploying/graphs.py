"""Small graphs that an apply turns into each other, and what they look like in the account."""

from __future__ import annotations

from dataclasses import dataclass

from sfml.graph.model import CronSchedule, GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower

TARGET = Target("local", "local", "SFML", "DEPLOYING", "LOCAL_WH")
WEEKLY = GraphSettings(schedule=CronSchedule("0 0 * * 0", "UTC"))


def compiled(
    pipeline: str,
    *tasks: tuple[str, str, tuple[str, ...]],
    finalizer: str | None = None,
    moved: dict[str, str] | None = None,
) -> DesiredGraph:
    """A pipeline of SQL tasks: name, body, parents; the archives of no step have to be uploaded."""
    nodes = tuple(
        TaskNode(name, SqlBody(body), OnWarehouse("LOCAL_WH"), after=after) for name, body, after in tasks
    )
    last = None
    if finalizer is not None:
        last = TaskNode(finalizer, SqlBody("select 'done'"), OnWarehouse("LOCAL_WH"), is_finalizer=True)
    graph = TaskGraph(
        pipeline, f"specs/{pipeline}.yaml", TARGET, WEEKLY, nodes, finalizer=last, moved=moved or {}
    )
    return lower(graph, lambda step: (), "0.1.0")


@dataclass(frozen=True)
class Passage:
    """A change of one graph into another; None stands for no graph at all. `on` is whether its schedule is."""

    name: str
    old: DesiredGraph | None
    new: DesiredGraph | None
    on: bool = True

    @property
    def either(self) -> DesiredGraph:
        found = self.new or self.old
        assert found is not None
        return found


def passages() -> tuple[tuple[Passage, Passage], ...]:
    """Each passage with its way back, so that one ends where the other begins."""
    first = compiled("made", ("a", "select 1", ()), ("b", "select 2", ("a",)), finalizer="end")
    before = compiled("changed", ("a", "select 1", ()), ("b", "select 2", ("a",)), ("c", "select 3", ("a",)))
    after = compiled("changed", ("a", "select 10", ()), ("b", "select 2", ()), ("c", "select 30", ("b",)))
    large = compiled(
        "shrunk",
        *(
            ("a", "select 1", ()),
            ("b", "select 2", ("a",)),
            ("c", "select 3", ("b",)),
            ("d", "select 4", ("c",)),
        ),
        finalizer="old_end",
    )
    small = compiled("shrunk", ("a", "select 1", ()), ("d", "select 4", ("a",)), finalizer="new_end")
    named = compiled(
        "named", ("a", "select 1", ()), ("b", "select 2", ("a",)), finalizer="end", moved={"a": "z"}
    )
    renamed = compiled(
        "named", ("z", "select 1", ()), ("b", "select 2", ("z",)), finalizer="end", moved={"z": "a"}
    )
    return (
        (Passage("create", None, first), Passage("destroy", first, None)),
        (Passage("change", before, after), Passage("change back", after, before)),
        (Passage("shrink", large, small), Passage("grow", small, large)),
        (Passage("rename", named, renamed, on=False), Passage("rename back", renamed, named, on=False)),
    )
