"""Which local Snowflake a command means: that of a folder, of the project here, or the user's own."""

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
    """Adds the option that names the folder; the command takes it as `place: Path`."""

    @click.option(
        "--folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where its data lives. Else .sfml/local of the project here, or a folder of yours outside of projects.",
    )
    @functools.wraps(function)
    def command(folder: Path | None, **arguments: Any) -> Any:
        return function(place=place_of_server(folder), **arguments)

    return command  # type: ignore[return-value]


def place_of_server(folder: Path | None) -> Path:
    """The folder that was named, else that of the project around the working directory, else the user's own.

    Raises `ConflictingState` for a folder that holds something else: the server would write beside it, and a reset
    delete it.
    """
    from sfml.local.process import is_ours

    if folder is None:
        return _default()
    place = folder.expanduser().absolute()
    if not is_ours(place):
        raise ConflictingState(
            f"`{place}` is not empty and holds no local Snowflake",
            help="name an empty folder, or one that is not there yet",
        )
    return place


def _default() -> Path:
    root = project_root(Path.cwd())
    if root is not None:
        return root / LOCAL_FOLDER
    require_local()
    from sfml.local.process import user_folder

    return user_folder()
