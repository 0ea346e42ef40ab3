"""`sfml init [DIR]`, `sfml init --example NAME [DIR]`"""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
import sys
from pathlib import Path

import click

from sfml.cli import output
from sfml.cli.examples import EXAMPLES, example_files, readme_commands
from sfml.cli.options import Options, shared_options
from sfml.cli.schema_command import NAMES

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_HIDDEN = {"gitignore": ".gitignore", "vscode": ".vscode"}
_NO_NAMES = ("null", "true", "false")
"""Names that YAML does not read as text."""
_TAKEN = frozenset(("sfml", "sfml_steps", "steps", "tests", "specs", "schemas", "conftest"))


@click.command()
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="The pipeline's name.  [default: from the folder's name]")
@click.option(
    "--example", metavar="NAME", help=f"Copy an example project instead, one of: {', '.join(EXAMPLES)}."
)
@shared_options()
def command(folder: Path, name: str | None, example: str | None, options: Options) -> int:
    """Create a small project with a pipeline, its steps and a test. It is valid, and runs on the local Snowflake.

    Writes into DIR, by default the current folder, and never overwrites a file.
    """
    from sfml.base.errors import UsageError

    if example is not None:
        if name is not None:
            raise UsageError("an example keeps its name", help="leave --name out")
        return _copy_example(example, folder, options)
    pipeline = name or name_after(folder.resolve().name)
    if not _WORD.fullmatch(pipeline) or pipeline.lower() in _NO_NAMES:
        raise UsageError(f"`{pipeline}` cannot be the name of a pipeline", help="use letters, digits and `_`")
    files = project_files(pipeline, package_for(pipeline))
    _write(folder, files)
    if options.json:
        output.say_json({"pipeline": pipeline, "folder": folder.as_posix(), "files": sorted(files)})
    elif not options.quiet:
        _say(pipeline, folder, files)
    return 0


def _copy_example(name: str, folder: Path, options: Options) -> int:
    from sfml.frontend.entry_files import pipeline_name, pipelines_of_project

    files = example_files(name)
    _write(folder, files)
    if options.json:
        (pipeline,) = map(pipeline_name, pipelines_of_project(folder))
        output.say_json({"pipeline": pipeline, "folder": folder.as_posix(), "files": sorted(files)})
    elif not options.quiet:
        place = folder.as_posix()
        output.say(f"Copied the example {name} into {place if place != '.' else 'this folder'}:")
        for path in files:
            output.say(f"  + {path}")
        output.say("Next, as README.md explains:")
        move = () if place == "." else (f"cd {place}",)
        for line in (*move, *readme_commands(files["README.md"].decode())):
            output.say(f"  {line}")
    return 0


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files below the folder. Raises `ConflictingState`, having written nothing, if one is there already."""
    from sfml.base.atomic import write_new
    from sfml.base.errors import ConflictingState, SfmlError
    from sfml.base.full_disk import is_disk_full

    there = [path for path in files if (folder / path).exists() or (folder / path).is_symlink()]
    if there:
        listed = ", ".join(f"`{path}`" for path in there[:5]) + (" …" if len(there) > 5 else "")
        raise ConflictingState(
            f"{folder.as_posix()} already has {listed}; nothing was written", help="choose an empty folder"
        )
    try:
        write_new(folder, files)
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise SfmlError(
            f"cannot write `{cause.filename}`: {cause.strerror}", help="name another folder: sfml init DIR"
        ) from cause


def _say(pipeline: str, folder: Path, files: dict[str, bytes]) -> None:
    place = folder.as_posix()
    output.say(f"Made the project {pipeline} in {place if place != '.' else 'this folder'}:")
    for path in files:
        if not path.startswith("schemas/"):
            output.say(f"  + {path}")
    output.say(f"  + schemas/ ({len(NAMES)} JSON Schemas, for editors)")
    move = "" if place == "." else f"cd {shlex.quote(place)} && "
    output.say(f"Next:  {move}sfml apply specs/{pipeline}.yaml --run")


def name_after(folder: str) -> str:
    """A valid pipeline name made from a folder's name."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")
    if name in _NO_NAMES:
        return f"{name}_pipeline"
    return name if _WORD.fullmatch(name) else f"pipeline_{name}".rstrip("_")


def package_for(pipeline: str) -> str:
    """The name of the step package: the pipeline's name, unless another Python module has it."""
    name = pipeline.lower()
    is_taken = name in _TAKEN or keyword.iskeyword(name) or name in sys.stdlib_module_names
    return f"{name}_steps" if is_taken or importlib.util.find_spec(name) is not None else name


def project_files(pipeline: str, package: str) -> dict[str, bytes]:
    """The files of a new project: path → content."""
    from sfml.base.resources import schema_folder, template_folder

    files: dict[str, bytes] = {}
    root = template_folder()
    for source in sorted(root.rglob("*.txt")):
        parts = source.relative_to(root).as_posix().removesuffix(".txt").split("/")
        path = "/".join((_HIDDEN.get(parts[0], parts[0]), *parts[1:]))
        text = source.read_text(encoding="utf-8")
        for word, value in (("PIPELINE", pipeline), ("PACKAGE", package)):
            path, text = path.replace(word, value), text.replace(word, value)
        files[path] = text.encode()
    for schema_name in NAMES:
        files[f"schemas/{schema_name}.schema.json"] = (
            schema_folder() / f"{schema_name}.schema.json"
        ).read_bytes()
    return files
