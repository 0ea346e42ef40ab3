"""`sfml compile SPEC…`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.inputs import compile_spec
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.frontend.compiled_spec import CompiledSpec

if TYPE_CHECKING:
    from sfml.graph.model import TaskGraph
    from sfml.lower.desired import DesiredGraph


@click.command()
@specs_argument()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The output folder.  [default: build/<pipeline>/<target> in the project]",
)
@click.option("--page", is_flag=True, help="Also draw the graph: graph.html (interactive) and graph.svg.")
@shared_options()
def command(specs: tuple[str, ...], out: Path | None, page: bool, options: Options) -> int:
    """Compile SPEC: write manifest.json, tasks.sql, graph.mmd and the step archives.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    Needs no account and no Snowflake packages; the same input gives the same bytes everywhere.
    """
    from sfml.frontend.entry_files import is_single, narrowed

    if out is not None:
        specs = narrowed(specs)
    if is_single(specs):
        compiled = _write(compile_spec(specs[0], options), out, page, options)
        if options.json:
            output.say_json(compiled)
        return 0
    if out is not None:
        raise UsageError(
            "--out takes one pipeline", help="name one by its file or its name, or leave --out out"
        )
    from sfml.cli.pipelines import compile_specs, each, failures, say_json_of

    results = each(
        compile_specs(specs, options),
        lambda compiled_spec: _write(compiled_spec, None, page, options),
        options,
    )
    if options.json:
        say_json_of(results)
    return 1 if failures(results) else 0


def _write(compiled_spec: CompiledSpec, out: Path | None, page: bool, options: Options) -> Mapping[str, Any]:
    """Write the files of one pipeline, and print their paths; returns its manifest without `format_version`."""
    from sfml.lower.manifest import manifest_bytes
    from sfml.lower.write import write
    from sfml.render.mermaid import mermaid

    desired = compiled_spec.desired
    folder = out or compiled_spec.root / "build" / desired.pipeline / desired.target.name
    assert compiled_spec.reading.graph is not None
    pictures = _pictures(compiled_spec.reading.graph, desired) if page else None
    written = write(desired, folder, mermaid(compiled_spec.reading.graph), pictures)
    if options.speaks:
        output.say(
            f"{desired.pipeline} for {desired.target.name}: {len(desired.all_tasks)} tasks, the root included"
        )
        for path in written:
            output.say(f"  {_shown(path)}")
        output.say(f"Next:  sfml plan {desired.where}")
    payload: dict[str, Any] = json.loads(manifest_bytes(desired)) if options.json else {}
    payload.pop("format_version", None)
    return payload


def _pictures(graph: TaskGraph, desired: DesiredGraph) -> Mapping[str, str]:
    from sfml.render.page.drawing import drawing_of
    from sfml.render.page.html import html
    from sfml.render.page.svg import svg
    from sfml.review.model import CompiledTarget

    drawing = drawing_of(CompiledTarget(graph, desired, desired.fingerprint))
    return {"graph.svg": svg(drawing), "graph.html": html(drawing.title, (drawing,))}


def _shown(path: Path) -> str:
    """The path relative to the working directory, if it is below it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
