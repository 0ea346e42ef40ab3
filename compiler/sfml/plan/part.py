"""A part of a run: which tasks run, which results are reused, what counts as skipped; and its own graph. Pure.

A reused task is a task of the part's graph that sets the recorded return value again, so that the tasks after it cannot
tell. A task that was skipped or did not succeed is not in that graph: its state is folded into the conditions of the
tasks after it. Names are those of the spec, unless they are said to be Snowflake's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import TypeAlias

from sfml.base.errors import ConflictingState
from sfml.base.quoting import literal, raw
from sfml.base.record import record
from sfml.graph.located import Scalar
from sfml.graph.topology import Edges, Reach
from sfml.lower.canonical import Json
from sfml.lower.desired import Archive, DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.lower import DUMMY_ROOT
from sfml.lower.names import default_name, folded_name
from sfml.plan.artefact import archives_in
from sfml.plan.rehoming import (
    FALSE,
    TRUE,
    EarlierRun,
    MissingResult,
    Move,
    folded_predecessors,
    graph_below,
    rehomed_definition,
    rehomed_sql,
    results_read,
)
from sfml.plan.selection import Selection
from sfml.semantics.conditions import decides_on_predecessors
from sfml.semantics.evaluating import ConditionError, Functions, Undecided, Unknown, Value, condition_holds
from sfml.semantics.states import CAME, State, predecessors_state

PART_MARK = "$$PART_"
"""What comes after the root's name in the name of a part's root; no task of a spec can have such a name."""


@record
class TaskResult:
    """How a task ended in an earlier run; `value` is its return value as Snowflake keeps it."""

    state: State
    run_id: str
    value: str | None = None
    completed_at: datetime | None = None


@record
class EarlierResults:
    """The results that a part may reuse, by task.

    With `recovered`, they are those of this run; otherwise, each is that of the task's latest success, or of its latest
    run if it never succeeded.
    """

    results: Mapping[str, TaskResult]
    recovered: str | None = None


@record
class RunsTask:
    """A task that runs in the part, and why."""

    name: str
    why: str


@record
class ReusesTask:
    """A task whose result is reused."""

    name: str
    result: TaskResult


@record
class LeavesTask:
    """A task that is not in the part, although it was chosen or tasks of the part run after it.

    `state` is what it counts as.
    """

    name: str
    state: State
    why: str
    is_gone: bool = False
    """Whether nothing is known of it, so that tasks after it do not wait for it."""


PartTask: TypeAlias = RunsTask | ReusesTask | LeavesTask


@record
class Part:
    """The tasks of a part in the order of the graph; other tasks of the graph have nothing to do with it."""

    graph: DesiredGraph
    tasks: tuple[PartTask, ...]
    run: EarlierRun | None = None
    """The run that it continues: `${run.id}` and the files of the run are those of this one."""
    by_name: Mapping[str, PartTask] = field(default_factory=dict, compare=False, repr=False)
    is_whole_recovery: bool = False
    """Whether it brings a run of the whole graph to its end."""

    @property
    def is_whole(self) -> bool:
        """Whether its success is one of the whole graph, so that alerts may say that the pipeline has recovered."""
        return self.is_whole_recovery or all(
            task.task in self.by_name and not _is_open(self.by_name[task.task])
            for task in _spec_tasks(self.graph)
            if task.task is not None
        )

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(task.name for task in self.tasks if isinstance(task, RunsTask))

    @property
    def reused(self) -> Mapping[str, TaskResult]:
        return {task.name: task.result for task in self.tasks if isinstance(task, ReusesTask)}


# -- which tasks run


def recovered_tasks(graph: DesiredGraph, results: EarlierResults) -> Mapping[str, str]:
    """The tasks that a recovery runs, each with the reason: what failed, what never ran, and what comes after them."""
    edges = edges_of(graph)
    runs: dict[str, str] = {}
    for task in _spec_tasks(graph):
        assert task.task is not None
        name = task.task
        result = results.results.get(name)
        again = [one for one in edges[name] if one in runs]
        if result is not None and (result.state.is_failure or result.state is State.CANCELLED):
            runs[name] = f"it {CAME[result.state].removeprefix('was ')}"
            if result.state is State.CANCELLED:
                runs[name] = "it was cancelled"
        elif task.finalize is not None:
            if runs:
                runs[name] = "at the end"
        elif again:
            runs[name] = f"after {again[0]}"
        elif result is None and _may_begin(task, edges[name], results):
            runs[name] = "it never ran"
    return runs


def _may_begin(task: DesiredTask, above: tuple[str, ...], results: EarlierResults) -> bool:
    """Whether the states of its predecessors would let a task begin that has no row."""
    if decides_on_predecessors(task.condition):
        return True
    states = [results.results[one].state if one in results.results else None for one in above]
    return all(state is State.SUCCEEDED for state in states)


def planned_part(
    graph: DesiredGraph,
    results: EarlierResults,
    wanted: Mapping[str, str],
    named: frozenset[str] = frozenset(),
    run: EarlierRun | None = None,
) -> Part:
    """The part that runs the tasks `wanted` (task → reason).

    `named` are tasks that must run. Raises `ConflictingState` if one of them cannot, if a result is gone that a task
    reads, or if nothing would run.
    """
    fates = _Fates(graph, results, wanted)
    refused = [fate for name in named if isinstance(fate := fates.of[name], LeavesTask)]
    if refused:
        raise _would_not_run(refused, results)
    running = [name for name, fate in fates.of.items() if isinstance(fate, RunsTask)]
    if not running:
        why = next(
            (fate.why for fate in fates.of.values() if isinstance(fate, LeavesTask) and fate.name in wanted),
            "",
        )
        raise ConflictingState(f"nothing is left to run{f': {why}' if why else ''}")
    reach = Reach(fates.edges)
    needed = {*running, *(name for task in running for name in reach.above(task))}
    tasks = tuple(fate for name, fate in fates.of.items() if name in needed or name in wanted)
    part = Part(graph, tasks, run, {task.name: task for task in tasks})
    refuse_missing(part)
    return part


def _would_not_run(refused: list[LeavesTask], results: EarlierResults) -> ConflictingState:
    first = refused[0]
    where = f" in run {results.recovered}" if results.recovered else ""
    return ConflictingState(
        f"`{first.name}` would not run: {first.why}{where}; nothing was run",
        help="let what decides it run again as well: --only '+" + first.name + "'",
    )


class _Fates:
    """What becomes of every task, decided in the order of the graph."""

    def __init__(self, graph: DesiredGraph, results: EarlierResults, wanted: Mapping[str, str]) -> None:
        self.edges = edges_of(graph)
        self.of: dict[str, PartTask] = {}
        self._results = results
        self._raw = {raw(task.name): task.task for task in graph.all_tasks if task.task is not None}
        self._tasks = {task.task: task for task in graph.all_tasks if task.task is not None}
        for task in _spec_tasks(graph):
            assert task.task is not None
            why = wanted.get(task.task)
            self.of[task.task] = self._kept(task) if why is None else self._run(task, task.task, why)

    def _run(self, task: DesiredTask, name: str, why: str) -> PartTask:
        if task.finalize is not None:
            return RunsTask(name, why)
        hindrance = self._hindrance(task, name)
        return RunsTask(name, why) if hindrance is None else hindrance

    def _kept(self, task: DesiredTask) -> PartTask:
        """What becomes of a task that does not run: its result is reused if it succeeded."""
        assert task.task is not None
        result = self._results.results.get(task.task)
        if result is None:
            why = "it never ran" if self._results.recovered else "no run of it is kept"
            return LeavesTask(task.task, State.NOT_EXECUTED, why, is_gone=self._results.recovered is None)
        if result.state is not State.SUCCEEDED:
            state = State.FAILED if result.state.is_failure else result.state
            is_gone = self._results.recovered is None and state is not State.SKIPPED
            return LeavesTask(task.task, state, f"it {CAME[state]}", is_gone)
        if self._results.recovered is None and (hindrance := self._hindrance(task, task.task)) is not None:
            # Its latest success is of a run in which a gate chose otherwise than in the results that are reused.
            return hindrance
        return ReusesTask(task.task, result)

    def _hindrance(self, task: DesiredTask, name: str) -> LeavesTask | None:
        """Why a task certainly does not run, given what is known of the tasks above it; None if it may run."""
        above = [self.of[one] for one in self.edges[name]]
        if not decides_on_predecessors(task.condition):
            for fate in above:
                if isinstance(fate, LeavesTask) and not fate.is_gone:
                    why = self._passed_over(task) or f"{fate.name} {CAME[fate.state]}"
                    return LeavesTask(name, State.NOT_EXECUTED, why)
            if any(isinstance(fate, RunsTask) for fate in above):
                return None  # it is skipped or never runs, as the tasks above it end
        if task.condition is None:
            return None
        try:
            holds = condition_holds(task.condition, self._functions(name))
        except (Undecided, ConditionError, KeyError):
            return None
        if holds:
            return None
        return LeavesTask(name, State.SKIPPED, self._passed_over(task) or "its condition is false")

    def _passed_over(self, task: DesiredTask) -> str | None:
        """The gate that did not choose the task."""
        assert task.task is not None
        for name in self.edges[task.task]:
            fate, gate = self.of[name], self._tasks[name]
            if gate.outcomes is None or not isinstance(fate, ReusesTask):
                continue
            chosen = {value: outcome for outcome, value in gate.outcomes.items()}.get(fate.result.value or "")
            if chosen is not None and f"= {literal(fate.result.value or '')}" not in (task.condition or ""):
                return f"{name} chose {chosen}"
        return None

    def _functions(self, name: str) -> Functions:
        """The functions of a condition; what depends on a task that runs is unknown."""
        above = [self.of[one] for one in self.edges[name]]

        def returned(arguments: tuple[Value, ...]) -> Value:
            asked = self._raw.get(str(arguments[0])) if arguments else None
            fate = self.of.get(asked) if asked else above[0] if len(above) == 1 and not arguments else None
            match fate:
                case ReusesTask(result=result):
                    return result.value
                case LeavesTask(is_gone=False):
                    return None
                case _:
                    return Unknown("a task returns it")

        def state(arguments: tuple[Value, ...]) -> Value:
            asked = self._raw.get(str(arguments[0])) or self._raw.get(str(arguments[0]).upper())
            fate = self.of.get(asked) if asked else None
            return Unknown("it runs") if fate is None or isinstance(fate, RunsTask) else _state(fate).value

        def predecessors(arguments: tuple[Value, ...]) -> Value:
            known = [_state(fate) for fate in above if not isinstance(fate, RunsTask) and not _is_gone(fate)]
            asked = str(arguments[0]).upper()
            if not any(isinstance(fate, RunsTask) for fate in above):
                return predecessors_state(asked, known)
            folded = folded_predecessors(asked, known, has_others=True)
            return False if folded == FALSE else Unknown("tasks above it run")

        return {
            "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": returned,
            "SYSTEM$TASK_COMPLETION_STATE": state,
            "SYSTEM$PREDECESSORS_STATE": predecessors,
            "SYSTEM$STREAM_HAS_DATA": lambda _: Unknown("a stream says it"),
        }


def _state(fate: PartTask) -> State:
    return fate.state if isinstance(fate, LeavesTask) else State.SUCCEEDED


def _is_open(fate: PartTask) -> bool:
    """Whether the task has failed and does not run again, or nothing is known of it."""
    return isinstance(fate, LeavesTask) and (fate.is_gone or fate.state is State.FAILED)


def _is_gone(fate: PartTask) -> bool:
    return isinstance(fate, LeavesTask) and fate.is_gone


def refuse_missing(part: Part) -> None:
    """Raise `ConflictingState` if a task that runs reads a result that is not kept, or a gate's that is none now."""
    named = {raw(task.name): task.task for task in part.graph.all_tasks}
    for task in part.graph.all_tasks:
        if task.task is None or not isinstance(part.by_name.get(task.task), RunsTask):
            continue
        for read in results_read(task):
            fate = part.by_name.get(named.get(read) or "")
            if isinstance(fate, LeavesTask) and fate.is_gone:
                raise ConflictingState(
                    f"`{task.task}` reads the result of `{fate.name}`, and {fate.why}; nothing was run",
                    help=f"run it as well:  --only '{fate.name},{task.task}'",
                )
    tasks = {task.task: task for task in part.graph.all_tasks}
    for name, result in part.reused.items():
        outcomes = tasks[name].outcomes
        if outcomes is not None and result.value not in outcomes.values():
            raise ConflictingState(
                f"`{name}` chose `{result.value}` in run {result.run_id}, which is none of its outcomes now;"
                " nothing was run",
                help=f"let it decide again:  --only '{name}+'",
            )


def edges_of(graph: DesiredGraph) -> Edges:
    """Task → the tasks that it runs after; the root is left out."""
    names = {task.name: task.task for task in graph.all_tasks if task.task is not None}
    return {
        task.task: tuple(names[one] for one in task.predecessors if one in names)
        for task in _spec_tasks(graph)
        if task.task is not None
    }


def _spec_tasks(graph: DesiredGraph) -> Iterator[DesiredTask]:
    """The tasks in topological order, the finalizer last."""
    yield from (task for task in graph.all_tasks if task.task is not None)


def selected_reasons(selected: Selection, why: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The tasks of a selection, each with the reason why it runs."""
    known = why or {}
    return {
        name: known.get(name) or ("you chose it" if name in selected.named else "your choice brings it in")
        for name in selected.tasks
    }


# -- its graph


def part_root(root: str, mark: str) -> str:
    """The name in Snowflake of a part's root: `CLV` → `CLV$$PART_3F9A0C11`."""
    return folded_name(f"{raw(root)}{PART_MARK}{mark.upper()}")


def part_graph(
    part: Part,
    root: str,
    config: Mapping[str, Scalar],
    record: Mapping[str, Json],
    root_value: str | None = None,
) -> DesiredGraph:
    """The graph of a part below its own root; `record` goes into the root's comment. Raises `ConflictingState`.

    `root_value` is what the root of the earlier run returned, if it has a statement of its own.
    """
    graph = part.graph
    there = {task.name for task in part.tasks if not isinstance(task, LeavesTask)}
    names = {task.task: default_name(root, task.task) for task in graph.all_tasks if task.task is not None}
    made = [
        _part_task(part, task, root, {name: names[name] for name in there})
        for task in graph.all_tasks
        if task.task in there
    ]
    top = replace(
        graph.root,
        name=root,
        definition=SqlDefinition(_setting(root_value) or DUMMY_ROOT.sql),
        condition=None,
        own_condition=None,
        schedule=None,
        config=dict(config) or None,
        overlap_policy=None,
        suspend_task_after_num_failures=0,
        minimum_trigger_interval_seconds=None,
        tags={},
        contacts={},
        watch={},
        comment="A part of a run, made and removed by sfml.",
    )
    return graph_below(graph, top, made, record=record, archives=_archives(graph, made))


def _archives(graph: DesiredGraph, made: Sequence[DesiredTask]) -> tuple[Archive, ...]:
    """The archives that the tasks run, with that of the alerts around a finalizer."""
    wanted: set[str | None] = set()
    for task in made:
        wanted.add(task.code_sha256)
        match task.definition:
            case SqlDefinition(sql):
                wanted |= {path.rpartition("/")[2] for path in archives_in(sql)}
            case MLJobDefinitionSpec(alerts=alerts):
                wanted |= {alerts.sha256} if alerts is not None else set()
    return tuple(archive for archive in graph.archives if archive.sha256 in wanted)


def _part_task(part: Part, task: DesiredTask, root: str, names: Mapping[str, str]) -> DesiredTask:
    assert task.task is not None
    fate = part.by_name[task.task]
    spec_names = {one.name: one.task for one in part.graph.all_tasks}
    above = sorted(
        names[name] for one in task.predecessors if (name := spec_names.get(one)) in names and name
    )
    # Stand-ins always succeed; beside other predecessors they would count in a condition about states.
    further = [] if above and decides_on_predecessors(task.condition) else _reused_beyond(part, task.task)
    after = sorted({*above, *(names[name] for name in further)})
    placed = replace(
        task,
        name=names[task.task],
        predecessors=() if task.finalize is not None else tuple(after) or (root,),
        finalize=root if task.finalize is not None else None,
        fingerprint="",
    )
    if isinstance(fate, ReusesTask):
        runs_before = any(
            isinstance(part.by_name.get(spec_names.get(one) or ""), RunsTask) for one in task.predecessors
        )
        return _stand_in(part.graph.root, placed, fate.result, whatever=runs_before)
    move = _move(part, task, root, names, has_others=bool(above))
    try:
        definition = rehomed_definition(
            task.definition, move, part.graph.target, part.graph.pipeline, task.task
        )
    except MissingResult as missing:
        absent = next(
            (one.task for one in part.graph.all_tasks if raw(one.name) == missing.args[0]), missing.args[0]
        )
        left = part.by_name.get(str(absent))
        why = left.why if isinstance(left, LeavesTask) else "it has no result"
        raise ConflictingState(
            f"`{task.task}` reads the result of `{absent}`, and {why}; nothing was run",
            help=f"run it as well:  --only '{absent},{task.task}'",
        ) from missing
    return replace(placed, definition=definition, condition=_folded_condition(task, move, bool(above)))


def _reused_beyond(part: Part, name: str) -> list[str]:
    """The reused tasks above those that the part leaves out before a task, so that it can read their results."""
    edges, found, seen = edges_of(part.graph), list[str](), set[str]()
    waiting = [one for one in edges[name] if isinstance(part.by_name.get(one), LeavesTask)]
    while waiting:
        for one in edges[waiting.pop()]:
            fate = part.by_name.get(one)
            if one not in seen and isinstance(fate, ReusesTask):
                found.append(one)
            elif one not in seen and isinstance(fate, LeavesTask):
                waiting.append(one)
            seen.add(one)
    return found


def _stand_in(root: DesiredTask, task: DesiredTask, result: TaskResult, *, whatever: bool) -> DesiredTask:
    """The task that sets a recorded return value again, on the compute of the root.

    With `whatever`, tasks above it run in the part, and however they end, its own result is known.
    """
    body = _setting(result.value) or "select 'reused'"
    return DesiredTask(
        name=task.name,
        task=task.task,
        definition=SqlDefinition(body),
        kind="sql",
        warehouse=root.warehouse,
        user_task_managed_initial_warehouse_size=root.user_task_managed_initial_warehouse_size,
        serverless_task_min_statement_size=root.serverless_task_min_statement_size,
        serverless_task_max_statement_size=root.serverless_task_max_statement_size,
        target_completion_seconds=root.target_completion_seconds,
        predecessors=task.predecessors,
        condition="SYSTEM$PREDECESSORS_STATE('ALL_DONE')" if whatever else None,
        session_parameters=task.session_parameters,
        outcomes=task.outcomes,
    )


def _setting(value: str | None) -> str | None:
    """The statement that sets a return value; None for no value."""
    # https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
    return None if value is None else f"CALL SYSTEM$SET_RETURN_VALUE({literal(value)})"


def _move(part: Part, task: DesiredTask, root: str, names: Mapping[str, str], *, has_others: bool) -> Move:
    spec_names = {raw(one.name): one.task for one in part.graph.all_tasks if one.task is not None}
    left = {name: fate for name, fate in part.by_name.items() if isinstance(fate, LeavesTask)}
    absent = {
        name: left[spec].state for name, spec in spec_names.items() if spec in left and not left[spec].is_gone
    }
    above = [spec_names[raw(one)] for one in task.predecessors if raw(one) in spec_names]
    states = [left[name].state for name in above if name in left and not left[name].is_gone]

    def folded(asked: str) -> str:
        return folded_predecessors(asked, states, has_others=has_others)

    return Move(
        root=raw(root),
        names={
            raw(part.graph.root.name): raw(root),
            **{name: raw(names[spec]) for name, spec in spec_names.items() if spec in names},
        },
        absent=absent,
        absent_names={name: raw(default_name(root, spec_names[name])) for name in absent},
        run=part.run,
        predecessors=folded if states else None,
        reused=frozenset(name for name, spec in spec_names.items() if spec in part.reused),
        is_whole=part.is_whole,
    )


def _folded_condition(task: DesiredTask, move: Move, has_others: bool) -> str | None:
    if task.condition is None:
        return None
    condition = rehomed_sql(task.condition, move)
    if decides_on_predecessors(task.condition) and has_others and not decides_on_predecessors(condition):
        # Without such a function, Snowflake would demand that all predecessors succeeded.
        condition = f"({condition}) and SYSTEM$PREDECESSORS_STATE('ALL_DONE')"
    return None if condition == TRUE else condition
