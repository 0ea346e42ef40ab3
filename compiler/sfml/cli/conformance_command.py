"""`sfml conformance --connection NAME`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.options import Options, shared_options

if TYPE_CHECKING:
    from sfml.snowflake.conformance import Scenario, ScenarioOutcome
    from sfml_local.control import Behaviour


@click.command()
@click.option("--connection", "name", required=True, metavar="NAME", help="An entry of connections.toml.")
@click.option("--database", required=True, metavar="NAME", help="The database for the scratch schema.")
@click.option(
    "--warehouse", metavar="NAME", help="The warehouse of the tasks; by default they are serverless."
)
@click.option("--only", multiple=True, metavar="SCENARIO", help="Run this scenario; may be repeated.")
@click.option(
    "--timeout", default=300.0, show_default=True, metavar="SECONDS", help="The maximum duration of one run."
)
@click.option(
    "--settle",
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait after a run until its history is complete.",
)
@click.option("--list", "list_them", is_flag=True, help="Print the scenarios without connecting.")
@shared_options()
def command(
    name: str,
    database: str,
    warehouse: str | None,
    only: tuple[str, ...],
    timeout: float,
    settle: float,
    list_them: bool,
    options: Options,
) -> int:
    """Compare the behaviour of an account with that of the local Snowflake.

    Runs small task graphs in a schema SFML_CONFORMANCE_…, which it creates and drops; changes nothing else. Prints
    each behaviour that differs from the local Snowflake's.
    """
    from sfml.snowflake.conformance import outcome, scratch
    from sfml.snowflake.connection import open_named
    from sfml.snowflake.light_connector import import_lightly

    wanted = chosen(only)
    if list_them:
        for scenario in wanted:
            output.say(f"{scenario.name}\n" + "\n".join(f"  {what}" for what in scenario.behaviours))
        return 0
    import_lightly()
    outcomes = []
    with (
        open_named(name) as connection,
        scratch(connection, database, warehouse=warehouse, patience=timeout, settling=settle) as place,
    ):
        if not options.json:
            output.note(f"working in {database}.{place.schema}, which is dropped at the end")
        if place.any_warehouse is None:
            left_out = [scenario.name for scenario in wanted if scenario.needs_warehouse]
            wanted = tuple(scenario for scenario in wanted if not scenario.needs_warehouse)
            if left_out:
                output.note(f"left out without --warehouse: {', '.join(left_out)}")
        for scenario in wanted:
            result = outcome(place, scenario)
            outcomes.append(result)
            if not options.json and (result.differences or not options.quiet):
                output.say(outcome_text(result))
    differences = sum(len(one.differences) for one in outcomes)
    if options.json:
        output.say_json(
            {
                "connection": name,
                "database": database,
                "schema": place.schema,
                "scenarios": [outcome_json(one) for one in outcomes],
                "differences": differences,
            }
        )
    elif differences or not options.quiet:
        behaviours = len({what for one in outcomes for what in one.scenario.behaviours})
        output.say(f"{len(outcomes)} scenarios, {behaviours} behaviours, {differences} differences")
    return 1 if differences else 0


def chosen(only: tuple[str, ...]) -> tuple[Scenario, ...]:
    from sfml.snowflake.conformance_scenarios import SCENARIOS

    known = [scenario.name for scenario in SCENARIOS]
    for name in only:
        if name not in known:
            raise UsageError(
                f"there is no scenario `{name}`",
                help=did_you_mean(name, known) or "sfml conformance --list prints them",
            )
    return tuple(scenario for scenario in SCENARIOS if not only or scenario.name in only)


def evidence() -> Mapping[str, Behaviour]:
    from sfml_local.control import behaviours

    return {behaviour.what: behaviour for behaviour in behaviours()}


def outcome_text(result: ScenarioOutcome) -> str:
    """One line for each behaviour; for differences, the expected and the observed result."""
    known = evidence()
    word = "differs" if result.differences else "same"
    lines = [
        f"{word:8}{known[what].evidence:12}{what}  ({result.scenario.name})"
        for what in result.scenario.behaviours
    ]
    for difference in result.differences:
        lines += [
            f"        {' '.join(difference.statement.split())}",
            f"          here:    {difference.expected}",
            f"          account: {difference.observed}",
        ]
    return "\n".join(lines)


def outcome_json(result: ScenarioOutcome) -> dict[str, Any]:
    known = evidence()
    return {
        "name": result.scenario.name,
        "behaviours": [
            {
                "area": known[what].area,
                "what": what,
                "evidence": str(known[what].evidence),
                "source": known[what].source,
            }
            for what in result.scenario.behaviours
        ],
        "differences": [
            {
                "statement": difference.statement,
                "expected": difference.expected,
                "observed": difference.observed,
            }
            for difference in result.differences
        ],
    }
