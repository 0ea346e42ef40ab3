"""`sfml import ROOT_TASK`"""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.base.atomic import write_new
from sfml.base.errors import ConflictingState, InvalidSpec, SfmlError, UsageError
from sfml.base.full_disk import is_disk_full
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import connected, say_findings, user_name
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph

if TYPE_CHECKING:
    from sfml.base.diagnostic import Diagnostic
    from sfml.frontend.reading import Reading
    from sfml.plan.graph_import import ImportedFiles
    from sfml.plan.model import Change, ObservedGraph

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@record
class ImportCheck:
    """The comparison of the written spec with the graph: its findings, and its changes except sfml's own record."""

    reading: Reading
    changes: tuple[Change, ...]

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.reading.diagnostics

    @property
    def count(self) -> int:
        """The number of settings that differ."""
        return sum(len(change.fields) or 1 for change in self.changes)


@click.command("import")
@click.argument("root_task")
@click.option("--name", help="The pipeline's name.  [default: from the root task's name]")
@click.option(
    "--out",
    "out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the entry file.  [default: the project's specs]",
)
@shared_options()
def command(root_task: str, name: str | None, out: Path | None, options: Options) -> int:
    """Write a spec from any graph that is already deployed. Changes nothing in the account.

    ROOT_TASK may be qualified. Bodies are written into files unchanged. `sfml apply --adopt` then takes over the graph
    without changing it.
    """
    from sfml.frontend.reading import project_root
    from sfml.plan.graph_import import imported_spec, pipeline_name

    root = project_root(Path.cwd())
    if root is None:
        raise UsageError(
            "there is no project here", help="make one, with the target to read from:  sfml init"
        )
    parts = _parts(root_task)
    pipeline = name or pipeline_name(parts[-1])
    if not _WORD.fullmatch(pipeline):
        raise UsageError(f"`{pipeline}` cannot be the name of a pipeline", help="give one with --name")
    folder = (out or root / "specs").resolve()
    if not folder.is_relative_to(root):
        raise UsageError(f"`{out}` is not in the project {root.name}", help="name a folder of the project")
    entry = folder / f"{pipeline}.yaml"
    place = _place(entry, pipeline, parts, options)
    with connected(place, options) as target:
        observed = target.tasks.observed(parts[-1])
        demand_foreign_root(observed, parts[-1], place)
        assert observed is not None
        observed = target.tasks.in_full(observed)
    schemas = _schemas(root, folder)
    imported = imported_spec(observed, pipeline, schemas=schemas)
    _refuse_files_that_are_there(imported, folder)
    _write(imported, folder)
    checked = _checked(entry, observed, options)
    if checked.changes:
        # The project's defaults may set values that the graph leaves to Snowflake; so write every value out.
        in_full = imported_spec(observed, pipeline, in_full=True, schemas=schemas)
        _write(in_full, folder)
        again = _checked(entry, observed, options)
        if again.count < checked.count:
            imported, checked = in_full, again
        else:
            _write(imported, folder)
    say_findings(checked.reading, options)
    _say(imported, checked, place, folder, root, parts[-1], options)
    return (
        1
        if checked.changes or any(diagnostic.severity == "error" for diagnostic in checked.diagnostics)
        else 0
    )


def _schemas(root: Path, folder: Path) -> str | None:
    """The relative path from the entry file's folder to the project's schemas, for editors; None without schemas."""
    if not (root / "schemas").is_dir():
        return None
    return "../" * len(folder.relative_to(root).parts) + "schemas"


def _parts(written: str) -> tuple[str, ...]:
    from sfml.base.quoting import folded, name_parts

    parts = tuple(folded(part) for part in name_parts(written))
    if not 1 <= len(parts) <= 3:
        raise UsageError(
            f"`{written}` is not the name of a task", help="write ROOT, SCHEMA.ROOT or DB.SCHEMA.ROOT"
        )
    return parts


def _place(entry: Path, pipeline: str, parts: tuple[str, ...], options: Options) -> CompiledSpec:
    """A placeholder spec for this pipeline; its target has the database and schema of the task's name."""
    from sfml.frontend.reading import read

    text = f"version: 1\npipeline: {pipeline}\ngraph: {{tasks: {{none: {{sql: select 1}}}}}}\n"
    reading = read(entry, target=options.target, user=user_name(options), text=text)
    if reading.graph is None:
        say_findings(reading, options)
        raise InvalidSpec(reading.diagnostics)
    desired = desired_graph(reading)
    target = desired.target
    database, schema = (*parts[:-1][:-1], target.database)[0], (*parts[-2:-1], target.schema)[0]
    moved = dataclasses.replace(target, database=database, schema=schema)
    return CompiledSpec(reading, dataclasses.replace(desired, target=moved))


def demand_foreign_root(observed: ObservedGraph | None, name: str, place: CompiledSpec) -> None:
    """Raise `ConflictingState` for a task that does not exist, is not a root, or was made by sfml."""
    target = place.desired.target
    where = f"{target.database}.{target.schema}"
    if observed is None:
        raise ConflictingState(
            f"there is no task `{name}` in {where}, or the role cannot see it",
            help="write the root's name as SHOW TASKS has it, qualified if it lives in another schema",
        )
    parents = observed.root.settings["after"] or observed.root.settings["finalize"]
    if parents:
        above = parents if isinstance(parents, str) else ", ".join(map(str, parents))  # type: ignore[arg-type]
        raise ConflictingState(
            f"`{name}` is not the root of a graph: it runs after {above}", help="name the root of the graph"
        )
    if observed.record is not None:
        raise ConflictingState(
            f"`{name}` was made by sfml, from {observed.record.get('spec', 'a spec')}",
            help="use that spec instead of an import",
        )


def _refuse_files_that_are_there(imported: ImportedFiles, folder: Path) -> None:
    there = [path for path in imported.files if (folder / path).exists() or (folder / path).is_symlink()]
    if there:
        shown = ", ".join(f"`{path}`" for path in there[:5]) + (" …" if len(there) > 5 else "")
        raise ConflictingState(
            f"{folder.name} already has {shown}; nothing was written", help="give another --name or --out"
        )


def _write(imported: ImportedFiles, folder: Path) -> None:
    try:
        write_new(folder, imported.files)
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise SfmlError(f"cannot write `{cause.filename}`: {cause.strerror}") from cause


def _checked(entry: Path, observed: ObservedGraph, options: Options) -> ImportCheck:
    """Read the written spec, and plan it against the graph that it was imported from."""
    from sfml.frontend.reading import read
    from sfml.plan.diff import RECORD, make_plan

    reading = read(entry, target=options.target, user=user_name(options))
    if reading.graph is None:
        return ImportCheck(reading, ())
    plan = make_plan(desired_graph(reading), observed, adopt=True)
    changed = [
        dataclasses.replace(change, fields=tuple(field for field in change.fields if field.path != RECORD))
        for change in plan.changes
    ]
    return ImportCheck(
        reading, tuple(change for change in changed if change.fields or change.action in _WHOLE)
    )


_WHOLE = ("create", "drop", "move", "replace")


def _say(
    imported: ImportedFiles,
    checked: ImportCheck,
    place: CompiledSpec,
    folder: Path,
    root: Path,
    name: str,
    options: Options,
) -> None:
    from sfml.render.json import diagnostic_json
    from sfml.render.plan import change_json, shown
    from sfml.render.symbols import Symbols
    from sfml.render.units import plural

    target = place.desired.target
    location = f"{target.database}.{target.schema}"
    files = [(folder / path).relative_to(root).as_posix() for path in imported.files]
    losses = [*imported.losses, *_elsewhere(place)]
    if options.json:
        document: Mapping[str, object] = {
            "pipeline": imported.pipeline,
            "target": target.name,
            "root": name,
            "location": location,
            "files": files,
            "tasks": dict(imported.names),
            "losses": losses,
            "changes": [change_json(change) for change in checked.changes],
            "diagnostics": [diagnostic_json(diagnostic) for diagnostic in checked.diagnostics],
        }
        output.say_json(document)
        return
    if options.quiet and not (losses or checked.changes):
        return
    symbols = Symbols(output.takes_unicode())
    output.say(f"Imported {name} of {location}: the root and {plural(len(imported.names), 'task')}")
    for file in files:
        output.say(f"  + {file}")
    for loss in losses:
        output.say(f"  {symbols['risk']} {loss}")
    for change in checked.changes:
        for field in change.fields:
            values = f"{shown(field.path, field.old)} {symbols['arrow']} {shown(field.path, field.new)}"
            output.say(f"  {symbols['risk']} {field.path} of {change.task} would change: {values}")
    if not checked.changes and checked.reading.graph is not None:
        output.say("Its plan is empty, except for the record by which sfml recognises its own graphs.")
    entry = shlex.quote(files[0] if len(files) == 1 else _entry(files))
    output.say(f"Next:  sfml plan {entry} -t {target.name} --adopt")


def _entry(files: list[str]) -> str:
    return next(file for file in files if file.count("/") == min(file.count("/") for file in files))


def _elsewhere(place: CompiledSpec) -> list[str]:
    """What to do if the project's target has another schema than the imported graph."""
    read, own = place.desired.target, place.reading.graph.target if place.reading.graph else None
    if own is None or (own.database, own.schema) == (read.database, read.schema):
        return []
    return [
        f"target `{own.name}` leads this pipeline to {own.database}.{own.schema}: give sfml.yaml a target with"
        f" `database: {read.database}` and `schema: {read.schema}` before you plan"
    ]
