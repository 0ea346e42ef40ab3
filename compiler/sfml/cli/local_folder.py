"""Finds the folder of the local Snowflake for a command: a named one, the project's, or the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sfml.base.errors import ConflictingState
from sfml.operations.local_server import LOCAL_FOLDER, require_local
from sfml.spec.project import project_root

F = TypeVar("F", bound=Callable[..., Any])


def local_folder(function: F) -> F:
    """Adds the option --folder; the command receives the folder of the local Snowflake as `place: Path`."""

    @click.option(
        "--folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder of its data.  [default: the project's .sfml/local; outside of projects, your user folder]",
    )
    @functools.wraps(function)
    def command(folder: Path | None, **arguments: Any) -> Any:
        return function(place=place_of_server(folder), **arguments)

    return command  # type: ignore[return-value]


def place_of_server(folder: Path | None) -> Path:
    """The named folder; by default that of the current project, or the user's own outside of projects.

    Raises `ConflictingState` for a folder with other files: the server would write beside them, and a reset would
    delete them.
    """
    from sfml_local.control import is_ours

    if folder is None:
        return _default()
    place = folder.expanduser().absolute()
    if not is_ours(place):
        raise ConflictingState(
            f"`{place}` is not empty and holds no local Snowflake",
            help="name an empty folder, or one that does not exist yet",
        )
    return place


def _default() -> Path:
    root = project_root(Path.cwd())
    if root is not None:
        return root / LOCAL_FOLDER
    require_local()
    from sfml_local.control import user_folder

    return user_folder()
