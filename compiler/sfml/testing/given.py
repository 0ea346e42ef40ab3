"""Executes graph tests on a local Snowflake. Steps run for real, except tasks whose end the test gives.

Such a task keeps its place in the graph, and its body becomes a statement that ends as given. So given ends pass
through the compiler, the clients and the server's scheduler like everything else.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sfml.base.diagnostic import Diagnostic
from sfml.base.quoting import literal
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.frontend.reading import Reading
from sfml.graph.declared_tests import EVERY, GivenEnd, GraphTest, RunTest, ScheduleTest
from sfml.graph.decode_task import body_values
from sfml.graph.model import GraphSettings, Manual, Mode, Target, TaskGraph, TaskNode
from sfml.graph.references import references_in
from sfml.graph_tests.run_tests import run_verdict, unmet
from sfml.graph_tests.schedule_tests import schedule_verdict
from sfml.graph_tests.verdict import Verdict, undecided
from sfml.lower.conditions import root_condition
from sfml.semantics.conditions import decides_on_predecessors
from sfml.semantics.error_line import error_line
from sfml.semantics.states import State
from sfml.testing import pipelines
from sfml.testing.constants import constant_task, failing_body, make_attempts
from sfml.testing.firing import can_fire, fired_verdict, firing_graph
from sfml.testing.local_snowflake import LocalSnowflake, SharedServer
from sfml.ways.shape import Behaviour, returned_text

T = TypeVar("T", RunTest, ScheduleTest)

_WAREHOUSE, _POOL = "LOCAL_WH", "LOCAL_POOL"


@contextmanager
def throwaway_server() -> Iterator[SharedServer]:
    """A local Snowflake in a temporary folder, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sfml-test-") as folder:
        server = SharedServer(Path(folder)).start()
        try:
            yield server
        finally:
            server.stop()


class LocalRuns:
    """Executes the tests of one pipeline on a server, each in a new database that is dropped afterwards."""

    def __init__(self, reading: Reading, server: SharedServer) -> None:
        assert reading.graph is not None, "findings are looked at before testing"
        self.reading = reading
        self.graph = reading.graph
        self.behaviour = Behaviour(reading.graph)
        self._server = server

    def verdict(self, test: GraphTest) -> Verdict:
        """Execute the test. Tests of a schedule that a clock cannot show are judged by the rules of `semantics`."""
        if isinstance(test, RunTest):
            ruled = run_verdict(self.behaviour, test)
            if ruled.state is State.SKIPPED:
                return ruled  # the root's condition reads given values, and Snowflake's graph history lacks such runs
            missing = tuple(_unread_results(self.behaviour, test, ruled.states or {}))
            return Verdict(test, missing) if missing else self._in_a_database(test, self._run_verdict)
        if not can_fire(self.graph.settings, test):
            return schedule_verdict(self.graph.settings, test)
        return self._in_a_database(test, self._schedule_verdict)

    def _in_a_database(self, test: T, judge: Callable[[T, LocalSnowflake], Verdict]) -> Verdict:
        account = LocalSnowflake(self._server)
        try:
            return judge(test, account)
        finally:
            account.close()

    def _schedule_verdict(self, test: ScheduleTest, account: LocalSnowflake) -> Verdict:
        graph = firing_graph(self.graph, test, _local(self.graph.target, account.database))
        return fired_verdict(self._compiled(graph), test, account)

    def _run_verdict(self, test: RunTest, account: LocalSnowflake) -> Verdict:
        spec = self._opened(test, account.database)
        arguments = account.connect_args()
        pipelines.apply(spec, arguments)
        pipelines.seed(spec, arguments)
        make_attempts(account, spec.desired.target)
        config = {key: _config_text(value) for key, (value, _) in test.config.items()}
        run = pipelines.run(spec, arguments, config, account.clock).run
        states = {task.name: _state(task.state) for task in run.tasks}
        errors = {task.name: message for task in run.tasks if (message := error_line(task.error))}
        state = State(run.state)
        findings = tuple(unmet(self.behaviour, test, states, state, run.attempt, errors))
        return Verdict(test, findings, states, state)

    def _opened(self, test: RunTest, database: str) -> CompiledSpec:
        return self._compiled(given_graph(self.behaviour, test, _local(self.graph.target, database)))

    def _compiled(self, graph: TaskGraph) -> CompiledSpec:
        reading = replace(self.reading, graph=graph)
        return CompiledSpec(reading, desired_graph(reading))


def _unread_results(behaviour: Behaviour, test: RunTest, states: Mapping[str, State]) -> Iterator[Diagnostic]:
    """A finding for each result that a real task reads, if its task's end is given without that result."""
    graph = behaviour.graph
    without_result = {
        name
        for name, end in test.given.items()
        if end.gives_end and not end.has_result and not graph.task(name).is_branch
    }
    for node in graph.all_tasks:
        if states.get(node.name, State.SUCCEEDED) is not State.SUCCEEDED or node.name in test.given:
            continue
        read = (reference.task for _, value in body_values(node.body) for reference in references_in(value))
        for name in dict.fromkeys(source for source in read if source in without_result):
            message = f"`{node.name}` reads what `{name}` returns"
            help = f"give `{name}: {{returns: …}}`, or how `{node.name}` ends"
            yield undecided(test, message, test.given[str(name)].place, help)


def _local(target: Target, database: str) -> Target:
    """The target changed into one of the local Snowflake with this database."""
    return replace(
        target,
        kind="local",
        database=database,
        warehouse=target.warehouse or _WAREHOUSE,
        compute_pool=target.compute_pool or _POOL,
        connection=None,
        account=None,
        owner_role=None,
        mode=Mode.DEVELOPMENT,
    )


def given_graph(behaviour: Behaviour, test: RunTest, target: Target) -> TaskGraph:
    """The graph with the ends, conditions and streams that the test gives."""
    graph = behaviour.graph
    streams = {**behaviour.started_by, **{name.upper(): has for name, (has, _) in test.streams.items()}}

    def node(task: TaskNode) -> TaskNode:
        end = test.given.get(task.name)
        when = _when(task.when, end, streams)
        if end is None or not end.gives_end:
            return replace(task, when=when)
        return _constant(behaviour, replace(task, when=when), end, target)

    return replace(
        graph,
        target=target,
        settings=_settings(graph.settings, streams),
        tasks=tuple(node(task) for task in graph.tasks),
        finalizer=node(graph.finalizer) if graph.finalizer else None,
    )


def _settings(settings: GraphSettings, streams: Mapping[str, bool]) -> GraphSettings:
    """The settings without a schedule; calls about streams in the condition are replaced by the given values."""
    condition = root_condition(settings)
    when = _with_streams(condition, streams) if condition is not None else None
    return replace(settings, schedule=Manual(), when=when)


def _when(when: str | None, end: GivenEnd | None, streams: Mapping[str, bool]) -> str | None:
    if when is None:
        return None
    if end is None or end.when is None:
        return _with_streams(when, streams)
    if not decides_on_predecessors(when):
        return "1 = 1" if end.when else "1 = 0"
    # The call keeps the condition in charge of predecessors; without it, all of them would have to succeed.
    always = "SYSTEM$PREDECESSORS_STATE('ALL_DONE')"
    return f"(1 = 1 or {always})" if end.when else f"(1 = 0 and {always})"


def _with_streams(condition: str, streams: Mapping[str, bool]) -> str:
    """The condition with `SYSTEM$STREAM_HAS_DATA` replaced by a constant for each stream of `streams`."""

    def replacement(call: re.Match[str]) -> str:
        has_data = streams.get(call[1].replace("''", "'").upper())
        return call[0] if has_data is None else "(1 = 1)" if has_data else "(1 = 0)"

    return re.sub(
        r"SYSTEM\$STREAM_HAS_DATA\s*\(\s*'((?:[^']|'')*)'\s*\)", replacement, condition, flags=re.IGNORECASE
    )


def _constant(behaviour: Behaviour, node: TaskNode, end: GivenEnd, target: Target) -> TaskNode:
    """The task with a body that ends as the test gives it."""
    returned = _returned(behaviour, node, end)
    sets = f"CALL SYSTEM$SET_RETURN_VALUE({literal(returned)})" if returned is not None else "SELECT 1"
    if end.fails >= EVERY:
        return constant_task(node, failing_body(node.name, None, sets), target)
    failing = range(1, end.fails + 1)
    return constant_task(node, failing_body(node.name, failing, sets) if failing else sets, target)


def _returned(behaviour: Behaviour, node: TaskNode, end: GivenEnd) -> str | None:
    outcome = end.outcome.name if end.outcome else end.word
    if node.is_branch:
        outcomes = behaviour.outcomes[node.name]
        return outcomes.get(outcome or "", next(iter(outcomes.values())) if len(outcomes) == 1 else None)
    text = returned_text(node, end)
    return text if isinstance(text, str) else None


def _state(state: str | None) -> State:
    if state is None:
        return State.NOT_EXECUTED
    parsed = State(state)
    return State.FAILED if parsed.is_failure else parsed


def _config_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
