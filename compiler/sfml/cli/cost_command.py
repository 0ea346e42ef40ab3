"""`sfml cost SPEC…`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.inputs import read, say_findings
from sfml.cli.options import Options, shared_options, specs_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfml.cost.actual import Comparison, Spent
    from sfml.cost.estimate import Estimate
    from sfml.frontend.reading import Reading
    from sfml.graph.model import TaskGraph
    from sfml.render.cost import Price

_EDITIONS = ("standard", "enterprise", "business_critical", "vps")


@click.command()
@specs_argument()
@click.option(
    "--edition", type=click.Choice(_EDITIONS), help="The account's edition, else that of sfml.yaml."
)
@click.option(
    "--price",
    type=click.FloatRange(0),
    metavar="NUMBER",
    help="What a credit costs, else the price of sfml.yaml; without one, no money is shown.",
)
@click.option(
    "--durations",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take durations that the spec does not say from runs that `sfml history --export` wrote.",
)
@click.option(
    "--actual",
    is_flag=True,
    help="Also read from the account what was spent, and say how far the estimate is off.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    metavar="N",
    help="With --actual: how many days to look back.",
)
@shared_options()
def command(
    specs: tuple[str, ...],
    edition: str | None,
    price: float | None,
    files: tuple[Path, ...],
    actual: bool,
    days: int,
    options: Options,
) -> int:
    """Estimate the credits that pipelines use in a month of 730 hours, as a range, without asking an account.

    SPEC is an entry file, a folder, a glob or a pipeline's name; without one, every pipeline of the project is meant.
    From schedules, from what `expect` says of durations, and from the `sizes` of the target's warehouses and compute
    pools, by a dated table of rates. What nothing says stays unknown, `?`, and the output names it.

    With --actual, what was spent is read from the account's metering, attribution and container views, by the query tag
    of the tasks; what they do not attribute, such as idle time, is `?`.
    """
    from sfml.base.errors import InvalidSpec
    from sfml.cost.estimate import estimate
    from sfml.frontend.entry_files import entry_files
    from sfml.render.cost import cost_json, cost_text

    readings = [read(str(file), options) for file in entry_files(specs)]
    _demand_one_project(readings)
    for reading in readings:
        say_findings(reading, options)
    # A pipeline above its budget is one to look at, too.
    graphs = [reading.walkable for reading in readings if reading.walkable is not None]
    if len(graphs) < len(readings):
        raise InvalidSpec(tuple(diagnostic for reading in readings for diagnostic in reading.diagnostics))
    graphs, sentences = measured_graphs(graphs, files)
    costs = estimate(graphs)
    costs = replace(costs, assumptions=(*sentences, *costs.assumptions))
    credit = _price(readings[0], edition, price)
    more = _actual(readings, costs, days, options) if actual else None
    if options.json:
        from sfml.render.actual_cost import actual_json

        spent = {} if more is None else {"actual": actual_json(*more)}
        output.say_json({**cost_json(costs, credit), **spent})
    elif not options.quiet:
        output.say(cost_text(costs, credit))
        if more is not None:
            from sfml.render.actual_cost import actual_text

            output.say(f"\n{actual_text(*more)}")
    return 0


def measured_graphs(
    graphs: Sequence[TaskGraph], files: Sequence[Path]
) -> tuple[list[TaskGraph], tuple[str, ...]]:
    """The graphs with the durations in the files, and sentences on what is taken from them, and what is not."""
    from sfml.cost.measured import measured_in, not_meant, with_measured

    if not files:
        return list(graphs), ()
    measured = measured_in(files)
    filled = [with_measured(graph, measured) for graph in graphs]
    taken = (sentence for _, sentence in filled if sentence is not None)
    return [graph for graph, _ in filled], (*taken, *not_meant(measured, graphs))


def _actual(
    readings: Sequence[Reading], costs: Estimate, days: int, options: Options
) -> tuple[Spent, tuple[Comparison, ...]]:
    """What was spent in the last days, beside the estimate."""
    from sfml.cli.target_screen import TargetScreen
    from sfml.cost.actual import compared_with
    from sfml.frontend.placed_spec import placed
    from sfml.operations.actual_cost import spent_by

    spent = spent_by([placed(reading) for reading in readings], costs, days, TargetScreen(options))
    return spent, compared_with(costs, spent)


def _demand_one_project(readings: Sequence[Reading]) -> None:
    from sfml.base.errors import UsageError

    roots = {reading.root for reading in readings}
    if len(roots) > 1:
        raise UsageError(
            "the specs belong to several projects", help="give those of one: what they share is counted once"
        )


def _price(reading: Reading, edition: str | None, price: float | None) -> Price:
    """What the command line says of edition and price, else the project file."""
    from sfml.render.cost import Price
    from sfml.spec.nodes import map_of, plain

    project = reading.loaded.project
    node = map_of(project.document.get("cost")) if project is not None else None
    numbers = {} if node is None else {key: plain(value) for key, value in node.entries.items()}
    own = numbers.get("price")
    per_credit = price if price is not None else (float(own) if isinstance(own, int | float) else None)
    named, currency = numbers.get("edition"), numbers.get("currency")
    return Price(
        edition or (named if isinstance(named, str) else None),
        per_credit,
        currency if isinstance(currency, str) else None,
    )
