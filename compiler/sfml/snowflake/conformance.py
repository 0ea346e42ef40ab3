"""Compares an account with the local Snowflake: runs scenarios of statements, and checks their expected results.

Scenarios run in a schema that is created for them, and dropped at the end in any case.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from typing import TYPE_CHECKING, Any

from sfml.base.errors import AccountError, SfmlError
from sfml.base.quoting import folded, identifier, literal, qualified
from sfml.base.record import record
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

PREFIX = "SFML_CONFORMANCE_"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


@record
class Do:
    """A statement that must succeed."""

    sql: str


@record
class RefusedStatement:
    """A statement that must be refused with a message that contains `says`, and with this code if it is known."""

    sql: str
    says: str
    code: int | None = None


@record
class Shows:
    """A query whose rows must have these values, in any order; other columns are ignored."""

    sql: str
    rows: tuple[Mapping[str, Any], ...]


@record
class HasColumns:
    """A query whose result must have at least these columns."""

    sql: str
    names: tuple[str, ...]


@record
class Replaces:
    """A statement after which this column of the query's row must have another value."""

    sql: str
    query: str
    column: str


@record
class ScenarioRun:
    """A run of a graph with the expected state of each task, and other expected columns of TASK_HISTORY by task."""

    root: str
    states: Mapping[str, str]
    how: str = ""
    graph: str = "SUCCEEDED"
    attempts: int = 1
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@record
class Put:
    """A task created or altered over REST, and the values that fetching it must return."""

    name: str
    body: Mapping[str, Any]
    fetched: Mapping[str, Any]


Step = Do | RefusedStatement | Shows | HasColumns | Replaces | ScenarioRun | Put


@record
class Scenario:
    """Steps in order; `behaviours` are the entries of the evidence that they test."""

    name: str
    behaviours: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def needs_warehouse(self) -> bool:
        return any("{warehouse}" in step.sql for step in self.steps if isinstance(step, Do))


@record
class ConformanceDifference:
    """A result of an account that differs from the expected one."""

    statement: str
    expected: str
    observed: str


@record
class ScenarioOutcome:
    scenario: Scenario
    differences: tuple[ConformanceDifference, ...]


@record
class Scratch:
    """The schema for scenarios; it replaces `{schema}`, `{wh}` and `{warehouse}` in their statements."""

    connection: SnowflakeConnection
    database: str
    schema: str
    warehouse: str | None
    patience: float
    """The maximum duration of a run, in seconds."""

    settling: float
    """Seconds after a run within which its history may still change, because accounts write it with a delay."""

    def text(self, template: str) -> str:
        warehouse = f" WAREHOUSE = {identifier(self.warehouse)}" if self.warehouse else ""
        replaced = template.replace("{schema}", f"{folded(self.database)}.{self.schema}").replace(
            "{wh}", warehouse
        )
        return (
            replaced.replace("{warehouse}", identifier(self.any_warehouse))
            if self.any_warehouse
            else replaced
        )

    @property
    def any_warehouse(self) -> str | None:
        """The given warehouse, or that of the connection."""
        return self.warehouse or self.connection.warehouse

    def ask(self, template: str) -> list[dict[str, Any]]:
        return records(self.connection, self.text(template))


@contextlib.contextmanager
def scratch(
    connection: SnowflakeConnection,
    database: str,
    *,
    warehouse: str | None = None,
    patience: float = 300,
    settling: float = 20,
) -> Iterator[Scratch]:
    """Create a schema, and drop it after the block; a second Ctrl-C does not prevent that."""
    schema = PREFIX + secrets.token_hex(4).upper()
    name = qualified(database, schema)
    try:
        records(connection, f"CREATE SCHEMA {name}")
        records(connection, f"USE SCHEMA {name}")
        yield Scratch(connection, database, schema, warehouse, patience, settling)
    finally:
        # In the main thread, the connector would handle Ctrl-C itself, and cancel the statement.
        with _uninterrupted(), ThreadPoolExecutor(1) as pool:
            pool.submit(records, connection, f"DROP SCHEMA IF EXISTS {name} CASCADE").result()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def outcome(place: Scratch, scenario: Scenario) -> ScenarioOutcome:
    """Run one scenario; returns its differences. Its tasks and tables are dropped afterwards."""
    differences: list[ConformanceDifference] = []
    try:
        for step in scenario.steps:
            difference = _difference(place, step)
            if difference is not None:
                differences.append(difference)
                if isinstance(step, Do | ScenarioRun):
                    break  # the next steps depend on this one
    finally:
        _tidy(place)
    return ScenarioOutcome(scenario, tuple(differences))


def _tidy(place: Scratch) -> None:
    """Suspend the roots, then drop every task and table of the schema."""
    tasks = place.ask("SHOW TASKS IN SCHEMA {schema}")
    for task in sorted(tasks, key=lambda task: str(task["predecessors"]) != "[]"):
        name = qualified(place.database, place.schema, str(task["name"]))
        with contextlib.suppress(SfmlError):  # a finalizer's root has to be suspended before it
            place.ask(f"ALTER TASK IF EXISTS {name} SUSPEND")
    for task in tasks:
        place.ask(f"DROP TASK IF EXISTS {qualified(place.database, place.schema, str(task['name']))}")
    for kind in ("DYNAMIC TABLE", "TABLE"):
        for table in place.ask(f"SHOW {kind}S IN SCHEMA {{schema}}"):
            name = qualified(place.database, place.schema, str(table["name"]))
            place.ask(f"DROP {kind} IF EXISTS {name}")


def _difference(place: Scratch, step: Step) -> ConformanceDifference | None:
    match step:
        case Do(sql):
            return _refusal_of(place, sql, "it is carried out")
        case RefusedStatement():
            return _unless_refused(place, step)
        case Shows(sql, rows):
            return _compared(place, sql, rows)
        case HasColumns(sql, names):
            rows = tuple(place.ask(sql))
            missing = [name for name in names if rows and name not in rows[0]] if rows else ["(no row)"]
            shown = ", ".join(rows[0]) if rows else "no row"
            return (
                ConformanceDifference(place.text(sql), f"columns {', '.join(missing)}", shown)
                if missing
                else None
            )
        case Replaces(sql, query, column):
            before = place.ask(query)[0][column]
            refused = _refusal_of(place, sql, f"another {column}")
            if refused is not None:
                return refused
            after = place.ask(query)[0][column]
            return (
                ConformanceDifference(place.text(sql), f"another {column}", "the same")
                if before == after
                else None
            )
        case ScenarioRun():
            return _run(place, step)
        case Put():
            return _put(place, step)


def _refusal_of(place: Scratch, sql: str, expected: str) -> ConformanceDifference | None:
    try:
        place.ask(sql)
    except AccountError as error:
        return ConformanceDifference(place.text(sql), expected, _told(error))
    return None


def _unless_refused(place: Scratch, step: RefusedStatement) -> ConformanceDifference | None:
    code = "" if step.code is None else f"{step.code:06d}: "
    expected = f"{code}{place.text(step.says)}"
    try:
        place.ask(step.sql)
    except AccountError as error:
        says = _plain(place.text(step.says)) in _plain(error.message)
        same_code = step.code is None or (error.code or "").lstrip("0") == str(step.code)
        return (
            None
            if says and same_code
            else ConformanceDifference(place.text(step.sql), expected, _told(error))
        )
    return ConformanceDifference(place.text(step.sql), expected, "it is carried out")


def _told(error: AccountError) -> str:
    return f"{(error.code or '').rjust(6, '0')}: {_plain(error.message)}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _compared(
    place: Scratch, sql: str, expected: tuple[Mapping[str, Any], ...]
) -> ConformanceDifference | None:
    """Compare the rows of a query with the expected ones; the query is repeated while the history may change."""
    statement = place.text(sql)

    def look() -> ConformanceDifference | None:
        rows = [dict(row) for row in place.ask(sql)]
        wanted = [{key: _filled(place, value) for key, value in row.items()} for row in expected]
        left = list(rows)
        for row in wanted:
            match = next((candidate for candidate in left if _holds(candidate, row)), None)
            if match is None:
                break
            left.remove(match)
        else:
            if not left:
                return None
        keys = list(expected[0]) if expected else []
        shown = [{key: row.get(key) for key in keys} if keys else row for row in rows]
        return ConformanceDifference(statement, _rows_text(wanted), _rows_text(shown))

    return _settled(place, look)


def _filled(place: Scratch, value: Any) -> Any:
    return place.text(value) if isinstance(value, str) else value


def _holds(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_same(row.get(key), value) for key, value in wanted.items())


def _same(actual: Any, wanted: Any) -> bool:
    """Whether the values are equal. Empty, `null` and NULL are the same, because accounts differ by release."""
    if wanted is None:
        return actual in (None, "", "null")
    return str(actual) == str(wanted) or (isinstance(wanted, str) and _plain(str(actual)) == _plain(wanted))


def _rows_text(rows: list[dict[str, Any]]) -> str:
    texts = ("(" + ", ".join(f"{key} {value}" for key, value in row.items()) + ")" for row in rows)
    return "; ".join(texts) or "no rows"


def _settled(
    place: Scratch, look: Callable[[], ConformanceDifference | None]
) -> ConformanceDifference | None:
    """Repeat the comparison until it finds no difference, or the time for settling is over; returns the last result."""
    deadline, pause = time.monotonic() + place.settling, FIRST_PAUSE
    while (difference := look()) is not None and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return difference


# -- runs


def _run(place: Scratch, step: ScenarioRun) -> ConformanceDifference | None:
    statement = place.text(f"EXECUTE TASK {step.root} {step.how}").strip()
    shown = place.ask(f"SHOW TASKS LIKE {literal(step.root)} IN SCHEMA {{schema}}")
    root = next(str(row["id"]) for row in shown if row["name"] == step.root)
    before = _completed(place, step.root, root)
    refused = _refusal_of(place, statement, "a run")
    if refused is not None:
        return refused
    deadline, pause = time.monotonic() + place.patience, FIRST_PAUSE
    while len(ended := _completed(place, step.root, root) - before) < step.attempts:
        if time.monotonic() > deadline:
            return ConformanceDifference(statement, "the run ends", f"it goes on after {place.patience:g} s")
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    group, attempt, state = max(ended, key=lambda attempt_row: attempt_row[1])

    def look() -> ConformanceDifference | None:
        rows = {str(row["NAME"]): row for row in _history(place, root, group, attempt)}
        states = {name: str(row["STATE"]) for name, row in rows.items()}
        if (states, state) != (dict(step.states), step.graph):
            return ConformanceDifference(
                statement, _states_text(step.states, step.graph), _states_text(states, state)
            )
        for name, wanted in step.rows.items():
            if not _holds(rows[name], {key: _filled(place, value) for key, value in wanted.items()}):
                values = {key: rows[name].get(key) for key in wanted}
                return ConformanceDifference(
                    f"{statement}: {name}", _rows_text([dict(wanted)]), _rows_text([values])
                )
        return None

    return _settled(place, look)


def _completed(place: Scratch, name: str, root: str) -> set[tuple[str, int, str]]:
    """(run group, attempt, state) of the root's ended runs."""
    rows = place.ask(
        "SELECT ROOT_TASK_ID, GRAPH_RUN_GROUP_ID, ATTEMPT_NUMBER, STATE FROM"
        f" TABLE({identifier(place.database)}.INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS("
        f"ROOT_TASK_NAME => {literal(name)}, RESULT_LIMIT => 1000))"
    )
    return {
        (str(row["GRAPH_RUN_GROUP_ID"]), int(row["ATTEMPT_NUMBER"] or 1), str(row["STATE"]))
        for row in rows
        if str(row["ROOT_TASK_ID"]) == root
    }


def _history(place: Scratch, root: str, group: str, attempt: int) -> list[dict[str, Any]]:
    rows = place.ask(
        f"SELECT * FROM TABLE({identifier(place.database)}.INFORMATION_SCHEMA.TASK_HISTORY("
        f"ROOT_TASK_ID => {literal(root)}, RESULT_LIMIT => 1000))"
    )
    of_group = [row for row in rows if str(row["GRAPH_RUN_GROUP_ID"]) == group]
    return [row for row in of_group if int(row["ATTEMPT_NUMBER"] or 1) == attempt]


def _states_text(states: Mapping[str, str], graph: str) -> str:
    return ", ".join(f"{name} {state}" for name, state in sorted(states.items())) + f"; graph {graph}"


# -- REST


def _put(place: Scratch, step: Put) -> ConformanceDifference | None:
    from sfml.snowflake.light_connector import without_snowpark
    from sfml.snowflake.refusals import translated

    with without_snowpark():
        from snowflake.core import Root
        from snowflake.core.task import Task
    statement = f"PUT tasks/{step.name} {dict(step.body)}"
    schema = Root(place.connection).databases[identifier(place.database)].schemas[identifier(place.schema)]
    try:
        with translated():
            schema.tasks[step.name].create_or_alter(
                Task(name=step.name, warehouse=place.warehouse, **step.body)
            )
            fetched = schema.tasks[step.name].fetch().to_dict()
    except AccountError as error:
        return ConformanceDifference(statement, "it is carried out", _told(error))
    if _holds(fetched, step.fetched):
        return None
    values = {key: fetched.get(key) for key in step.fetched}
    return ConformanceDifference(statement, _rows_text([dict(step.fetched)]), _rows_text([values]))
