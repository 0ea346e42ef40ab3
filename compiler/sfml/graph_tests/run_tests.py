"""Executing tests of one run: the run is simulated and compared with the expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.graph.declared_tests import GivenEnd, RunTest
from sfml.graph_tests.verdict import Verdict, failure, undecided
from sfml.semantics.evaluating import Functions, Undecided, condition_holds
from sfml.semantics.graph import TaskShape
from sfml.semantics.running import End, RunResult, run_graph
from sfml.semantics.states import CAME, SHOULD, State
from sfml.ways.shape import Behaviour, returned_text
from sfml.ways.values import missing_result


class _Missing(Exception):
    """Stops a test that lacks a value on which its result depends."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def run_verdict(behaviour: Behaviour, test: RunTest) -> Verdict:
    """The result of the test, from a simulation."""
    try:
        run = _simulated_run(behaviour, test)
    except _Missing as missing:
        return Verdict(test, (undecided(test, missing.message, test.place, missing.help),))
    states = behaviour.states_by_spec_name(run.states)
    reasons = {behaviour.names[name]: reason for name, reason in run.reasons.items()}
    findings = tuple(unmet(behaviour, test, states, run.state, run.attempts, reasons))
    return Verdict(test, findings, states, run.state)


def _simulated_run(behaviour: Behaviour, test: RunTest) -> RunResult:
    """The simulated run of a test. Raises `_Missing` if the test lacks a value on which the result depends."""
    streams = {**behaviour.started_by, **{name.upper(): has for name, (has, _) in test.streams.items()}}

    def ends(raw_name: str, time: int) -> End:
        node = behaviour.node(raw_name)
        if node is None:
            return End(State.SUCCEEDED)
        end = test.given.get(node.name)
        if end is not None and time <= end.fails:
            return End(State.FAILED)
        if node.is_branch:
            outcome = _chosen(behaviour, node.name, end)
            return End(State.SUCCEEDED, behaviour.outcomes[node.name][outcome])
        return End(State.SUCCEEDED, returned_text(node, end))

    def holds(task: TaskShape, functions: Functions) -> bool:
        node = behaviour.node(task.name)
        end = test.given.get(node.name) if node is not None else None
        condition = task.condition
        if node is not None and end is not None and end.when is not None:
            condition = behaviour.condition_with(node, holds=end.when)
        try:
            return condition is None or condition_holds(condition, functions)
        except Undecided as why:
            who = "the pipeline's `when`" if node is None else f"`when` of `{node.name}`"
            help = "give it under `streams`, or what the task returns under `given`"
            if node is not None:
                help = f"give `{node.name}: {{when: true}}`, or what it reads: `returns`, `streams`"
            raise _Missing(f"{who} cannot be evaluated: {why}", help) from None

    def lacks(raw_name: str, states: Mapping[str, State]) -> str | None:
        node = behaviour.node(raw_name)
        end = test.given.get(node.name) if node is not None else None
        if node is None or (end is not None and end.gives_end):
            return None
        return missing_result(behaviour, node, states)

    retries = behaviour.graph.settings.retries
    return run_graph(behaviour.shape, ends, retries=retries, streams=streams, holds=holds, lacks=lacks)


def _chosen(behaviour: Behaviour, branch: str, end: GivenEnd | None) -> str:
    """The outcome that the test gives a branch; a branch with a single outcome needs none."""
    outcomes = tuple(behaviour.outcomes[branch])
    if end is not None and end.outcome is not None:
        return end.outcome.name
    if end is not None and end.word in outcomes:
        return end.word
    if len(outcomes) == 1:
        return outcomes[0]
    raise _Missing(
        f"it does not say which outcome `{branch}` returns",
        f"give one: `{branch}: {outcomes[0]}`" + "".join(f", or `{outcome}`" for outcome in outcomes[1:]),
    )


def unmet(
    behaviour: Behaviour,
    test: RunTest,
    states: Mapping[str, State],
    state: State,
    attempts: int,
    errors: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Diagnostic]:
    """The findings for expectations that are not met, in the order written.

    `states` and `errors` (error messages) are by names in the spec; `state` and `attempts` are those of the run.
    """
    for expectation in test.expected:
        name, wanted = expectation.task.name, State(expectation.state)
        came = states[name]
        if came is not wanted:
            message = f"`{name}` should {SHOULD[wanted]}, but {CAME[came]}"
            label = errors.get(name) or _reason(behaviour, test, states, name)
            yield failure(test, message, expectation.task.place, label=label)
    if test.state is not None and test.state[0] != state:
        message = f"the run should have ended as {test.state[0]}, but ended as {state}"
        yield failure(test, message, test.state[1], label=_first_failed(states, errors))
    if test.attempts is not None and test.attempts[0] != attempts:
        message = f"the run should have taken {_attempts(test.attempts[0])}, but took {attempts}"
        yield failure(test, message, test.attempts[1])


def _attempts(count: int) -> str:
    return f"{count} attempt{'' if count == 1 else 's'}"


def _first_failed(states: Mapping[str, State], errors: Mapping[str, str]) -> str | None:
    name = next((name for name, state in states.items() if state.is_failure), None)
    if name is None:
        return None
    return f"`{name}` failed" + (f": {errors[name]}" if name in errors else "")


def _reason(behaviour: Behaviour, test: RunTest, states: Mapping[str, State], name: str) -> str | None:
    """Why a task ended in its state: the choice of the branch above it, or the state of a predecessor."""
    node = behaviour.graph.task(name)
    if states[name] is State.SKIPPED:
        for branch in node.after:
            end = test.given.get(branch)
            if behaviour.graph.task(branch).is_branch and end is not None:
                return f"`{branch}` chose `{end.outcome.name if end.outcome else end.word}`"
        return "its condition does not hold"
    if states[name] is State.NOT_EXECUTED:
        above = next(
            (predecessor for predecessor in node.after if states[predecessor] is not State.SUCCEEDED), None
        )
        return f"`{above}` {CAME[states[above]]}" if above else "the run was skipped"
    return None
