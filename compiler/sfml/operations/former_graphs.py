"""Finds the graphs that a pipeline left at its former places, when it was renamed or its target moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sfml.account.former_graphs import (
    FormerGraph,
    RecordedRoot,
    RootPlace,
    SpecPlaces,
    former_graph,
    is_replaced,
    recorded_former,
)
from sfml.base.errors import AccountError
from sfml.base.git import is_renamed, was_in_commit
from sfml.base.quoting import raw
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.lower.desired import DesiredGraph
from sfml.operations.target_account import TargetAccount
from sfml.plan.model import Plan, Risk, RiskLabel
from sfml.spec.load import places_of

UNKNOWN = "? not known whether the pipeline was deployed elsewhere before: the account does not list all of its graphs"


def former_graphs(compiled_spec: CompiledSpec, target: TargetAccount) -> tuple[FormerGraph, ...] | None:
    """The former graphs that the role sees in the account, read with one call; None if they cannot be known."""
    try:
        roots = target.history.roots()
    except AccountError:
        roots = None
    if roots is None:
        return None
    places = _places(compiled_spec)
    replaced = (root for root in roots if root.is_whole and is_replaced(root, places))
    return tuple(graph for root in replaced if (graph := _of_this_spec(root, compiled_spec)) is not None)


def known_former_graphs(record: Mapping[str, Any] | None, target: TargetAccount) -> tuple[FormerGraph, ...]:
    """The former graphs that a root's record names and that still exist. Costs a call for each that is named."""
    known = ((target.history.root_at(place), spec) for place, spec in recorded_former(record).items())
    return tuple(former_graph(root) for root, spec in known if root is not None and root.spec == spec)


def _places(compiled_spec: CompiledSpec) -> SpecPlaces:
    desired, project = compiled_spec.desired, compiled_spec.reading.loaded.project

    @cache
    def of(user: str) -> Mapping[str, RootPlace | None]:
        places = places_of(project, desired.pipeline, user) if project is not None else {}
        return {name: None if place is None else _root_in(*place, desired) for name, place in places.items()}

    return SpecPlaces(_root_in(desired.target.database, desired.target.schema, desired), of)


def _root_in(database: str, schema: str, desired: DesiredGraph) -> RootPlace:
    return raw(database), raw(schema), raw(desired.root.name)


def _of_this_spec(root: RecordedRoot, compiled_spec: CompiledSpec) -> FormerGraph | None:
    """The graph, if it was made by this spec, perhaps under the former name of its file; None if it was not.

    The path of a spec says nothing about the project. It is this project if its repository has the commit that was
    deployed, with the spec; a local Snowflake has graphs of its own project only.
    """
    folder, spec, commit = compiled_spec.root, compiled_spec.desired.spec_path, root.record.get("commit")
    is_ours = compiled_spec.desired.target.is_local or was_in_commit(folder, commit, root.spec)
    if root.spec == spec:
        return former_graph(root, certain=is_ours)
    if not (root.spec and is_ours) or (folder / root.spec).exists() or was_in_commit(folder, commit, spec):
        return None
    return former_graph(root, certain=is_renamed(folder, commit, root.spec, spec))


def with_former_graphs(plan: Plan, graphs: tuple[FormerGraph, ...] | None, desired: DesiredGraph) -> Plan:
    """The plan with a risk for each former graph."""
    if graphs is None:
        return replace(plan, notes=(*plan.notes, UNKNOWN))
    return replace(plan, risks=(*plan.risks, *(_risk(graph, desired) for graph in graphs)))


def _risk(graph: FormerGraph, desired: DesiredGraph) -> Risk:
    removal = graph.removal(desired.spec_path, desired.target.name, desired.root.name)
    return Risk(RiskLabel.FORMER_GRAPH, f"{former_text(graph, desired.spec_path)}; to remove it:  {removal}")


def former_text(graph: FormerGraph, spec: str) -> str:
    """What is known of a former graph: `ML_PROD.CLV.CLV, made by this spec, stays, and its schedule is on`."""
    by = "this spec" if graph.spec == spec else graph.spec
    stays = f"stays, and its schedule is {'on' if graph.started else 'off'}"
    if graph.certain:
        return f"{graph.name}, made by {by} before, {stays}"
    whose = (
        "a spec of this path, perhaps of another project" if graph.spec == spec else f"{by}, which is gone"
    )
    return f"? {graph.name}, made by {whose}, may be this pipeline's former graph: it {stays}"
