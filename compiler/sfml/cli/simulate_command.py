"""`sfml simulate SPEC…`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.inputs import read, say_findings
from sfml.cli.options import Options, shared_options, specs_argument

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.render.ways import Simulation


@click.command()
@specs_argument()
@click.option(
    "--failures",
    type=click.IntRange(0, 5),
    default=1,
    show_default=True,
    metavar="N",
    help="The maximum number of failing tasks in one run.",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=2_000,
    show_default=True,
    metavar="N",
    help="The maximum number of combinations of outcomes and failures to walk.",
)
@click.option("--uncovered", is_flag=True, help="Show only the ways that no test covers.")
@click.option(
    "--require-coverage",
    type=click.Choice(("outcomes", "all")),
    help="Exit with 1 if a way has no test: `outcomes` for ways without failures, `all` for any.",
)
@click.option(
    "--month",
    "is_month",
    is_flag=True,
    help="Simulate a month of all pipelines of the target: what shares a warehouse or pool, missed and delayed runs.",
)
@click.option("--from", "start", metavar="DAY", help="With --month: the first day.  [default: today]")
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="With --month: the time zone of days and hours.",
)
@click.option(
    "--durations",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --month: durations that the spec does not say, from `sfml history --export`.",
)
@click.option("--on", metavar="NAME", help="With --month: draw the work on this warehouse or pool only.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --month: also draw it as a picture.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --month: also write an HTML page with the pictures of everything.",
)
@shared_options()
def command(
    specs: tuple[str, ...],
    failures: int,
    most: int,
    uncovered: bool,
    require_coverage: str | None,
    is_month: bool,
    start: str | None,
    timezone: str,
    durations: tuple[Path, ...],
    on: str | None,
    svg: Path | None,
    page: Path | None,
    options: Options,
) -> int:
    """List every way through a graph, by each outcome of each gate and each failure, and which the tests cover.

    A failure means that all retries failed as well. Needs no account, and runs no step code.

    With --month, a month of all pipelines is simulated instead, by Snowflake's rules for schedules, time zones, overlap
    and timeouts, and by what `expect` and `sizes` say: twice, with the least and with the most that is expected.
    """
    from sfml.cli.graph_test_command import demand_right
    from sfml.cli.month import MonthOptions, simulate_month
    from sfml.frontend.entry_files import entry_files
    from sfml.render.symbols import Symbols
    from sfml.render.ways import ways_json, ways_text

    readings = [read(str(file), options) for file in entry_files(specs)]
    month = MonthOptions(start, timezone, svg, page, on, durations)
    if is_month:
        for reading in readings:
            say_findings(reading, options)
        return simulate_month(readings, month, options)
    if month.is_given:
        raise click.UsageError("--from, --timezone, --durations, --on, --svg and --page go with --month")
    demand_right(readings, options, but_for="SF333")
    every = [_simulated(reading, failures, most) for reading in readings]
    lacking = sum(_lacking(simulation, require_coverage) for simulation in every)
    if options.json:
        output.say_json(ways_json(every))
    elif not options.quiet:
        symbols = Symbols(output.takes_unicode())
        shown = (
            ways_text(simulation, symbols, uncovered=uncovered, verbose=options.verbose)
            for simulation in every
        )
        output.say("\n\n".join(shown))
    if lacking and not options.json:
        from sfml.render.units import plural

        what = "without failures " if require_coverage == "outcomes" else ""
        output.say_error(
            f"no test covers {plural(lacking, 'way')} {what}through the graph", "sfml simulate --uncovered"
        )
    is_wrong = any(reading.graph is None for reading in readings)
    return 1 if lacking or is_wrong else 0


def _simulated(reading: Reading, failures: int, most: int) -> Simulation:
    from sfml.graph.declared_tests import RunTest
    from sfml.graph_tests.coverage import covered
    from sfml.graph_tests.run_tests import run_verdict
    from sfml.graph_tests.selection import chosen_tests
    from sfml.render.ways import Simulation
    from sfml.ways.shape import Behaviour
    from sfml.ways.walks import walk

    graph = reading.walkable
    assert graph is not None
    behaviour = Behaviour(graph)
    walked = walk(behaviour, failures=failures, most=most)
    tests = [chosen_test for chosen_test in chosen_tests(graph) if isinstance(chosen_test, RunTest)]
    coverage = covered(walked, (run_verdict(behaviour, test) for test in tests))
    spec = f"{reading.prefix}{graph.spec_path}"
    return Simulation(
        graph.pipeline, graph.target.name, spec, len(graph.all_tasks), len(tests), walked, coverage
    )


def _lacking(one: Simulation, required: str | None) -> int:
    """The number of ways without the required coverage."""
    if required is None:
        return 0
    coverage = one.coverage
    return len(coverage.uncovered_outcomes if required == "outcomes" else coverage.uncovered)
