"""Saved plans: `plan --out` writes them, `apply plan.json` applies them if nothing has changed since."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from sfml.base.errors import UsageError
from sfml.cli.inputs import compile_spec
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.plan.saved_plan import (
    SavedPlan,
    saved_from,
)


def is_saved_plan(argument: str) -> bool:
    """Whether the argument of `apply` is a saved plan, not a spec."""
    return argument.endswith(".json")


def read_saved_plan(argument: str, options: Options) -> tuple[SavedPlan, CompiledSpec, Options]:
    """The saved plan in a file, and its spec, compiled for the plan's target, variables and user."""
    from sfml.frontend.reading import project_root

    if options.target or options.variables or options.user:
        raise UsageError(
            "a saved plan knows its target, variables and user",
            help="leave --target, --var and --user out, or plan again with others",
        )
    path = Path(argument)
    try:
        saved = saved_from(path.read_text(encoding="utf-8"), argument)
    except (OSError, UnicodeDecodeError) as cause:
        raise UsageError(
            f"`{argument}` cannot be read: {getattr(cause, 'strerror', None) or 'it is not text'}",
            help="name a plan that `sfml plan --out` wrote, or an entry file",
        ) from cause
    root = project_root(Path.cwd())
    if root is None or not (root / saved.spec).is_file():
        raise UsageError(
            f"`{argument}` is a plan of {saved.spec}, which is not in this project",
            help="run it in the project that it was made in",
        )
    own = dataclasses.replace(options, target=saved.target, variables=saved.variables, user=saved.user)
    return saved, compile_spec(os.path.relpath(root / saved.spec), own), own
