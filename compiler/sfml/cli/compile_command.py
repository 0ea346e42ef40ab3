"""`sfml compile SPEC`"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.opening import opened
from sfml.cli.options import Options, shared_options

if TYPE_CHECKING:
    from sfml.graph.model import TaskGraph
    from sfml.lower.desired import DesiredGraph


@click.command()
@click.argument("spec")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write to.  [default: build/<pipeline>/<target> in the project]",
)
@click.option("--page", is_flag=True, help="Also draw the graph: graph.html to explore, graph.svg to show.")
@shared_options()
def command(spec: str, out: Path | None, page: bool, options: Options) -> int:
    """Write what SPEC compiles to: manifest.json, tasks.sql, graph.mmd and the step archives.

    Needs no account and no Snowflake packages; the same input gives the same bytes everywhere.
    """
    from sfml.lower.manifest import manifest_bytes
    from sfml.lower.write import write
    from sfml.render.mermaid import mermaid

    found = opened(spec, options)
    folder = out or found.root / "build" / found.desired.pipeline / found.desired.target.name
    assert found.reading.graph is not None
    pictures = _pictures(found.reading.graph, found.desired) if page else None
    written = write(found.desired, folder, mermaid(found.reading.graph), pictures)
    if options.json:
        payload = json.loads(manifest_bytes(found.desired))
        payload.pop("format_version", None)
        output.say_json(payload)
    elif not options.quiet:
        tasks = len(found.desired.all_tasks)
        output.say(
            f"{found.desired.pipeline} for {found.desired.target.name}: {tasks} tasks, the root included"
        )
        for path in written:
            output.say(f"  {_shown(path)}")
        output.say(f"Next:  sfml plan {found.desired.spec_path} -t {found.desired.target.name}")
    return 0


def _pictures(graph: TaskGraph, desired: DesiredGraph) -> Mapping[str, str]:
    from sfml.render.page.drawing import drawing_of
    from sfml.render.page.html import html
    from sfml.render.page.svg import svg
    from sfml.review.model import Compiled

    drawing = drawing_of(Compiled(graph, desired, desired.fingerprint))
    return {"graph.svg": svg(drawing), "graph.html": html(drawing.title, (drawing,))}


def _shown(path: Path) -> str:
    """The path as a person in this folder would type it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
