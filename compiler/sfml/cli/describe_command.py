"""`sfml describe [SPEC…]`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.options import Options, shared_options, specs_argument

if TYPE_CHECKING:
    from sfml.spec.model import Project


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as --output json.")
@specs_argument()
@shared_options()
def command(specs: tuple[str, ...], as_json: bool, options: Options) -> int:
    """Describe the project for programs: pipelines and their tasks, steps with their signatures, targets, schemas.

    SPEC is an entry file, a folder, a glob or a pipeline's name; without one, every pipeline of the project is
    described. Specs with errors are described as far as they can be read; `sfml validate` says what is wrong.
    """
    from sfml.base.resources import schema_folder
    from sfml.catalog import StepCatalog
    from sfml.cli.inputs import read
    from sfml.cli.schema_command import NAMES
    from sfml.frontend.entry_files import entry_files, pipelines_of_project
    from sfml.render.description import ProjectDescription, description_json, description_text
    from sfml.spec.load import load_project
    from sfml.spec.project import project_root

    here = project_root(Path.cwd())
    is_empty = not specs and here is not None and not pipelines_of_project(here)
    files = () if is_empty else entry_files(specs)
    root = project_root(files[0].parent if files else Path.cwd())
    if root is None:
        raise UsageError("there is no project here", help="run it in a folder with sfml.yaml, or below one")
    readings = tuple(read(str(file), options) for file in files)
    project, _ = load_project(root)
    catalog = readings[0].catalog if readings else StepCatalog(root, project.steps if project else ())
    described = ProjectDescription(
        root=root.name,
        targets=tuple(project.targets) if project else (),
        default_target=_default_target(project),
        readings=readings,
        steps=tuple(catalog.steps()),
        schemas={name: (schema_folder() / f"{name}.schema.json").as_posix() for name in NAMES},
    )
    if replace(options, format="json" if as_json else options.format).json:
        output.say_json(description_json(described))
    elif not options.quiet:
        output.say(description_text(described))
    return 0


def _default_target(project: Project | None) -> str | None:
    """The target of commands without `--target`; None where `sfml.yaml` does not say which one that is."""
    from sfml.base.diagnostic import Diagnostic
    from sfml.spec.project import chosen_target

    chosen = chosen_target(project.document, None) if project is not None else None
    return None if chosen is None or isinstance(chosen, Diagnostic) else chosen[0]
