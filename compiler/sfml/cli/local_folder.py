"""Which local Snowflake a command without a spec means."""

from __future__ import annotations

from pathlib import Path

from sfml.base.errors import UsageError
from sfml.operations.local_server import LOCAL_FOLDER
from sfml.spec.project import project_root


def folder() -> Path:
    """The local Snowflake of the project around the working directory."""
    root = project_root(Path.cwd())
    if root is None:
        raise UsageError(
            "there is no project here: no `sfml.yaml` in this folder or above it",
            help="run it in the project's folder",
        )
    return root / LOCAL_FOLDER
