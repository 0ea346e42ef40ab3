"""Checks that the objects which a graph needs exist, and creates missing ones on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sfml.account.environment import Environment
from sfml.base.errors import ConflictingState
from sfml.graph.needs import Kind, needs_of
from sfml.plan.model import Action
from sfml.plan.new_needs import introduced
from sfml.render.environment import missing_help, missing_text

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account.environment import Environment, MissingObject
    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.plan.model import Plan


def check_environment(
    compiled_spec: CompiledSpec, connection: SnowflakeConnection, plan: Plan | None = None
) -> Environment:
    """The missing objects of a graph; with a plan, only among the objects that the plan introduces.

    The stage is not checked, because an apply creates it; nor are, on a local target, database, schema and packages. A
    compute pool must have enough nodes for the tasks that the plan creates or changes.
    """
    from sfml.snowflake.environment import environment_of

    graph = compiled_spec.reading.graph
    if graph is None:
        return Environment(())
    unchecked = {Kind.STAGE}
    if compiled_spec.desired.target.is_local:
        unchecked |= {Kind.DATABASE, Kind.SCHEMA, Kind.PACKAGE}
    needs = tuple(need for need in needs_of(graph) if need.kind not in unchecked)
    if plan is None:
        return environment_of(connection, graph, needs=needs)
    same = (Action.UNCHANGED, Action.DROP)
    changed = {change.name for change in plan.changes if change.action not in same}
    sized = {task.task for task in compiled_spec.desired.all_tasks if task.task and task.name in changed}
    return environment_of(
        connection, graph, needs=introduced(needs, plan, compiled_spec.desired), sized=sized
    )


_INPUTS = (Kind.STREAM, Kind.FEATURE_VIEW)


def missing_inputs(compiled_spec: CompiledSpec, connection: SnowflakeConnection) -> Environment | None:
    """The streams and feature views of the graph that do not exist, or cannot be read; None if all can.

    Every plan looks for them: the plan of a graph without them would be one of a run that fails, or never begins.
    """
    from sfml.snowflake.environment import environment_of

    graph = compiled_spec.reading.graph
    needs = [] if graph is None else [need for need in needs_of(graph) if need.kind in _INPUTS]
    if graph is None or not needs:
        return None
    environment = environment_of(connection, graph, needs=needs, sized=())
    return environment if environment.missing or environment.unknown else None


def demand_environment(
    compiled_spec: CompiledSpec,
    connection: SnowflakeConnection,
    *,
    plan: Plan | None = None,
    create_missing: bool = False,
    tell: Callable[[Environment], None] = lambda environment: None,
    agree: Callable[[tuple[MissingObject, ...]], None] = lambda missing: None,
) -> None:
    """Check that all needed objects exist; with `create_missing`, create those that sfml may create.

    With a plan, objects that the deployed graph already uses count as existing. `tell` is called with the result of the
    check, `agree` with the objects to be created; `agree` raises to refuse. Raises `ConflictingState`, before anything
    is changed, with every other missing object and the statement that creates it.
    """
    from sfml.snowflake.environment import create

    environment = check_environment(compiled_spec, connection, plan)
    tell(environment)
    creatable = environment.creatable if create_missing else ()
    left = [missing_object for missing_object in environment.blocking if missing_object not in creatable]
    if left:
        raise ConflictingState(
            missing_text(compiled_spec.desired, left), help=missing_help(left, create_missing)
        )
    if creatable:
        agree(creatable)
        create(connection, compiled_spec.desired.target, creatable)
