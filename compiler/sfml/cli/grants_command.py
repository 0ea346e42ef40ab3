"""`sfml grants SPEC`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.inputs import compile_spec
from sfml.cli.options import Options, shared_options
from sfml.cli.target_screen import TargetScreen
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.target_account import target_connection

if TYPE_CHECKING:
    from sfml.graph.comparing import Comparison
    from sfml.graph.privileges import Privilege, Purpose


@click.command()
@click.argument("spec")
@click.option(
    "--owner", metavar="ROLE", help="The role that deploys and owns the tasks.  [default: the target's]"
)
@click.option(
    "--reader", metavar="ROLE", help="The role that reads status and history.  [default: <PIPELINE>_READER]"
)
@click.option(
    "--compare", metavar="ROLE", help="Compare the grants of this role with the privileges that it needs."
)
@click.option(
    "--for",
    "purposes",
    multiple=True,
    type=click.Choice(("deploying", "running", "reading")),
    help="The purposes to list or compare.  [default: all; with --compare: deploying and running]",
)
@shared_options()
def command(
    spec: str,
    owner: str | None,
    reader: str | None,
    compare: str | None,
    purposes: tuple[str, ...],
    options: Options,
) -> int:
    """List the least privileges for deploying, running and reading, as SQL; or compare a role with them.

    Tables that steps read and write are included only if tasks declare them (`reads`, `writes`); the output names the
    tasks without declarations. Exits with 1 if the compared role lacks a privilege.
    """
    from sfml.base.quoting import folded
    from sfml.graph.privileges import Purpose, not_known, privileges_of, undeclared
    from sfml.render.grants import Unknown, comparison_text, grants_json, grants_sql
    from sfml.render.symbols import Symbols

    compiled_spec = compile_spec(spec, options)
    graph, target = compiled_spec.reading.graph, compiled_spec.desired.target
    assert graph is not None, "findings are looked at before"
    default = (Purpose.DEPLOYING, Purpose.RUNNING) if compare else tuple(Purpose)
    chosen = tuple(Purpose(name) for name in purposes) or default
    lists = {purpose: privileges_of(graph, purpose, compiled_spec.desired.root.name) for purpose in chosen}
    owning = folded(owner or target.owner_role or f"{graph.pipeline}_OWNER".upper())
    looking = folded(reader or f"{graph.pipeline}_READER".upper())
    roles = {purpose: looking if purpose is Purpose.READING else owning for purpose in chosen}
    unknown = Unknown(undeclared(graph), not_known(graph))
    comparison = None if compare is None else _compared(compiled_spec, options, folded(compare), lists)
    if options.json:
        output.say_json(
            {
                "pipeline": graph.pipeline,
                "target": target.name,
                **grants_json(lists, roles, unknown, comparison),
            }
        )
    elif comparison is not None:
        output.say(comparison_text(comparison, chosen, Symbols(output.takes_unicode())))
    else:
        title = f"{graph.pipeline} in target {target.name} ({target.database}.{target.schema})"
        output.say(grants_sql(title, lists, roles, unknown))
    return 1 if comparison is not None and comparison.missing else 0


def _compared(
    compiled_spec: CompiledSpec, options: Options, role: str, lists: Mapping[Purpose, Sequence[Privilege]]
) -> Comparison:
    from sfml.graph.comparing import compared
    from sfml.snowflake.granted import granted_to

    needed = [privilege for privileges in lists.values() for privilege in privileges]
    with target_connection(compiled_spec, TargetScreen(options)) as connection:
        granted, unread = granted_to(connection, role)
    return compared(role, needed, granted, unread)
