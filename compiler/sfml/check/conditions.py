"""SF3xx, conditions: the expressions that `when` may hold, and the tasks that it may name."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.quoting import raw
from sfml.check.case import Case, error, listed, warning
from sfml.graph.draft import TaskDraft
from sfml.graph.located import Place
from sfml.semantics.condition_words import arguments_of, problem_of, texts_compared_with
from sfml.semantics.conditions import (
    COMPLETION_STATES,
    PREDECESSOR_STATES,
    WHEN_FUNCTIONS,
    forbidden_functions,
    functions_called,
)

_RETURN_VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"
_COMPLETION_STATE = "SYSTEM$TASK_COMPLETION_STATE"
_PREDECESSORS_STATE = "SYSTEM$PREDECESSORS_STATE"
_OF_TASKS = (_RETURN_VALUE, _COMPLETION_STATE, _PREDECESSORS_STATE)


def _conditions(case: Case) -> Iterator[tuple[TaskDraft | None, str, Place]]:
    """Every condition with its task, which is None for the root, and its place."""
    for task in case.draft.tasks:
        if task.node.when:
            yield task, task.node.when, task.place("when")
    if case.draft.settings.when:
        yield None, case.draft.settings.when, case.draft.places["schedule_config.when"]


def forbidden_conditions(case: Case) -> Iterator[Diagnostic]:
    """SF321: a condition calls a function that Snowflake does not evaluate there.

    What: `when` may call SYSTEM$STREAM_HAS_DATA, SYSTEM$GET_PREDECESSOR_RETURN_VALUE, SYSTEM$PREDECESSORS_STATE,
    SYSTEM$TASK_COMPLETION_STATE and casts, and may use comparisons, AND, OR and NOT.
    Why: Snowflake evaluates conditions without a warehouse, and refuses any other function when the task is created.
    Instead: decide in a step, as a branch.
    """
    for _, condition, place in _conditions(case):
        names = forbidden_functions(condition)
        if names:
            message = f"a condition cannot call {listed(list(dict.fromkeys(names)))}"
            help = f"use {listed(sorted(WHEN_FUNCTIONS), 'or')}, or decide in a step with `outcomes`"
            yield error("SF321", message, place, why="Snowflake evaluates it without a warehouse", help=help)


def broken_conditions(case: Case) -> Iterator[Diagnostic]:
    """SF329: `when` is not one expression that Snowflake can evaluate.

    What: a condition consists of texts, numbers, calls, comparisons, AND, OR, NOT and casts, with every parenthesis
    and quote closed. It holds no names of columns, no subqueries, no comments and no `;`.
    Why: a condition cannot read tables; and it stands inside a statement, which it must not end.
    Instead: correct it, or decide in a step.
    """
    for _, condition, place in _conditions(case):
        problem = problem_of(condition)
        if problem is not None and not _has_other_finding(condition):
            message = f"`when` is not a condition that Snowflake takes: {problem}"
            help = "compare what the SYSTEM$ functions return with texts and numbers"
            yield error("SF329", message, place, help=help)


def _has_other_finding(condition: str) -> bool:
    """Whether another rule has a finding for the condition: for `{{ … }}`, `${…}` or a forbidden function."""
    return any(mark in condition for mark in ("{{", "${")) or bool(forbidden_functions(condition))


def constant_conditions(case: Case) -> Iterator[Diagnostic]:
    """SF350: a condition reads nothing.

    What: `when` calls at least one of the functions that conditions may call.
    Why: without one it is the same at each run: the task always runs, or never, and is called skipped each time.
    Instead: remove it, or take the task out with `enabled: false`.
    """
    for task, condition, place in _conditions(case):
        if WHEN_FUNCTIONS.isdisjoint(functions_called(condition)) and not _has_finding(condition):
            message = f"`when` of {'the root' if task is None else f'`{task.name}`'} reads nothing"
            why = "it is the same at each run, so nothing is decided by it"
            yield warning(
                "SF350", message, place, why=why, help="take it out, or take out the task: `enabled: false`"
            )


def _has_finding(condition: str) -> bool:
    return _has_other_finding(condition) or problem_of(condition) is not None


def unknown_tasks_in_conditions(case: Case) -> Iterator[Diagnostic]:
    """SF330: a condition names a task that does not run before, or a state that does not exist.

    What: SYSTEM$GET_PREDECESSOR_RETURN_VALUE and SYSTEM$TASK_COMPLETION_STATE take the name of a task that runs
    before, as it is in Snowflake: `<PIPELINE>$<TASK>` in upper case. SYSTEM$PREDECESSORS_STATE takes one of nine
    states; SYSTEM$TASK_COMPLETION_STATE answers SUCCEEDED, FAILED, SKIPPED, CANCELLED or NOT_EXECUTED. The condition
    of the root cannot use them, because the root has no predecessors.
    Why: Snowflake fails the whole graph when a condition names a task that is not an ancestor (091451).
    Instead: write the name of a task that runs before.
    """
    for task, condition, place in _conditions(case):
        if task is None:
            functions = [name for name in functions_called(condition) if name in _OF_TASKS]
            if functions:
                message = (
                    f"the root has no predecessors, so its condition cannot call {listed(functions[:1])}"
                )
                yield error("SF330", message, place, help="move it to a task, or check a stream")
            continue
        for state in arguments_of(condition, _PREDECESSORS_STATE):
            if state is not None and state.upper() not in PREDECESSOR_STATES:
                help = did_you_mean(state.upper(), PREDECESSOR_STATES) or listed(PREDECESSOR_STATES, "or")
                message = f"`{state}` is not a state of predecessors"
                yield error("SF330", message, place, help=help)
        for state in texts_compared_with(condition, _COMPLETION_STATE):
            if state not in (*COMPLETION_STATES, "CANCELED"):
                help = did_you_mean(state.upper(), COMPLETION_STATES) or listed(COMPLETION_STATES, "or")
                message = f"no task that has ended is in the state `{state}`"
                yield warning("SF330", message, place, help=help)
        yield from _unknown_tasks(case, task, condition, place)


def name_in_snowflake(case: Case, task: str) -> str:
    """The name of a task in Snowflake, which conditions use."""
    own = case.by_name[task].node.own_name
    return f"{_root_name(case)}${task.upper()}" if own is None else raw(own)


def _root_name(case: Case) -> str:
    return raw(case.draft.root_name or case.draft.pipeline.upper())


def _unknown_tasks(case: Case, task: TaskDraft, condition: str, place: Place) -> Iterator[Diagnostic]:
    root = _root_name(case)
    prefix = f"{root}$"
    above = tuple(name_in_snowflake(case, name) for name in case.reach.above(task.name))
    if task.name in case.broken:
        return
    for function in (_RETURN_VALUE, _COMPLETION_STATE):
        for name in arguments_of(condition, function):
            if name is None:
                if len(case.draft.predecessors[task.name]) > 1:
                    message = f"`{function}` must name a task: `{task.name}` has several predecessors"
                    yield error("SF330", message, place, help=f"name one of {listed(above, 'or')}")
            elif name not in (*above, root):
                full = name.upper() if name.upper().startswith(prefix) else prefix + name.upper()
                help = f"write `{full}`" if full in above else did_you_mean(full, above)
                help = help or (f"tasks above it: {listed(above)}" if above else "nothing runs before it")
                message = f"`when` of `{task.name}` names `{name}`, which is not a task above it"
                yield error("SF330", message, place, help=help)
