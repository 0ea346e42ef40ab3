"""Plans in files: written by `plan --out`, carried out by `apply plan.json` if nothing moved on."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfml.base.errors import ConflictingState, SfmlError, UsageError
from sfml.base.release import VERSION
from sfml.cli.opening import opened
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import Opened
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import Planned
from sfml.operations.target_account import Connected
from sfml.plan.diff import location
from sfml.plan.saved import (
    Grounds,
    SavedPlan,
    desired_fingerprint,
    moved_on,
    observed_fingerprint,
    saved_from,
    saved_json,
)
from sfml.render.plan import plan_json


def is_saved_plan(argument: str) -> bool:
    """Whether the argument of `apply` names a plan rather than a spec."""
    return argument.endswith(".json")


def grounds_of(desired: DesiredGraph, work: Planned, target: Connected) -> Grounds:
    """What the plan stands on, as far as the connection tells."""
    connection = target.connection
    return Grounds(
        account=str(connection.account or ""),
        role=connection.role,
        location=location(desired),
        desired=desired_fingerprint(desired),
        observed=observed_fingerprint(work.observed),
    )


def save(
    path: Path,
    found: Opened,
    work: Planned,
    target: Connected,
    options: Options,
    *,
    resume: bool | None,
    adopt: bool,
) -> None:
    """Write the plan, whole or not at all; raises when an earlier apply is unfinished, which comes first."""
    if work.journal is not None:
        raise ConflictingState(
            "an apply did not finish; a plan that is saved now would not hold",
            help=f"finish it first:  sfml apply {found.desired.spec_path} -t {found.desired.target.name}",
        )
    saved = SavedPlan(
        tool=VERSION,
        spec=found.desired.spec_path,
        target=found.desired.target.name,
        grounds=grounds_of(found.desired, work, target),
        plan=plan_json(work.plan),
        variables=dict(options.variables),
        user=options.user,
        resume=resume,
        adopt=adopt,
    )
    try:
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(saved_json(saved))
        Path(temporary).replace(path)
    except OSError as cause:
        raise SfmlError(f"cannot write `{path}`: {cause.strerror}") from cause


def opened_plan(argument: str, options: Options) -> tuple[SavedPlan, Opened, Options]:
    """The plan of a file and its spec, read again for the target and with the variables it was made with."""
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
            f"`{argument}` cannot be read: {getattr(cause, 'strerror', None) or 'it is no text'}",
            help="name a plan that `sfml plan --out` wrote, or an entry file",
        ) from cause
    root = project_root(Path.cwd())
    if root is None or not (root / saved.spec).is_file():
        raise UsageError(
            f"`{argument}` is a plan of {saved.spec}, which is not in this project",
            help="run it in the project that it was made in",
        )
    own = dataclasses.replace(options, target=saved.target, variables=saved.variables, user=saved.user)
    return saved, opened(os.path.relpath(root / saved.spec), own), own


def refuse_moved_on(argument: str, saved: SavedPlan, found: Opened, work: Planned, target: Connected) -> None:
    """Raise unless everything that the plan stands on is as it was."""
    plan: Mapping[str, Any] = plan_json(work.plan)
    reasons = list(moved_on(saved, grounds_of(found.desired, work, target), plan, VERSION))
    if work.journal is not None:
        reasons.append("another apply began since and did not finish")
    if reasons:
        raise ConflictingState(
            f"`{argument}` no longer holds: {'; '.join(reasons)}",
            help=f"look at it again:  sfml plan {saved.spec} -t {saved.target} --out {argument}",
        )
