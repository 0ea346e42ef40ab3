"""The ways through a graph as text and as JSON: the output of `sfml simulate`."""

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
"""The number of tasks in one state that are named without --verbose."""


@record
class Simulation:
    """The ways through one pipeline in one target; `tasks` and `tests` are numbers."""

    pipeline: str
    target: str
    spec: str
    tasks: int
    tests: int
    walked: WayWalk
    coverage: Coverage


def ways_text(
    simulation: Simulation, symbols: Symbols, *, uncovered: bool = False, verbose: bool = False
) -> str:
    """The number of ways; each way with its tasks by state and the tests that cover it; the limits of the walk."""
    ways = simulation.coverage.ways
    covered = len(ways) - len(simulation.coverage.uncovered)
    counts = f"{plural(len(ways), 'way')} through {plural(simulation.tasks, 'task')}"
    head = f"{simulation.pipeline} on {simulation.target}: {counts}"
    lines = [f"{head}, {covered} covered by {plural(simulation.tests, 'test')}", ""]
    for number, way in enumerate(ways, 1):
        if not (uncovered and way.tests):
            lines += [*_way_lines(number, way, symbols, verbose), ""]
    if simulation.coverage.elsewhere:
        names = ", ".join(f"`{printable(name)}`" for name in simulation.coverage.elsewhere)
        lines.append(f"Beyond these ways: {names}")
    return "\n".join([*lines, *walked_lines(simulation.walked)])


def _way_lines(number: int, covered_way: CoveredWay, symbols: Symbols, verbose: bool) -> Iterator[str]:
    yield f"{number:>3}  {covered_way.way.state}  {_choices(covered_way.way.choices, symbols) or 'nothing to choose'}"
    for other in covered_way.way.also:
        yield f"     or  {_choices(other, symbols)}"
    for state in (State.SUCCEEDED, State.FAILED, State.SKIPPED, State.NOT_EXECUTED):
        names = [name for name, came in covered_way.way.states.items() if came is state]
        if names:
            symbol = symbols.state(None if state is State.NOT_EXECUTED else str(state))
            yield f"     {symbol} {_names(names, verbose)}"
    for name, reason in covered_way.way.reasons.items():
        yield f"       {name}: {reason}"
    tests = ", ".join(f"`{printable(name)}`" for name in covered_way.tests)
    yield f"     covered by {tests}" if tests else "     no test covers this"


def _choices(choices: Sequence[Choice], symbols: Symbols) -> str:
    return ", ".join(_choice(choice, symbols) for choice in choices)


def _choice(choice: Choice, symbols: Symbols) -> str:
    who = choice.task or "the pipeline"
    if choice.what in ("fails", "when holds", "when does not hold"):
        return f"{who}: {choice.what}" if choice.what != "fails" else f"{who} fails"
    return f"{who} {symbols['arrow']} {choice.what}"


def _names(names: list[str], verbose: bool) -> str:
    if verbose or len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES:,} more"


def walked_lines(walked: WayWalk) -> Iterator[str]:
    """The lines that say which combinations were walked, and which were not."""
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


def ways_json(simulations: Sequence[Simulation]) -> Mapping[str, Any]:
    """The object of `schemas/output/simulate.schema.json`, without `format_version`."""
    return {"pipelines": [_simulated_json(simulation) for simulation in simulations]}


def _simulated_json(simulation: Simulation) -> Mapping[str, Any]:
    return {
        "pipeline": simulation.pipeline,
        "target": simulation.target,
        "spec": simulation.spec,
        "covered": len(simulation.coverage.ways) - len(simulation.coverage.uncovered),
        "uncovered": len(simulation.coverage.uncovered),
        "uncovered_outcomes": len(simulation.coverage.uncovered_outcomes),
        "walked": {
            "failures": simulation.walked.failures,
            "combinations": simulation.walked.count,
            "left": simulation.walked.left,
        },
        "ways": [_way_json(way) for way in simulation.coverage.ways],
        "beyond": list(simulation.coverage.elsewhere),
    }


def _way_json(covered_way: CoveredWay) -> Mapping[str, Any]:
    way: Way = covered_way.way
    return {
        "choices": _choices_json(way.choices),
        "also": [_choices_json(other) for other in way.also],
        "state": str(way.state),
        "tasks": states_json(way.states),
        "reasons": dict(way.reasons),
        "tests": list(covered_way.tests),
    }


def _choices_json(choices: Sequence[Choice]) -> list[dict[str, str | None]]:
    return [{"task": choice.task, "what": choice.what} for choice in choices]
