"""`sfml schema [NAME]`"""

from __future__ import annotations

from pathlib import Path

import click

from sfml.cli import output
from sfml.cli.options import Options, shared_options

NAMES = ("project", "pipeline", "job_config", "schedule_config", "tasks", "tests", "policies")
"""The kinds of YAML files with a schema; `tasks` is a file for `include`."""


@click.command()
@click.argument("name", required=False, type=click.Choice(NAMES), metavar="[NAME]")
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write all schemas into this folder, for editors.",
)
@shared_options()
def command(name: str | None, folder: Path | None, options: Options) -> int:
    """Print the JSON Schema of one kind of file, or write all schemas into a folder, for editors.

    NAME is project, pipeline, job_config, schedule_config, tasks, tests or policies; without it the names are listed.
    """
    if name and folder:
        raise click.UsageError("--write writes all of them; leave out the name")
    if folder:
        return _write(folder, options)
    from sfml.base.resources import schema, schema_folder

    if name:
        # The schema itself is the result: it is printed unchanged for every --output.
        output.say_document(
            (schema_folder() / f"{name}.schema.json").read_text(encoding="utf-8").rstrip("\n")
        )
        return 0
    described = {
        schema_name: str(schema(f"{schema_name}.schema.json").get("description", "")) for schema_name in NAMES
    }
    if options.json:
        output.say_json({"schemas": [{"name": one, "description": text} for one, text in described.items()]})
        return 0
    width = max(map(len, NAMES))
    for one, text in described.items():
        output.say(f"{one:<{width}}  {text}")
    output.say("\nNext:  sfml schema --write schemas")
    return 0


def _write(folder: Path, options: Options) -> int:
    from sfml.base.errors import UsageError
    from sfml.base.resources import schema_folder

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for schema_name in NAMES:
            path = folder / f"{schema_name}.schema.json"
            path.write_bytes((schema_folder() / path.name).read_bytes())
            written.append(path.as_posix())
    except OSError as cause:
        raise UsageError(f"cannot write to `{folder}`: {cause.strerror or cause}") from cause
    if options.json:
        output.say_json({"written": written})
    elif not options.quiet:
        output.say(f"wrote {len(written)} schemas to {folder.as_posix()}")
        output.say("Next: begin a spec with  # yaml-language-server: $schema=…/pipeline.schema.json")
    return 0
