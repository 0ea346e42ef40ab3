"""The text of `sfml` without a command: the first commands to use in this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sfml.base.release import VERSION
from sfml.frontend.entry_files import pipeline_name, pipelines_of_project
from sfml.spec.project import PROJECT_FILE, project_root

_SHOWN = 5
"""The maximum number of pipelines that are named; more are counted."""

_WITHOUT_PROJECT = (
    ("sfml init shop", "make a project in the folder shop, with one pipeline"),
    ("cd shop", ""),
    ("sfml validate", "check it: no account and no Snowflake packages needed"),
    ("sfml test", "execute its tests"),
    ("sfml apply --run", "deploy it to a local Snowflake, and run it once"),
    ("sfml status", "see its state"),
)
_IN_PROJECT = (
    ("sfml validate", "check every pipeline for every target"),
    ("sfml test", "execute the tests of the graphs"),
    ("sfml plan", "see what apply would change"),
    ("sfml apply --run", "deploy what differs, and run it once"),
    ("sfml status", "see the state of each pipeline"),
)


def welcome_text() -> str:
    """The text, for a folder inside or outside of a project."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    root = project_root(Path.cwd())
    yield f"sfml {VERSION}: reviewed YAML compiled into Snowflake task graphs for machine learning."
    yield ""
    if root is None:
        yield f"There is no project here (no {PROJECT_FILE}). Begin with one:"
    else:
        yield _project_line(root)
    yield ""
    steps = _WITHOUT_PROJECT if root is None else _IN_PROJECT
    width = max(len(command) for command, _ in steps)
    yield from (f"  {command:<{width}}   {what}".rstrip() for command, what in steps)
    yield ""
    if root is not None:
        yield "Each takes files, folders, globs or names of pipelines, and -t TARGET."
    yield "Every command:  sfml --help"


def _project_line(root: Path) -> str:
    names = [pipeline_name(path) or path.stem for path in pipelines_of_project(root)]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    count = f"{len(names)} pipeline{'' if len(names) == 1 else 's'}"
    place = Path(os.path.relpath(root / PROJECT_FILE)).as_posix()
    return f"The project of {place} has {count}{f': {shown}' if names else ''}."
