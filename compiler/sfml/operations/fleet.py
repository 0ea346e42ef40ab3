"""The health of many pipelines of one account, read with few calls however many pipelines there are.

SHOW TASKS and SHOW STAGES are asked once a database, the runs three times for the whole account, the files on the
stages once for 25 schemas. What only few pipelines have costs calls of its own: streams in conditions one a database, a
journal, parts of runs, lanes, and the history of graphs that the newest rows of the account do not reach back to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from sfml.account.deployed import DeployedGraph, SchemaTasks, graph_of, schema_tasks
from sfml.account.health import GraphHealth, LateRun
from sfml.account.run_reading import as_of
from sfml.account.run_window import RunWindow
from sfml.account.streams import NO_STREAMS, StreamReading, joined, reading_of, streams_read
from sfml.base.errors import AccountError, ConnectionFailed, SfmlError
from sfml.base.quoting import name_parts, raw
from sfml.base.record import record
from sfml.operations.apply_plan import journal_on
from sfml.operations.graph_health import GraphReading, health_from
from sfml.operations.parallel_calls import ParallelCalls
from sfml.operations.target_account import TargetAccount, ports_on
from sfml.plan.lease import Lease, lease_from
from sfml.plan.stage_content import StageContent
from sfml.snowflake import fleet as limits
from sfml.snowflake.fleet import STAGES_AT_ONCE, Fleet
from sfml.snowflake.leases import lease_name
from sfml.snowflake.objects import missing_schema, require_schema
from sfml.snowflake.shown import NO_SUCH_PLACE

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account.history import DeployedRoot, GraphRow, TaskRow
    from sfml.graph.model import Target
    from sfml.lower.desired import DesiredGraph

T = TypeVar("T")

StagePlace: TypeAlias = tuple[str, str, str]
ShownStages: TypeAlias = "Mapping[StagePlace, str] | None"
Stages: TypeAlias = Mapping[StagePlace, "Mapping[str, StageContent] | SfmlError | None"]


@record
class _Found:
    """A pipeline whose tasks were read."""

    desired: DesiredGraph
    target: TargetAccount
    graph: DeployedGraph
    streams: StreamReading = NO_STREAMS
    holder: Lease | None = None

    @property
    def stage(self) -> StagePlace:
        target = self.desired.target
        return raw(target.database), raw(target.schema), raw(target.stage)


def fleet_health(
    pipelines: Sequence[DesiredGraph], connection: SnowflakeConnection
) -> tuple[GraphHealth | SfmlError, ...]:
    """The health of each pipeline, or the error that kept it from being read; all are of the connection's account."""
    fleet = Fleet(connection, pipelines[0].target.owner_role)
    databases = _Databases(connection, fleet, pipelines)
    graphs = [_result(partial(databases.graph, desired)) for desired in pipelines]
    found = {
        at: _Found(desired, ports_on(connection, desired.target), graph)
        for at, (desired, graph) in enumerate(zip(pipelines, graphs, strict=True))
        if isinstance(graph, DeployedGraph)
    }
    streams = _stream_reading(found.values(), fleet)
    shown = _shown_stages(found.values(), fleet)
    found = {
        at: replace(one, streams=streams, holder=_holder(one, shown.get(one.stage[0])))
        for at, one in found.items()
    }
    stages, runs = _stages_and_runs(tuple(found.values()), fleet, shown)
    healths = {at: _result(partial(_health, one, stages, runs)) for at, one in found.items()}
    healths |= _healths_of_whole_history(found, healths, stages, runs, fleet)
    return tuple(graph if isinstance(graph, SfmlError) else healths[at] for at, graph in enumerate(graphs))


class _Databases:
    """The tasks of the databases that pipelines are in, read with one call each."""

    def __init__(
        self, connection: SnowflakeConnection, fleet: Fleet, pipelines: Iterable[DesiredGraph]
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._schemas: dict[str, frozenset[str]] = {}
        self._tasks: dict[str, Mapping[str, SchemaTasks] | SfmlError] = {}
        schemas: dict[str, set[str]] = {}
        for desired in pipelines:
            schemas.setdefault(desired.target.database, set()).add(desired.target.schema)
        ParallelCalls().run_all([partial(self._read, database, schemas[database]) for database in schemas])

    def _read(self, database: str, schemas: Iterable[str]) -> None:
        self._tasks[database] = _result(partial(self._fleet.tasks, database, schemas))

    def graph(self, desired: DesiredGraph) -> DeployedGraph:
        """The pipeline's graph. Raises `MissingSchema` as for a single pipeline, and the errors of the calls.

        A local database or schema is created by the first apply.
        """
        target = desired.target
        tasks = self._tasks[target.database]
        if isinstance(tasks, AccountError) and target.is_local and tasks.code in NO_SUCH_PLACE:
            tasks = {}
        if isinstance(tasks, AccountError) and not target.is_local:
            require_schema(self._connection, target)
        if isinstance(tasks, SfmlError):
            raise tasks
        schema = tasks.get(raw(target.schema))
        if schema is None and not target.is_local:
            self._demand_listed(target)
        return graph_of(schema or schema_tasks(()), desired)

    def _demand_listed(self, target: Target) -> None:
        if target.database not in self._schemas:
            self._schemas[target.database] = self._fleet.schemas(target.database)
        if raw(target.schema) not in self._schemas[target.database]:
            raise missing_schema(target)


def _stream_reading(found: Iterable[_Found], fleet: Fleet) -> StreamReading:
    """What is shown of the streams that conditions of the pipelines read; one call a database that has any."""
    names = {name for one in found for name in streams_read(one.graph, one.desired.target)}
    by_database: dict[str, list[str]] = {}
    for name in sorted(names):
        by_database.setdefault(name_parts(name)[0], []).append(name)
    readings: list[StreamReading] = []

    def read(database: str) -> None:
        readings.append(_reading_in(database, by_database[database], fleet))

    ParallelCalls().run_all([partial(read, database) for database in by_database])
    return joined(readings)


def _reading_in(database: str, names: Sequence[str], fleet: Fleet) -> StreamReading:
    shown = _result(partial(fleet.streams, database))
    if isinstance(shown, SfmlError):
        return reading_of(names, (), shown.message)
    doubt = None if len(shown) < limits.SHOWN_AT_MOST else f"{database} has more streams than SHOW lists"
    return reading_of(names, shown, doubt)


def _stages_and_runs(
    found: Sequence[_Found], fleet: Fleet, shown: Mapping[str, ShownStages]
) -> tuple[Stages, RunWindow | SfmlError]:
    """The code and records on every stage, and the runs of the account; read at the same time."""
    stages: dict[StagePlace, Mapping[str, StageContent] | SfmlError | None] = {}
    runs: list[RunWindow | SfmlError] = []
    databases = [one.desired.target.database for one in found if one.graph.root is not None]

    def read_runs() -> None:
        runs.append(_result(partial(fleet.runs, databases[0])))

    def read_stages(some: Sequence[_Found]) -> None:
        stages.update(zip((one.stage for one in some), _staged(some, fleet), strict=True))

    each = tuple({one.stage: one for one in found}.values())
    there = _stages_there(each, shown)
    stages.update({one.stage: None for one in each if one.stage not in there})
    listed = [one for one in each if one.stage in there]
    some = (listed[at : at + STAGES_AT_ONCE] for at in range(0, len(listed), STAGES_AT_ONCE))
    calls = [*([read_runs] if databases else ()), *(partial(read_stages, one) for one in some)]
    ParallelCalls().run_all(calls)
    return stages, runs[0] if runs else RunWindow({}, {})


def _shown_stages(found: Iterable[_Found], fleet: Fleet) -> Mapping[str, ShownStages]:
    """Database, unquoted → its stages with their comments, or None for one that cannot tell."""
    databases = {one.stage[0]: one.desired.target.database for one in found}
    shown = {name: _result(partial(fleet.stages, database)) for name, database in databases.items()}
    return {name: None if isinstance(some, SfmlError) else some for name, some in shown.items()}


def _stages_there(each: Sequence[_Found], shown: Mapping[str, ShownStages]) -> Collection[StagePlace]:
    """Those of the stages that may exist; of a database that cannot tell, all."""
    return {one.stage for one in each if (some := shown.get(one.stage[0])) is None or one.stage in some}


def _holder(one: _Found, shown: ShownStages) -> Lease | None:
    """The lease of a pipeline, which is the comment of a stage; read by itself where the stages are not known."""
    root, target = one.desired.root.name, one.desired.target
    if shown is None:
        holder = _result(partial(one.target.leases.holder, root)) if one.graph.root else None
        return None if isinstance(holder, SfmlError) else holder
    comment = shown.get((raw(target.database), raw(target.schema), lease_name(root)))
    return None if comment is None else lease_from(comment)


def _staged(some: Sequence[_Found], fleet: Fleet) -> Sequence[Mapping[str, StageContent] | SfmlError | None]:
    """The files on these stages with one call; if it is refused, each by itself, so that one hides no other."""
    listed = _result(lambda: fleet.all_staged([one.target.stage for one in some])) if len(some) > 1 else None
    if isinstance(listed, ConnectionFailed):
        return [listed] * len(some)
    if listed is None or isinstance(listed, SfmlError):
        return [_result(one.target.stage.all_staged) for one in some]
    return listed


def _health(one: _Found, stages: Stages, runs: RunWindow | SfmlError) -> GraphHealth:
    return health_from(one.desired, one.target, _reading(one, stages, runs))


def _reading(one: _Found, stages: Stages, runs: RunWindow | SfmlError) -> GraphReading:
    stage, root, name = stages[one.stage], one.graph.root, one.desired.pipeline
    if isinstance(stage, SfmlError):
        raise stage
    staged = None if stage is None else stage.get(name, StageContent(name, frozenset()))
    journal = journal_on(staged, one.desired, one.target)
    if root is None:
        return GraphReading(one.graph, staged, journal, streams=one.streams, holder=one.holder)
    if isinstance(runs, SfmlError):
        raise runs
    rows = runs.rows.get(root.id, ())
    records = _run_records(one, root, rows, runs)
    return GraphReading(one.graph, staged, journal, rows, records, one.streams, one.holder)


def _run_records(
    one: _Found, root: DeployedRoot, rows: tuple[TaskRow, ...], runs: RunWindow
) -> tuple[GraphRow, ...]:
    if runs.records is None:
        return as_of(rows, one.target.history.graphs(root))
    return runs.records.get(root.id, ())


def _healths_of_whole_history(
    found: Mapping[int, _Found],
    healths: Mapping[int, GraphHealth | SfmlError],
    stages: Stages,
    runs: RunWindow | SfmlError,
    fleet: Fleet,
) -> dict[int, GraphHealth | SfmlError]:
    """The health of the pipelines that the newest rows of the account are not enough for; some take one call."""
    if isinstance(runs, SfmlError) or runs.since is None:
        return {}
    short = {at: one for at, one in found.items() if _is_short(one, healths[at], runs)}
    if not short:
        return {}
    roots = [one.graph.root.id for one in short.values() if one.graph.root is not None]
    database = next(iter(short.values())).desired.target.database
    rows = _result(partial(fleet.rows_of, database, roots))
    whole = rows if isinstance(rows, SfmlError) else replace(runs, rows=rows)
    return {at: _result(partial(_health, one, stages, whole)) for at, one in short.items()}


def _is_short(one: _Found, health: GraphHealth | SfmlError, runs: RunWindow) -> bool:
    """Whether the health may be another one with all rows of the graph: without some, a run may look late."""
    if one.graph.root is None or isinstance(health, SfmlError):
        return False
    is_late = any(isinstance(problem, LateRun) for problem in health.problems)
    return is_late or not runs.holds(one.desired, one.graph.root)


def _result(call: Callable[[], T]) -> T | SfmlError:
    """What the call returns, or the error that it raises."""
    try:
        return call()
    except SfmlError as error:
        return error
