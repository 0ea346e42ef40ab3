"""`sfml apply SPEC`"""

from __future__ import annotations

import time
from collections.abc import Mapping

import click

from sfml.cli import output
from sfml.cli.opening import Connected, Opened, connected, opened
from sfml.cli.options import Options, pairs, shared_options
from sfml.cli.planning import Planned, planned, schedule_words
from sfml.errors import ConflictingState, UsageError
from sfml.graph.model import Mode
from sfml.plan.stages import Stage


@click.command()
@click.argument("spec")
@click.option(
    "--run", "run_after", is_flag=True, help="Run it once afterwards, and follow the run to its end."
)
@click.option(
    "--config",
    multiple=True,
    callback=pairs,
    metavar="KEY=VALUE",
    help="With --run: override a config value.",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask before changing the target.")
@click.option(
    "--resume/--no-resume", default=None, help="Turn the schedule on or off; else it stays as it is."
)
@shared_options()
def command(
    spec: str,
    run_after: bool,
    config: Mapping[str, str],
    auto_approve: bool,
    resume: bool | None,
    options: Options,
) -> int:
    """Make the target match SPEC: only what differs is changed, and running it again finishes what was cut off."""
    from sfml.cli.running import run_and_follow

    if config and not run_after:
        raise UsageError("--config goes with --run", help="add --run, or use `sfml run --config …`")
    found = opened(spec, options)
    refuse_unreviewed(found)
    with connected(found, options, prepare=True) as target:
        work = planned(found, target, resume=resume)
        carry_out(found, target, work, options, auto_approve)
        if run_after:
            return run_and_follow(found, target, options, config)
        if options.json:
            from sfml.render.plan import plan_json

            output.say_json({**plan_json(work.plan), "applied": True})
    return 0


def carry_out(found: Opened, target: Connected, work: Planned, options: Options, auto_approve: bool) -> None:
    """Show the plan, ask, and apply it; says what it did."""
    from sfml.deploy import deploy
    from sfml.render.plan import plan_text, stage_text
    from sfml.render.symbols import Symbols

    speaks = not (options.quiet or options.json)
    symbols = Symbols(output.takes_unicode())
    if speaks:
        output.say(plan_text(work.plan, found.desired, symbols, schedule=schedule_words(found.desired)))
    if not work.stages:
        return
    if not auto_approve:
        confirm(work, options)
    began = time.perf_counter()

    def told(stage: Stage) -> None:
        text = stage_text(stage, work.stages)
        if speaks and text is not None:
            output.say(f"  {symbols['SUCCEEDED']} {text}")

    if speaks:
        output.say()
    deploy(
        work.stages,
        found.desired,
        target.tasks,
        target.stage,
        provenance=provenance(found, options),
        on_done=told,
    )
    if speaks:
        output.say(f"Applied in {time.perf_counter() - began:.1f} s.")


def confirm(work: Planned, options: Options) -> None:
    import sys

    if options.json or not sys.stdin.isatty():
        raise UsageError(
            "there are changes to apply and nobody to ask",
            help="look at `sfml plan`, then add --auto-approve",
        )
    if not click.confirm(f"Apply this to {work.plan.target} ({work.plan.location})?"):
        raise click.Abort


def provenance(found: Opened, options: Options) -> Mapping[str, str]:
    """Who applies it and from which commit: told to whoever looks, never compared."""
    from sfml.cli.opening import user_name
    from sfml.git import head_commit

    commit = head_commit(found.root)
    return {"user": user_name(options), **({"commit": commit} if commit else {})}


def refuse_unreviewed(found: Opened) -> None:
    """Production takes committed specs and code only."""
    from sfml.git import dirty_files

    if found.desired.target.mode is not Mode.PRODUCTION:
        return
    dirty = dirty_files(found.root)
    if dirty is None:
        raise ConflictingState(
            f"target `{found.desired.target.name}` is production, and the project is not in a git work tree",
            help="commit the project, or apply to another target",
        )
    if dirty:
        raise ConflictingState(
            f"target `{found.desired.target.name}` is production, and {len(dirty)} files are not committed:"
            f" {dirty[0]} …",
            help="commit or stash them, then run it again",
        )
