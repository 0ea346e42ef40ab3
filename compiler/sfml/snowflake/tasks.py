"""Reads tasks with GETs of the REST API, and writes them with `snowflake.core`, its client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml.base.errors import AccountError
from sfml.base.quoting import folded, literal, qualified
from sfml.graph.model import Target
from sfml.lower.beyond import (
    CONTACTS,
    INTERVAL,
    LOG_LEVEL,
    TAGS,
    beyond,
    recorded,
    set_clauses,
    unset_clauses,
)
from sfml.lower.desired import DesiredTask
from sfml.lower.names import folded_name
from sfml.plan.artefact import Artefact
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.observed_graph import observed_task, record_of
from sfml.snowflake.beyond import observed_beyond
from sfml.snowflake.light_connector import without_snowpark
from sfml.snowflake.refusals import translated
from sfml.snowflake.rest import RestReader
from sfml.snowflake.sql import rows
from sfml.snowflake.task_answers import task_values

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.core.task import TaskCollection

_RESUMED_AT_ONCE = 100
"""The maximum number of tasks that one block resumes."""


class Tasks:
    """The tasks of one schema."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._reader = RestReader(connection)
        self._opened: TaskCollection | None = None
        self._beyond: dict[str, dict[str, Any]] = {}
        """By task, the settings outside the API's model, as of the last reading of the graph."""

    @property
    def _tasks(self) -> TaskCollection:
        if self._opened is None:
            # Importing snowflake.core takes seconds, so it is imported only to write tasks.
            with without_snowpark():
                from sfml.snowflake.client_root import QuietRoot

            with translated():
                root = QuietRoot(self._connection)
                database = root.databases[folded(self._target.database)]
                self._opened = database.schemas[folded(self._target.schema)].tasks
        return self._opened

    def observed(self, root: str) -> ObservedGraph | None:
        """The graph of `root`, read with one call; with more calls if its record names settings the API leaves out."""
        self._beyond = {}
        graph = self.below(root)
        return None if graph is None else self._with_beyond(graph)

    def below(self, name: str) -> ObservedGraph | None:
        """A task, root or not, and all tasks below it, with the settings in the API; None without the task."""
        answer = self._got(name, "dependents")
        if answer is None:
            return None
        answered = [task_values(task) for task in answer]
        tasks = [observed_task(values) for values in answered]
        at = next((at for at, task in enumerate(tasks) if task.name == folded(name)), None)
        if at is None:
            return None
        return ObservedGraph(tasks[at], (*tasks[:at], *tasks[at + 1 :]), record_of(answered[at]))

    def _with_beyond(self, graph: ObservedGraph) -> ObservedGraph:
        """The graph with settings that the API leaves out, read only for the tasks that the record names."""
        return self._asked(graph, recorded(graph.record, graph.root.name, list(graph.by_name)))

    def in_full(self, graph: ObservedGraph) -> ObservedGraph:
        """The graph with log levels and trigger intervals, read for each task, as a foreign graph has no record."""
        return self._asked(graph, {name: {LOG_LEVEL: None, INTERVAL: None} for name in graph.by_name})

    def in_doubt(self, graph: ObservedGraph, artefacts: tuple[Artefact | None, ...]) -> ObservedGraph:
        """The graph with settings that an unfinished apply may have set and that the record does not name yet."""
        named = recorded(graph.record, graph.root.name, list(graph.by_name))
        for artefact in artefacts:
            for task in artefact.tasks if artefact else ():
                settings = beyond(task)
                if settings and task.name in graph.by_name:
                    known = named.get(task.name, {})
                    both = {key: {**settings.get(key, {}), **known.get(key, {})} for key in (TAGS, CONTACTS)}
                    named[task.name] = {**settings, **known, **both}
        return self._asked(graph, named)

    def all_in_doubt(
        self, tasks: tuple[ObservedTask, ...], artefacts: tuple[Artefact | None, ...]
    ) -> tuple[ObservedTask, ...]:
        """The same for loose tasks, which only kept records and the journal (`artefacts`) name."""
        if not tasks:
            return ()
        graph = self.in_doubt(ObservedGraph(tasks[0], tasks[1:]), artefacts)
        return (graph.root, *graph.tasks)

    def _asked(self, graph: ObservedGraph, named: Mapping[str, Mapping[str, Any]]) -> ObservedGraph:
        settings = observed_beyond(self._connection, self._target, named) if named else {}
        self._beyond = {**self._beyond, **settings}
        if not settings:
            return graph
        root, *tasks = (
            replace(task, settings={**task.settings, **settings[task.name]})
            if task.name in settings
            else task
            for task in (graph.root, *graph.tasks)
        )
        return replace(graph, root=root, tasks=tuple(tasks))

    def task(self, name: str) -> ObservedTask | None:
        """One task with the settings that the API returns, or None."""
        answer = self._got(name)
        return None if answer is None else observed_task(task_values(answer))

    def _got(self, name: str, *more: str) -> Any:
        """The API's answer about a task, or None if no task has this name."""
        database, schema = folded(self._target.database), folded(self._target.schema)
        with translated():
            return self._reader.get("databases", database, "schemas", schema, "tasks", folded(name), *more)

    def names(self) -> frozenset[str]:
        """The names of all tasks of the schema that the role can see, in a graph or not, read with one call."""
        schema = qualified(self._target.database, self._target.schema)
        shown = rows(self._connection, f"SHOW TERSE TASKS IN SCHEMA {schema}", role=self._target.owner_role)
        return frozenset(folded_name(str(row[1])) for row in shown)

    def put(self, task: DesiredTask, definition: str, comment: str | None) -> None:
        """Create or alter the task to match exactly; settings outside the API's model are written by SQL."""
        from sfml.snowflake.low_level import to_task

        tasks = self._tasks  # imports the client without Snowpark, which the model of a task would import
        model = to_task(task, definition)
        model.comment = comment
        with translated():
            tasks[folded(task.name)].create_or_alter(model)
        self._put_beyond(task)

    def _put_beyond(self, task: DesiredTask) -> None:
        """Unset settings outside the API's model that are no longer desired, then set the desired ones.

        All of them are set each time, because it is not documented whether a change over REST keeps them.
        """
        settings, name = beyond(task), qualified(self._target.database, self._target.schema, task.name)
        for clause in unset_clauses(self._beyond.get(task.name, {}), settings):
            rows(self._connection, f"ALTER TASK {name} UNSET {clause}", role=self._target.owner_role)
        for clause in set_clauses(settings):
            rows(self._connection, f"ALTER TASK {name} SET {clause}", role=self._target.owner_role)

    def drop(self, name: str) -> None:
        with translated():
            self._tasks[folded(name)].drop(if_exists=True)

    def resume(self, name: str) -> None:
        with translated():
            self._tasks[folded(name)].resume()

    def resume_all(self, names: tuple[str, ...]) -> None:
        """Resume these children with one block of statements for many of them; the API would need a call for each."""
        for start in range(0, len(names), _RESUMED_AT_ONCE):
            chunk = names[start : start + _RESUMED_AT_ONCE]
            statements = "".join(f"ALTER TASK {self._qualified(name)} RESUME;\n" for name in chunk)
            try:
                self._run(f"BEGIN\n{statements}END")
            except AccountError:
                # A role without the right to run blocks may still resume single tasks; and the error of a single task
                # names it.
                for name in chunk:
                    self.resume(name)

    def resume_graph(self, root: str) -> None:
        """Resume every child, the finalizer and then the root.

        https://docs.snowflake.com/en/sql-reference/functions/system_task_dependents_enable
        """
        self._run(f"SELECT SYSTEM$TASK_DEPENDENTS_ENABLE({literal(self._qualified(root))})")

    def turn_off(self, root: str) -> None:
        """Suspend the root by SQL, so that no client has to be imported."""
        self._run(f"ALTER TASK {self._qualified(root)} SUSPEND")

    def annotate(self, name: str, comment: str) -> None:
        """Set the comment by SQL, because the API writes only whole tasks."""
        self._run(f"ALTER TASK {self._qualified(name)} SET COMMENT = {literal(comment)}")

    def suspend(self, name: str) -> None:
        with translated():
            self._tasks[folded(name)].suspend()

    def _qualified(self, name: str) -> str:
        return qualified(self._target.database, self._target.schema, name)

    def _run(self, sql: str) -> None:
        rows(self._connection, sql, role=self._target.owner_role)
