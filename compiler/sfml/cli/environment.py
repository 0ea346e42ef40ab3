"""What must be there before a graph can be deployed, on the command line: told, and asked for before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.options import Options

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account.environment import Environment, MissingObject
    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.plan.model import Plan


def demand_environment(
    found: CompiledSpec,
    connection: SnowflakeConnection,
    options: Options,
    *,
    create_missing: bool,
    auto_approve: bool,
    plan: Plan | None = None,
) -> None:
    """Return when everything is there, or was made after somebody agreed to it; raises for the rest."""
    from sfml.operations import environment as operation
    from sfml.render.environment import doubts

    is_silent = not options.speaks

    def tell(environment: Environment) -> None:
        for text in () if is_silent else doubts(environment):
            output.note(f"note: {text}")

    def agree(missing: tuple[MissingObject, ...]) -> None:
        if not is_silent:
            output.say("Missing, and made now:")
            for one in missing:
                output.say(f"  + {one.text}\n      {one.statement};")
        if not auto_approve:
            confirm(f"Create {'it' if len(missing) == 1 else 'them'}?", options)

    operation.demand_environment(
        found, connection, plan=plan, create_missing=create_missing, tell=tell, agree=agree
    )
