"""Statements and conditions of tasks that move to another root: names of tasks, the run, and folded states.

A task reads others by their names in Snowflake, in the JSON argument of a step and in calls of SYSTEM$ functions. In a
part of a run these tasks have other names, some of them are not there at all, and the run is an earlier one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from sfml.base.errors import ConflictingState
from sfml.base.quoting import literal, raw
from sfml.base.record import record
from sfml.graph.model import Target
from sfml.lower.alerting import alerted_parts, own_statement
from sfml.lower.beyond import RECORDED, record_of
from sfml.lower.canonical import Json
from sfml.lower.comments import root_comment
from sfml.lower.desired import (
    Archive,
    Definition,
    DesiredGraph,
    DesiredTask,
    MLJobDefinitionSpec,
    SqlDefinition,
)
from sfml.lower.ml_jobs import bound, with_arguments
from sfml.plan.branches import with_branches
from sfml.semantics.limits import MAX_IDENTIFIER_LENGTH
from sfml.semantics.states import State, predecessors_state

PREDECESSORS_STATE = "SYSTEM$PREDECESSORS_STATE"

TRUE, FALSE = "1 = 1", "1 = 0"
"""Conditions that always and never hold."""

_STEP_CALL = re.compile(r"(?P<head>.*\nCALL SFML_STEP\()(?P<literal>'(?:[^'\\]|''|\\.)*')\)\Z", re.DOTALL)
_JOB_CALL = re.compile(r"\ACALL SYSTEM\$EXECUTE_ML_JOB\(")
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<dollars>\$\$(?P<inside>.*?)\$\$)"
    r"|(?P<text>'(?:[^'\\]|''|\\.)*')"
    r'|(?P<name>"(?:[^"]|"")*")'
    r"|(?P<call>(?<![\w$.])SYSTEM\$\w+\s*\(\s*(?P<argument>'(?:[^'\\]|''|\\.)*')?\s*\))"
    r"|(?P<word>[\w$]+)",
    re.DOTALL | re.IGNORECASE,
)
_CALLED = re.compile(r"(SYSTEM\$\w+)", re.IGNORECASE)


@record
class EarlierRun:
    """The run that a part continues: its id, the time for which it was scheduled as ISO text, and its root."""

    id: str
    scheduled_at: str | None
    root: str


@record
class Move:
    """Where a task moves. Names are those in Snowflake, without quotes.

    `names` maps the tasks that are there to their new names, `absent` the others to the states that they have in the
    part. `root` is the new root. `predecessors` maps a condition of SYSTEM$PREDECESSORS_STATE to what it becomes.
    """

    root: str
    names: Mapping[str, str]
    absent: Mapping[str, State] = field(default_factory=dict)
    absent_names: Mapping[str, str] = field(default_factory=dict)
    """The names that absent tasks would have, by which a step may ask for their results."""
    run: EarlierRun | None = None
    predecessors: Callable[[str], str] | None = None
    reused: frozenset[str] = frozenset()
    """The tasks of `names` that only set an earlier result again: their times and outcomes are not of this run."""
    is_whole: bool = True
    """Whether a success of the run is one of the whole graph."""


class MissingResult(ValueError):
    """A task reads a part of the result of a task that is not there; the argument is that task's name."""


def rehomed_definition(
    definition: Definition, move: Move, target: Target, pipeline: str, task: str
) -> Definition:
    """The body of a task below another root. Raises `MissingResult`."""
    match definition:
        case SqlDefinition(sql):
            return SqlDefinition(_rehomed_body(sql, move))
        case MLJobDefinitionSpec(arguments=arguments):
            moved = tuple(_rehomed_argument(text, move) for text in arguments)
            alerts = definition.alerts
            if alerts is not None:
                alerts = replace(alerts, json=rehomed_alerts(alerts.json, move))
            return with_arguments(replace(definition, alerts=alerts), moved, target, pipeline, task)


def _rehomed_body(sql: str, move: Move) -> str:
    parts = alerted_parts(sql)
    if parts is not None:
        moved = sql.replace(literal(parts.call), literal(rehomed_alerts(parts.call, move)), 1)
        if parts.inner is None:
            return moved
        return moved.replace(literal(parts.inner), literal(_rehomed_body(parts.inner, move)), 1)
    step = _STEP_CALL.fullmatch(sql)
    if step is not None:
        call = rehomed_call(unquoted(step["literal"]), move)
        return f"{step['head']}{literal(call)})"
    if _JOB_CALL.match(sql):
        return _rehomed_job(sql, move)
    return rehomed_sql(sql, move)


def _rehomed_argument(text: str, move: Move) -> str:
    return rehomed_call(text, move) if is_call(text) else text


def _rehomed_job(sql: str, move: Move) -> str:
    """The statement of a registered ML Job, whose options hold its command line as JSON."""

    def moved(match: re.Match[str]) -> str:
        text = unquoted(match[0])
        try:
            options = json.loads(text)
        except ValueError:
            return match[0]
        arguments = options.get("ARGS") if isinstance(options, dict) else None
        if not isinstance(arguments, list) or not any(is_call(argument) for argument in arguments):
            return match[0]
        options["ARGS"] = [
            _rehomed_argument(argument, move) if isinstance(argument, str) else argument
            for argument in arguments
        ]
        return bound(json.dumps(options))

    return re.sub(r"'(?:[^'\\]|''|\\.)*'", moved, sql)


def is_call(text: object) -> bool:
    """Whether a text is the JSON argument of a step."""
    if not isinstance(text, str) or not text.startswith("{"):
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and {"pipeline", "task", "step", "root"} <= value.keys()


def call_of(definition: Definition) -> Mapping[str, Any] | None:
    """The argument of the step that a body runs; None for other bodies."""
    match definition:
        case SqlDefinition(written):
            sql = own_statement(written)
            step = _STEP_CALL.fullmatch(sql)
            if step is not None:
                texts = [unquoted(step["literal"])]
            elif _JOB_CALL.match(sql):
                texts = [text for options in _job_options(sql) for text in options]
            else:
                texts = []
        case MLJobDefinitionSpec(arguments=arguments):
            texts = [*arguments]
    return next((json.loads(text) for text in texts if is_call(text)), None)


def _job_options(sql: str) -> list[list[str]]:
    found: list[list[str]] = []
    for match in re.finditer(r"'(?:[^'\\]|''|\\.)*'", sql):
        try:
            options = json.loads(unquoted(match[0]))
        except ValueError:
            continue
        if isinstance(options, dict) and isinstance(options.get("ARGS"), list):
            found.append([text for text in options["ARGS"] if isinstance(text, str)])
    return found


# -- the argument of a step


def rehomed_call(text: str, move: Move) -> str:
    """The argument of a step below another root. Raises `MissingResult`."""
    call = json.loads(text)
    call["root"] = move.root
    if "with" in call:
        call["with"] = {name: _rehomed_value(value, move, call) for name, value in call["with"].items()}
    if "branches" in call:
        branches = {move.names[name]: raws for name, raws in call["branches"].items() if name in move.names}
        call["branches"] = branches
    if move.run is not None:
        call["run"] = {
            "id": move.run.id,
            "scheduled_at": move.run.scheduled_at,
            "root": move.run.root,
        }
    if move.absent:
        call["absent"] = sorted(move.absent_names.get(name, name) for name in move.absent)
    return json.dumps(call, ensure_ascii=False, allow_nan=False)


def _new_name(name: str, move: Move) -> str:
    return move.names.get(name, name)


def _rehomed_value(value: Any, move: Move, call: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_rehomed_value(item, move, call) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        match key:
            case "$result":
                name, *path = argument
                if name not in move.absent:
                    return {key: [_new_name(name, move), *path]}
                if path:
                    raise MissingResult(name)
                return {"$literal": None}
            case "$run" if move.run is not None:
                values = {
                    "id": move.run.id,
                    "scheduled_at": move.run.scheduled_at,
                    "root": move.run.root,
                    "task": call["task"],
                }
                return {"$literal": values[argument]} if argument in values else value
            case "$literal":
                return value
            case "$text":
                return {key: [_rehomed_value(part, move, call) for part in argument]}
    return {key: _rehomed_value(item, move, call) for key, item in value.items()}


def rehomed_alerts(text: str, move: Move) -> str:
    """The argument of the procedure that tells of a run, below another root."""
    call = json.loads(text)
    former = f"{call['root']}$"
    names = {name for name in (*move.names, *move.absent) if name != call["root"]}
    spec_names = {name: call["names"].get(name) or name.removeprefix(former).lower() for name in names}
    there = {name: move.names[name] for name in spec_names if name in move.names}
    call["root"] = move.root
    call["finalizer"] = _new_name(call["finalizer"], move)
    for key in ("gates", "slow"):
        call[key] = {there[name]: value for name, value in call[key].items() if name in there}
    if move.reused:
        call["reused"] = sorted(move.names[name] for name in move.reused)
    if not move.is_whole:
        call["partial"] = True
    call["names"] = {
        new: spec_names[name]
        for name, new in sorted(there.items(), key=lambda pair: spec_names[pair[0]])
        if new.removeprefix(f"{move.root}$").lower() != spec_names[name]
    }
    return json.dumps(call, ensure_ascii=False, allow_nan=False)


# -- statements and conditions


def rehomed_sql(sql: str, move: Move) -> str:
    """A statement or condition below another root; only calls of SYSTEM$ functions with one text change.

    >>> rehomed_sql("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$A') = 'x'", Move("P", {"CLV$A": "P$A"}))
    "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('P$A') = 'x'"
    """

    def moved(match: re.Match[str]) -> str:
        if match["dollars"] is not None:
            return f"$${rehomed_sql(match['inside'], move)}$$"
        if match["call"] is None or match["argument"] is None:
            return match[0]
        return _rehomed_function(match[0], match["argument"], move)

    return _TOKEN.sub(moved, sql)


def _rehomed_function(call: str, argument: str, move: Move) -> str:
    called = _CALLED.match(call)
    assert called is not None
    text = unquoted(argument)
    match called[1].upper():
        case "SYSTEM$GET_PREDECESSOR_RETURN_VALUE":
            if text in move.absent:
                return "NULL"
            return call.replace(argument, literal(move.names[text])) if text in move.names else call
        case "SYSTEM$TASK_COMPLETION_STATE":
            known = {**dict.fromkeys(move.absent), **move.names}
            name = text if text in known else text.upper()
            if name in move.absent:
                state = move.absent[name]
                return literal("FAILED" if state.is_failure else state.value)
            return call.replace(argument, literal(move.names[name])) if name in move.names else call
        case "SYSTEM$PREDECESSORS_STATE" if move.predecessors is not None:
            return move.predecessors(text.upper())
        case "SYSTEM$TASK_RUNTIME_INFO" if move.run is not None:
            return _run_fact(text.upper(), move, call)
        case _:
            return call


def _run_fact(key: str, move: Move, call: str) -> str:
    """What SYSTEM$TASK_RUNTIME_INFO returned in the earlier run; the id of the root stays that of the part."""
    assert move.run is not None
    match key:
        case "CURRENT_TASK_GRAPH_RUN_GROUP_ID":
            return literal(move.run.id)
        case "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP":
            return "NULL" if move.run.scheduled_at is None else literal(move.run.scheduled_at)
        case _:
            return call


def unquoted(text: str) -> str:
    """The text of a literal in single quotes; both ways of escaping a quote are read."""

    def plain(match: re.Match[str]) -> str:
        if match[0] == "''":
            return "'"
        return {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "f": "\f"}.get(
            match[0][1], match[0][1]
        )

    return re.sub(r"''|\\.", plain, text[1:-1], flags=re.DOTALL)


# -- folding


def folded_predecessors(asked: str, absent: Sequence[State], *, has_others: bool) -> str:
    """The condition on the predecessors that are there, given the states of those that are not.

    `has_others` says whether any is there. Raises KeyError for a condition that does not exist.

    >>> folded_predecessors("NONE_FAILED_MIN_ONE_SUCCEEDED", [State.SKIPPED], has_others=True)
    "SYSTEM$PREDECESSORS_STATE('NONE_FAILED_MIN_ONE_SUCCEEDED')"
    >>> folded_predecessors("ALL_SUCCEEDED", [State.SKIPPED], has_others=True)
    '1 = 0'
    >>> folded_predecessors("AT_LEAST_ONE_FAILED", [State.FAILED], has_others=True)
    "SYSTEM$PREDECESSORS_STATE('ALL_DONE')"
    """
    if not has_others:
        return TRUE if predecessors_state(asked, absent) else FALSE
    if not absent:
        predecessors_state(asked, absent)  # an unknown condition is an error
        return _asks(asked)
    every = {
        "ALL_SUCCEEDED",
        "ALL_FAILED",
        "ALL_DONE",
        "ALL_SKIPPED",
        "NONE_FAILED",
        "NONE_SKIPPED",
    }
    if asked in every:
        return _asks(asked) if predecessors_state(asked, absent) else FALSE
    if asked == "NONE_FAILED_MIN_ONE_SUCCEEDED":
        if not predecessors_state("NONE_FAILED", absent):
            return FALSE
        return _asks("NONE_FAILED" if predecessors_state(asked, absent) else asked)
    # At least one: an absent one may be it already, and then the others have only to be done.
    return _asks("ALL_DONE") if predecessors_state(asked, absent) else _asks(asked)


def _asks(asked: str) -> str:
    return f"{PREDECESSORS_STATE}({literal(asked)})"


# -- what is read


def results_read(task: DesiredTask) -> frozenset[str]:
    """The names in Snowflake of the tasks whose results a task is known to read, in its body or its condition."""
    found: set[str] = set()
    call = call_of(task.definition)
    if call is not None:
        found |= _results_in(call.get("with", {}))
    elif isinstance(task.definition, SqlDefinition):
        found |= _results_in_sql(task.definition.sql)
    return frozenset(found | _results_in_sql(task.condition or ""))


def _results_in(value: Any) -> set[str]:
    match value:
        case {"$result": [str(name), *_]} if len(value) == 1:
            return {name}
        case {"$literal": _} if len(value) == 1:
            return set()
        case dict():
            return {name for item in value.values() for name in _results_in(item)}
        case list():
            return {name for item in value for name in _results_in(item)}
        case _:
            return set()


def _results_in_sql(sql: str) -> set[str]:
    found: set[str] = set()
    for match in _TOKEN.finditer(sql):
        if match["dollars"] is not None:
            found |= _results_in_sql(match["inside"])
        elif match["argument"] is not None and match["call"].upper().startswith("SYSTEM$GET_PREDECESSOR"):
            found.add(unquoted(match["argument"]))
    return found


def graph_below(
    graph: DesiredGraph,
    root: DesiredTask,
    tasks: Sequence[DesiredTask],
    *,
    record: Mapping[str, Json],
    archives: tuple[Archive, ...],
) -> DesiredGraph:
    """The graph of these tasks, the finalizer among them, below this root; it is compared with no deployed one.

    `record` is added to the comment of the root, with the settings that can be read only if they are recorded. Raises
    `ConflictingState` if the name of a task is longer below this root than Snowflake takes.
    """
    for task in tasks:
        if len(raw(task.name)) > MAX_IDENTIFIER_LENGTH:
            raise ConflictingState(
                f"`{task.task}` would have a name of {len(raw(task.name))} characters below {raw(root.name)},"
                f" and Snowflake takes {MAX_IDENTIFIER_LENGTH}; nothing was run",
                help="give the pipeline or the task a shorter name",
            )
    marked = with_branches(tasks, root.name)
    settings = record_of((root, *marked))
    whole = {**record, **({RECORDED: settings} if settings else {})}
    return replace(
        graph,
        root=replace(root, comment=root_comment(root.comment, whole)),
        tasks=tuple(task for task in marked if task.finalize is None),
        finalizer=next((task for task in marked if task.finalize is not None), None),
        archives=archives,
        seeds=(),
        moved={},
        fingerprint="",
    )
