"""`sfml history SPEC`"""

from __future__ import annotations

from pathlib import Path

import click

from sfml.base.errors import RecordUnreadable
from sfml.base.exported_runs import FORMATS
from sfml.cli import output
from sfml.cli.inputs import connected
from sfml.cli.options import Options, shared_options
from sfml.cli.restoration import place_of
from sfml.frontend.entry_files import misspelt
from sfml.lower.desired import DesiredGraph
from sfml.operations.target_account import TargetAccount
from sfml.render.history import KeptDeployment


@click.command()
@click.argument("spec")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=10, show_default=True, help="The maximum number to list."
)
@click.option("--deployments", is_flag=True, help="List the kept deployments, not the runs.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add all runs that are over, with the durations of their tasks, to this file: .json or .parquet.",
)
@shared_options()
def command(spec: str, limit: int, deployments: bool, export: Path | None, options: Options) -> int:
    """List the last runs of SPEC, newest first; or the deployments that `sfml rollback` can go back to.

    Durations are compared with the usual one: the median of the runs of the last seven days that succeeded at once.
    """
    from sfml.operations.part_runs import history_of
    from sfml.render.history import deployments_json, deployments_text, runs_json, runs_text
    from sfml.render.symbols import Symbols

    compiled_spec = place_of(spec, options)
    desired = compiled_spec.desired
    symbols = Symbols(output.takes_unicode())
    if export is not None and deployments:
        raise click.UsageError("--export is about runs; leave out --deployments")
    if export is not None and export.suffix.lower() not in FORMATS:
        raise click.UsageError(
            f"--export writes JSON or Parquet, and `{export.name}` ends in neither {' nor '.join(FORMATS)}"
        )
    with connected(compiled_spec, options) as target:
        if export is not None:
            return _export(desired, target, export, options)
        if deployments:
            kept, unreadable = kept_deployments(desired, target)
            kept = kept[:limit]
            text = deployments_text(desired, kept, symbols, unreadable)
            value = deployments_json(desired, kept, unreadable)
        else:
            history = history_of(desired, target, limit=limit)
            text, value = runs_text(desired, history, symbols), runs_json(desired, history)
    if options.json:
        output.say_json(value)
    elif not options.quiet:
        output.say(text)
        nothing = not value["deployments" if deployments else "runs"]
        if nothing and (hint := misspelt(desired.spec_path)) is not None:
            output.note(f"help: {hint}")
    return 0


def _export(desired: DesiredGraph, target: TargetAccount, file: Path, options: Options) -> int:
    from sfml.operations.history_export import export_runs
    from sfml.operations.part_runs import runs_and_parts

    runs = [run for run in runs_and_parts(desired, target) if run.part is None]
    count = export_runs(desired, runs, file)
    if options.json:
        place = {"pipeline": desired.pipeline, "target": desired.target.name}
        output.say_json({**place, "exported": {"file": file.as_posix(), "runs": count}})
    elif not options.quiet:
        output.say(f"{file.as_posix()} holds {count:,} run{'' if count == 1 else 's'} of {desired.pipeline}")
    return 0


def kept_deployments(
    desired: DesiredGraph, target: TargetAccount
) -> tuple[tuple[KeptDeployment, ...], tuple[RecordUnreadable, ...]]:
    """The kept deployments, newest first, and the errors of records or the journal that cannot be read.

    The deployment of an unfinished apply is not included.
    """
    from sfml.operations.apply_plan import inspect_stage
    from sfml.plan.settings import split_comment

    staged, journal, damage = inspect_stage(desired, target)
    unreadable = () if damage is None else (damage,)
    if staged is None or not staged.deployments:
        return (), unreadable
    root = target.history.root(desired.root.name)
    record = (split_comment(root.comment)[1] if root else None) or {}
    unfinished = journal.header.number if journal else None
    kept = target.stage.kept(desired.pipeline)
    unreadable = (*unreadable, *kept.unreadable)
    earlier = [deployment for deployment in kept.deployments if deployment.header.number != unfinished]
    deployments = tuple(
        KeptDeployment(
            deployment.header,
            deployment.artefact.record,
            len(deployment.artefact.tasks) - 1,
            is_current=deployment is earlier[-1]
            and record.get("fingerprint") == deployment.artefact.fingerprint,
            has_code=not staged.lacks(deployment.artefact.archives),
        )
        for deployment in reversed(earlier)
    )
    return deployments, unreadable
