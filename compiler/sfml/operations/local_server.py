"""The local Snowflake of targets of kind `local`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.base.errors import ConflictingState, LocalServerError, NotSupportedYet

if TYPE_CHECKING:
    from sfml.frontend.compiled_spec import PlacedGraph
    from sfml.operations.target_watch import TargetWatch

LOCAL_FOLDER = Path(".sfml") / "local"
"""The folder of the local Snowflake, relative to the project's root."""


@contextmanager
def server_for(placed: PlacedGraph, watch: TargetWatch) -> Iterator[Mapping[str, Any] | None]:
    """The connection data of the local server during the block; if none runs, one is started and stopped at the end.

    None for a target that is an account.
    """
    if not placed.desired.target.is_local:
        yield None
        return
    from dataclasses import asdict

    from sfml_local import control

    require_local()
    folder = placed.root / LOCAL_FOLDER
    with (
        control_errors(),
        control.in_use(folder, starting=watch.starts_server) as info,
        watch.server_open(folder, info, placed.desired.target.name),
    ):
        for notice in info.notices:
            watch.warns(notice)
        yield asdict(info)


@contextmanager
def control_errors() -> Iterator[None]:
    """What the control of the local Snowflake raises, as errors of sfml."""
    from sfml_local.control import ControlError, RunsElsewhere

    try:
        yield
    except RunsElsewhere as error:
        raise ConflictingState(error.message, help=error.help) from error
    except ControlError as error:
        raise LocalServerError(error.message, help=error.help) from error


def has_compiled_parser() -> bool:
    """Whether sqlglot's parser is the compiled one of the distribution sqlglotc; nothing is imported."""
    from importlib.util import find_spec

    found = find_spec("sqlglot")
    folders = (found.submodule_search_locations if found is not None else None) or ()
    files = (file for folder in folders for file in Path(folder).glob("parser.*"))
    return any(file.suffix in (".so", ".pyd") for file in files)


def require_local() -> None:
    """Raise `NotSupportedYet` if the packages for the local Snowflake are not installed, or cannot be extended."""
    from importlib.util import find_spec

    if find_spec("fakesnow") is None:
        raise NotSupportedYet(
            "the local Snowflake is not installed", help='pip install "sfml-snowflake[local]"'
        )
    if has_compiled_parser():
        raise NotSupportedYet(
            "the local Snowflake does not run with sqlglotc, whose compiled parser cannot be extended",
            help="pip uninstall sqlglotc",
        )
