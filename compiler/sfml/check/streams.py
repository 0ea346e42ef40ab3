"""SF5xx, streams: whether a graph consumes the stream that starts it.

A stream is consumed by a statement that changes a table and reads the stream; a SELECT alone leaves the rows in the
stream. Code that cannot be read is assumed to consume it; see decision 0046.
https://docs.snowflake.com/en/user-guide/streams-intro
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.quoting import name_parts, raw
from sfml.catalog.modules import RUNTIME
from sfml.check.case import Case, warning
from sfml.check.statements import plain_statement
from sfml.graph.draft import TaskDraft
from sfml.graph.model import CallBody, JobBody, Reference, SqlBody, StepBody, StreamSchedule, Template, Value

_READS_ONLY = frozenset(
    {"SELECT", "WITH", "SHOW", "DESC", "DESCRIBE", "LIST", "LS", "EXPLAIN", "USE", "VALUES"}
)
_BLOCKS = frozenset({"BEGIN", "DECLARE", "EXECUTE", "CALL"})
_CALLS = re.compile(r"\b(?:CALL|EXECUTE)\b", re.IGNORECASE)
_CALLS_PROCEDURE = re.compile(r"\.call\s*\(|\bCALL\s|\bEXECUTE\s", re.IGNORECASE)


def unconsumed_streams(case: Case) -> Iterator[Diagnostic]:
    """SF510: a stream starts a graph that never consumes it.

    What: some task changes a table with rows that it reads from the stream: INSERT, MERGE, CREATE TABLE … AS, COPY.
    Procedures and jobs are assumed to do so, and steps too if the stream's name is in their code, arguments or config,
    or if they call procedures.
    Why: a SELECT leaves the rows in the stream. So the stream always has data, and Snowflake starts one run after the
    other.
    Instead: write the rows of the stream into a table, or start the graph by a schedule.
    """
    schedule = case.draft.settings.schedule
    for stream in schedule.streams if isinstance(schedule, StreamSchedule) else ():
        name = _last(stream)
        if _may_be_consumed(case, name):
            continue
        reader = next((task for task in case.tasks if _selects(task, name)), None)
        labels: tuple[Label, ...] = ()
        if reader is not None:
            labels = (Label(reader.place("sql").span, "only selects: the rows stay in the stream"),)
        yield warning(
            "SF510",
            f"stream `{stream}` starts the graph, and no task consumes it",
            case.draft.places.get("schedule_config.schedule.on_stream")
            or case.draft.places.get("schedule_config.schedule")
            or case.draft.places["schedule_config"],
            labels=labels,
            why="it would have data for ever, and start one run after the other",
            help=f"let a task change a table with it, such as `INSERT INTO … SELECT … FROM {stream}`",
        )


def _last(name: str) -> str:
    """The last part of a name, without database and schema, folded as Snowflake does."""
    return raw((name_parts(name) or (name,))[-1])


def _may_be_consumed(case: Case, stream: str) -> bool:
    """Whether some task consumes the stream, or may consume it."""
    root = case.draft.root_body
    if root is not None and _consumes(root.text, stream):
        return True
    return any(_task_may_consume(case, task, stream) for task in case.tasks)


def _task_may_consume(case: Case, task: TaskDraft, stream: str) -> bool:
    if any(_last(name) == stream for name in task.node.reads):
        return True
    match task.node.body:
        case SqlBody(text=text):
            return _consumes(text, stream)
        case StepBody(step=step, arguments=arguments):
            if case.catalog.find(step) is None or _names(arguments, case.draft.config, stream):
                return True
            return any(_mentions(text, stream) or _CALLS_PROCEDURE.search(text) for text in _code(case, step))
        case CallBody() | JobBody():
            return True
        case _:
            return False


def _code(case: Case, step: str) -> Iterator[str]:
    """The text of the step's files, without the step runtime, which consumes no stream that it does not get by name."""
    for file in case.catalog.closure(step):
        if file.path.split("/")[0] != RUNTIME:
            yield file.content.decode("utf-8", errors="replace")


def _consumes(text: str, stream: str) -> bool:
    """Whether a statement changes a table and names the stream, or is a block that calls or builds other statements."""
    statement = plain_statement(text)
    first = re.match(r"[A-Za-z]+", statement.lstrip("( \n\t"))
    word = first[0].upper() if first else ""
    if word in _BLOCKS:
        return _mentions(text, stream) or bool(_CALLS.search(statement))
    return word not in _READS_ONLY and _mentions(statement, stream)


def _selects(task: TaskDraft, stream: str) -> bool:
    body = task.node.body
    return isinstance(body, SqlBody) and _mentions(plain_statement(body.text), stream)


def _names(value: Value, config: Mapping[str, object], stream: str) -> bool:
    """Whether a value names the stream, or is not known before the task runs."""
    match value:
        case str():
            return _mentions(value, stream)
        case Reference(task=None, keys=keys):
            return _mentions(str(config.get(str(keys[0]), "")), stream)
        case Reference():
            return True
        case Template(parts=parts):
            return any(_names(part, config, stream) for part in parts)
        case tuple():
            return any(_names(item, config, stream) for item in value)
        case None | bool() | int() | float():
            return False
        case _:
            return any(_names(item, config, stream) for item in value.values())


def _mentions(text: str, name: str) -> bool:
    """Whether the text holds the name, as a word and in any case."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None
