"""The check of the objects that a graph needs, for commands: prints notes, and asks before missing ones are created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.confirmation import confirm
from sfml.cli.options import Options

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account.environment import Environment, MissingObject
    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.plan.model import Plan


def demand_environment(
    compiled_spec: CompiledSpec,
    connection: SnowflakeConnection,
    options: Options,
    *,
    create_missing: bool,
    auto_approve: bool,
    plan: Plan | None = None,
) -> None:
    """Check that all objects exist; create missing ones after approval. Raises if an object is still missing."""
    from sfml.operations import environment as operation
    from sfml.render.environment import doubts

    is_silent = not options.speaks

    def tell(environment: Environment) -> None:
        for text in () if is_silent else doubts(environment):
            output.note(f"note: {text}")

    def agree(missing: tuple[MissingObject, ...]) -> None:
        if not is_silent:
            output.say("Missing, will be created:")
            for missing_object in missing:
                output.say(f"  + {missing_object.text}\n      {missing_object.statement};")
        if not auto_approve:
            confirm(f"Create {'it' if len(missing) == 1 else 'them'}?", options)

    operation.demand_environment(
        compiled_spec, connection, plan=plan, create_missing=create_missing, tell=tell, agree=agree
    )
