"""`sfml rollback SPEC`"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.idle import Idleness, demand_idle, idle_options
from sfml.cli.locking import Locking, locked, locking_options
from sfml.cli.opening import Connected, connected, user_name
from sfml.cli.options import Options, shared_options
from sfml.cli.restoring import place_of
from sfml.errors import ConflictingState
from sfml.lower.desired import DesiredGraph
from sfml.plan.journal import Kept, deployment_number

if TYPE_CHECKING:
    from sfml.plan.artefact import Artefact
    from sfml.plan.staged import Staged


@click.command()
@click.argument("spec")
@click.option(
    "--to", "number", type=int, metavar="N", help="The deployment to go back to; else the last other one."
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
    """Put an earlier deployment of SPEC back, as it was kept: its tasks, settings and code. No old YAML is needed.

    `sfml history SPEC --deployments` lists them. Models and tables stay as they are. The spec says only which
    pipeline; the next plan of it shows what it has that the earlier deployment has not.
    """
    from sfml.cli.deploying import deploy_work
    from sfml.cli.planning import planned_graph, schedule_words, work_of
    from sfml.render.history import rollback_text
    from sfml.render.plan import plan_json, plan_text
    from sfml.render.symbols import Symbols

    found = place_of(spec, options)
    desired = found.desired
    speaks = not (options.quiet or options.json)
    with connected(found, options) as target, locked(desired, target, options, locking) as held:
        goal, source = goal_of(desired, target, number)
        graph = goal.graph(desired.target)
        work = planned_graph(graph, target)
        if speaks:
            output.say(rollback_text(desired.pipeline, source, goal))
            schedule = schedule_words(graph)
            output.say(plan_text(work.plan, graph, Symbols(output.takes_unicode()), schedule=schedule))
        began = time.perf_counter()
        if work.groups:
            if not auto_approve:
                confirm(f"Go back to deployment {source} in {desired.target.name}?", options)
            demand_idle(work.observed, target, held, idleness, options)
            began = time.perf_counter()
            if speaks:
                output.say()
            where = f"{desired.spec_path} -t {desired.target.name}"
            # The record keeps the commit that the graph came from.
            full = work_of(work, graph, held.lease, {"user": user_name(options)}, kind="rollback")
            deploy_work(
                full, target, held, options, where, journal_open=work.is_unfinished, command="rollback"
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


def goal_of(desired: DesiredGraph, target: Connected, number: int | None) -> tuple[Artefact, int]:
    """The graph to go back to and the number of the deployment that it is from.

    Raises `ConflictingState` where none is kept, or its code is there no more. A rollback that was cut off goes on
    to where it was going.
    """
    from sfml.cli.planning import looked_at, refuse_newer

    pipeline = desired.pipeline
    where = f"{desired.spec_path} -t {desired.target.name}"
    staged, journal, unreadable = looked_at(desired, target)
    refuse_newer(unreadable)
    if unreadable is not None and number is None:
        raise unreadable  # which deployment is there cannot be told
    if journal is not None and not (journal.header.work == "rollback" and journal.meant is not None):
        raise ConflictingState(
            f"an unfinished {journal.header.work} of {pipeline} comes first",
            help=f"sfml apply {where} --restore   goes back to what was there before it",
        )
    # A GET that finds no file is an error of its own.
    records = target.stage.kept(pipeline) if staged and staged.deployments else Kept(())
    kept = {one.header.number: one for one in records.deployments}
    if journal is not None and journal.meant is not None:
        kept.pop(journal.header.number, None)
        same = [one for one, of in kept.items() if of.artefact.fingerprint == journal.meant.fingerprint]
        return journal.meant, max(same, default=journal.header.number)
    damaged = {deployment_number(error.path): error for error in records.unreadable}
    current = max(kept, default=0)
    if number is None:
        newer = [error for at, error in damaged.items() if at is not None and at > current]
        if newer:
            newer[
                0
            ].help = f"say which deployment to go back to; sfml history {where} --deployments   lists them"
            raise newer[0]
        others = [
            one for one, of in kept.items() if of.artefact.fingerprint != kept[current].artefact.fingerprint
        ]
        if not others:
            raise ConflictingState(
                f"no deployment of {pipeline} is kept that differs from the one that is there",
                help=f"look at what is kept:  sfml history {where} --deployments",
            )
        number = max(others)
    if number in damaged:
        damaged[
            number
        ].help = f"the file stays; the others can be put back: sfml history {where} --deployments"
        raise damaged[number]
    if number not in kept:
        known = ", ".join(str(one) for one in sorted(kept)) or "none"
        raise ConflictingState(
            f"deployment {number} of {pipeline} is not kept",
            help=f"kept are: {known}; apply the spec of its commit",
        )
    artefact = kept[number].artefact
    assert staged is not None, "what is kept lies on the stage"
    missing = staged.lacks(artefact.archives)
    if missing:
        raise ConflictingState(
            f"the code of deployment {number} of {pipeline} is not on the stage any more: {missing[0]}",
            help="apply the spec of the commit that it came from",
        )
    broken = broken_archives(artefact, staged, target)
    if broken:
        raise ConflictingState(
            f"the code of deployment {number} of {pipeline} is not whole on the stage: {broken[0]}",
            help="apply the spec of the commit that it came from, which uploads it again",
        )
    return artefact, number


def broken_archives(artefact: Artefact, staged: Staged, target: Connected) -> tuple[str, ...]:
    """The archives of step code whose content is not what their folder is named after, fetched with one call."""
    folders = {path for path in artefact.archives if path.split("/")[1] == "code"}
    paths = tuple(sorted(path for path in staged.paths if path.rpartition("/")[0] in folders))
    contents = target.stage.contents(paths) if paths else {}
    return tuple(
        path
        for path, content in sorted(contents.items())
        if hashlib.sha256(content).hexdigest() != path.split("/")[2]
    )
