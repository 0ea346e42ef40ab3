"""`sfml compile SPEC`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from sfml.cli import output
from sfml.cli.opening import opened
from sfml.cli.options import Options, shared_options


@click.command()
@click.argument("spec")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write to.  [default: build/<pipeline>/<target> in the project]",
)
@shared_options()
def command(spec: str, out: Path | None, options: Options) -> int:
    """Write what SPEC compiles to: manifest.json, tasks.sql, graph.mmd and the step archives.

    Needs no account and no Snowflake packages; the same input gives the same bytes everywhere.
    """
    from sfml.lower.manifest import manifest_bytes
    from sfml.lower.write import write
    from sfml.render.mermaid import mermaid

    found = opened(spec, options)
    folder = out or found.root / "build" / found.desired.pipeline / found.desired.target.name
    assert found.reading.graph is not None
    written = write(found.desired, folder, mermaid(found.reading.graph))
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


def _shown(path: Path) -> str:
    """The path as a person in this folder would type it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
