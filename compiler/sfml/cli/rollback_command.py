"""`sfml rollback SPEC`"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.confirmation import confirm
from sfml.cli.idle_options import demand_idle, idle_options
from sfml.cli.inputs import connected, user_name
from sfml.cli.lease_options import Locking, locked, locking_options
from sfml.cli.options import Options, shared_options
from sfml.cli.part_tidying import tidy_parts
from sfml.cli.restoration import place_of
from sfml.operations.idleness import Idleness

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("spec")
@click.option(
    "--to",
    "number",
    type=int,
    metavar="N",
    help="The number of the deployment.  [default: the latest one that differs]",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask before changing the target.")
@idle_options
@locking_options
@shared_options()
def command(
    spec: str,
    number: int | None,
    auto_approve: bool,
    idleness: Idleness,
    locking: Locking,
    options: Options,
) -> int:
    """Go back to an earlier deployment of SPEC: its tasks, settings and code. The old YAML is not needed.

    `sfml history SPEC --deployments` lists the deployments. Models and tables do not change. The spec only identifies
    the pipeline; its next plan shows the differences from the restored deployment.
    """
    from sfml.cli.deployment import deploy_work
    from sfml.operations.apply_plan import planned_graph, schedule_words, work_of
    from sfml.operations.rollback import goal_of
    from sfml.render.history import rollback_text
    from sfml.render.plan import plan_json, plan_text
    from sfml.render.symbols import Symbols

    compiled_spec = place_of(spec, options)
    desired = compiled_spec.desired
    speaks = options.speaks
    with connected(compiled_spec, options) as target, locked(desired, target, options, locking) as held_lease:
        goal, source = goal_of(desired, target, number)
        graph = goal.graph(desired.target)
        work = planned_graph(graph, target)
        tidy_parts(desired, target, held_lease, work.staged, options)
        if speaks:
            output.say(rollback_text(desired.pipeline, source, goal))
            schedule = schedule_words(graph)
            output.say(plan_text(work.plan, graph, Symbols(output.takes_unicode()), schedule=schedule))
        began = time.perf_counter()
        if work.groups:
            if not auto_approve:
                confirm(f"Go back to deployment {source} in {desired.target.name}?", options)
            demand_idle(work.observed, target, held_lease, idleness, options)
            began = time.perf_counter()
            if speaks:
                output.say()
            where = desired.where
            # The record keeps the commit that the graph came from.
            full = work_of(work, graph, held_lease.lease, {"user": user_name(options)}, kind="rollback")
            deploy_work(
                full, target, held_lease, options, where, journal_open=work.is_unfinished, command="rollback"
            )
    if options.json:
        output.say_json(
            {
                **plan_json(work.plan),
                "rolled_back_to": source,
                "deployment": work.number if work.groups else None,
            }
        )
    elif speaks and work.groups:
        took = f"{time.perf_counter() - began:.1f} s"
        output.say(
            f"Rolled back in {took}: deployment {work.number} of {desired.pipeline} is deployment {source} again."
            f" Models and tables are as they were."
        )
    return 0
