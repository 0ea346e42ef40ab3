"""Every way through a graph as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.record import record
from sfml.graph_tests.coverage import Coverage, CoveredWay
from sfml.render.graph_tests import states_json
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import plural
from sfml.semantics.states import State
from sfml.ways.walks import Choice, Way, WayWalk

MOST_NAMES = 12
"""Of tasks in one state that are named, unless all are asked for."""


@record
class Simulation:
    """The ways through one pipeline, for one target."""

    pipeline: str
    target: str
    spec: str
    tasks: int
    tests: int
    walked: WayWalk
    coverage: Coverage


def ways_text(one: Simulation, symbols: Symbols, *, uncovered: bool = False, verbose: bool = False) -> str:
    """The count, each way with its tasks by state and the tests that take it, and what was not walked."""
    ways = one.coverage.ways
    covered = len(ways) - len(one.coverage.uncovered)
    head = f"{one.pipeline} on {one.target}: {plural(len(ways), 'way')} through {plural(one.tasks, 'task')}"
    lines = [f"{head}, {covered} covered by {plural(one.tests, 'test')}", ""]
    for number, way in enumerate(ways, 1):
        if not (uncovered and way.tests):
            lines += [*_way_lines(number, way, symbols, verbose), ""]
    if one.coverage.elsewhere:
        names = ", ".join(f"`{printable(name)}`" for name in one.coverage.elsewhere)
        lines.append(f"Beyond these ways: {names}")
    return "\n".join([*lines, *walked_lines(one.walked)])


def _way_lines(number: int, one: CoveredWay, symbols: Symbols, verbose: bool) -> Iterator[str]:
    yield f"{number:>3}  {one.way.state}  {_choices(one.way.choices, symbols) or 'nothing to choose'}"
    for other in one.way.also:
        yield f"     or  {_choices(other, symbols)}"
    for state in (State.SUCCEEDED, State.FAILED, State.SKIPPED, State.NOT_EXECUTED):
        names = [name for name, came in one.way.states.items() if came is state]
        if names:
            symbol = symbols.state(None if state is State.NOT_EXECUTED else str(state))
            yield f"     {symbol} {_names(names, verbose)}"
    for name, reason in one.way.reasons.items():
        yield f"       {name}: {reason}"
    tests = ", ".join(f"`{printable(name)}`" for name in one.tests)
    yield f"     covered by {tests}" if tests else "     no test covers this"


def _choices(choices: Sequence[Choice], symbols: Symbols) -> str:
    return ", ".join(_choice(one, symbols) for one in choices)


def _choice(one: Choice, symbols: Symbols) -> str:
    who = one.task or "the pipeline"
    if one.what in ("fails", "when holds", "when does not hold"):
        return f"{who}: {one.what}" if one.what != "fails" else f"{who} fails"
    return f"{who} {symbols['arrow']} {one.what}"


def _names(names: list[str], verbose: bool) -> str:
    if verbose or len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES:,} more"


def walked_lines(walked: WayWalk) -> Iterator[str]:
    """What was walked, and what was not."""
    bound = "no task fails" if not walked.failures else f"at most {plural(walked.failures, 'task')} fail"
    bound = bound.replace("1 task fail", "1 task fails")
    if walked.left:
        yield (
            f"Walked: {walked.count:,} combinations of outcomes and failures, those with the fewest choices first."
        )
        yield f"Not walked: at least {walked.left:,} more of them (--most N walks further)"
    else:
        yield f"Walked: every outcome and condition where {bound}, {plural(walked.count, 'combination')}."
    yield f"Not walked: more than {plural(walked.failures, 'failure')} in one run (--failures N), and cancelled runs."


def ways_json(every: Sequence[Simulation]) -> Mapping[str, Any]:
    """The object of `schemas/output/simulate.schema.json`, without `format_version`."""
    return {"pipelines": [_simulated_json(one) for one in every]}


def _simulated_json(one: Simulation) -> Mapping[str, Any]:
    return {
        "pipeline": one.pipeline,
        "target": one.target,
        "spec": one.spec,
        "covered": len(one.coverage.ways) - len(one.coverage.uncovered),
        "uncovered": len(one.coverage.uncovered),
        "uncovered_outcomes": len(one.coverage.uncovered_outcomes),
        "walked": {
            "failures": one.walked.failures,
            "combinations": one.walked.count,
            "left": one.walked.left,
        },
        "ways": [_way_json(way) for way in one.coverage.ways],
        "beyond": list(one.coverage.elsewhere),
    }


def _way_json(one: CoveredWay) -> Mapping[str, Any]:
    way: Way = one.way
    return {
        "choices": _choices_json(way.choices),
        "also": [_choices_json(other) for other in way.also],
        "state": str(way.state),
        "tasks": states_json(way.states),
        "reasons": dict(way.reasons),
        "tests": list(one.tests),
    }


def _choices_json(choices: Sequence[Choice]) -> list[dict[str, str | None]]:
    return [{"task": one.task, "what": one.what} for one in choices]
