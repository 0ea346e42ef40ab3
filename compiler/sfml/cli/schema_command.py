"""`sfml schema [NAME]`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
@click.option(
    "--project",
    "with_names",
    is_flag=True,
    help="Let the schemas propose the steps, tasks, targets and other names of this project.",
)
@shared_options()
def command(name: str | None, folder: Path | None, with_names: bool, options: Options) -> int:
    """Print the JSON Schema of one kind of file, or write all schemas into a folder, for editors.

    NAME is project, pipeline, job_config, schedule_config, tasks, tests or policies; without it the names are listed.
    `sfml lsp` needs no schemas; they are for editors without a server.
    """
    if name and folder:
        raise click.UsageError("--write writes all of them; leave out the name")
    if with_names and not (name or folder):
        raise click.UsageError("--project needs a name, or --write")
    if folder:
        return _write(folder, with_names, options)
    from sfml.base.resources import schema

    if name:
        # The schema itself is the result: it is printed unchanged for every --output.
        schemas = _with_names(options)[0] if with_names else None
        output.say_document(_content(f"{name}.schema.json", schemas).decode().rstrip("\n"))
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


def _with_names(options: Options) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """The schemas with the names of the project here, and the files of the project that each is for."""
    from sfml.base.errors import UsageError
    from sfml.catalog import StepCatalog
    from sfml.cli.inputs import read
    from sfml.frontend.entry_files import pipelines_of_project
    from sfml.render.project_schemas import project_names, project_schemas
    from sfml.spec.load import load_project
    from sfml.spec.project import project_root

    root = project_root(Path.cwd())
    if root is None:
        raise UsageError("there is no project here", help="run it in a folder with sfml.yaml, or below one")
    readings = [read(str(file), options) for file in pipelines_of_project(root)]
    project, _ = load_project(root)
    catalog = StepCatalog(root, project.steps if project else ())
    names = project_names(readings, catalog.steps(), project.targets if project else ())
    files: dict[str, list[str]] = {}
    for reading in readings:
        for file, schema in reading.loaded.schemas.items():
            shown = f"{reading.prefix}{file}"
            if shown not in files.setdefault(schema, []):
                files[schema].append(shown)
    return project_schemas(names, [f"{one}.schema.json" for one in NAMES]), files


def _content(file: str, schemas: dict[str, dict[str, Any]] | None) -> bytes:
    """The bytes of a schema: as it is in the package, or with the names of a project."""
    from sfml.base.resources import schema_folder

    if schemas is None:
        return (schema_folder() / file).read_bytes()
    return f"{json.dumps(schemas[file], indent=2, ensure_ascii=False)}\n".encode()


def _write(folder: Path, with_names: bool, options: Options) -> int:
    from sfml.base.errors import UsageError
    from sfml.base.full_disk import is_disk_full

    schemas, files = _with_names(options) if with_names else (None, {})
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in NAMES:
            path = folder / f"{one}.schema.json"
            path.write_bytes(_content(path.name, schemas))
            written.append(path.as_posix())
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise UsageError(f"cannot write to `{folder}`: {cause.strerror or cause}") from cause
    if options.json:
        output.say_json({"written": written})
    elif not options.quiet:
        output.say(f"wrote {len(written)} schemas to {folder.as_posix()}")
        output.say("Next: begin a spec with  # yaml-language-server: $schema=…/pipeline.schema.json")
        if files:
            settings = {f"{folder.as_posix()}/{schema}": each for schema, each in sorted(files.items())}
            output.say("or set for the YAML language server:\n")
            output.say(json.dumps({"yaml.schemas": settings}, indent=2, ensure_ascii=False))
    return 0
