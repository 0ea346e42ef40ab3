"""Saves plans in files, and checks later that nothing they are based on has changed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfml.base.atomic import write_whole
from sfml.base.errors import ConflictingState, SfmlError
from sfml.base.full_disk import is_disk_full
from sfml.base.release import VERSION
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import ApplyPlan
from sfml.operations.target_account import TargetAccount
from sfml.plan.diff import location
from sfml.plan.saved_plan import (
    Grounds,
    SavedPlan,
    desired_fingerprint,
    moved_on,
    observed_fingerprint,
    saved_json,
)
from sfml.render.plan import plan_json


def grounds_of(desired: DesiredGraph, work: ApplyPlan, target: TargetAccount) -> Grounds:
    """The state that the plan is based on: account, role, location, and fingerprints of both graphs."""
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
    compiled_spec: CompiledSpec,
    work: ApplyPlan,
    target: TargetAccount,
    *,
    variables: Mapping[str, str],
    user: str | None,
    resume: bool | None,
    adopt: bool,
) -> None:
    """Write the plan atomically. Raises `ConflictingState` if an apply is unfinished: the plan would not hold."""
    if work.journal is not None:
        raise ConflictingState(
            "an apply did not finish; a plan that is saved now would not hold",
            help=f"finish it first:  sfml apply {compiled_spec.desired.where}",
        )
    saved = SavedPlan(
        tool=VERSION,
        spec=compiled_spec.desired.spec_path,
        target=compiled_spec.desired.target.name,
        grounds=grounds_of(compiled_spec.desired, work, target),
        plan=plan_json(work.plan),
        variables=dict(variables),
        user=user,
        resume=resume,
        adopt=adopt,
    )
    try:
        write_whole(path, saved_json(saved).encode())
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise SfmlError(f"cannot write `{path}`: {cause.strerror}") from cause


def refuse_moved_on(
    argument: str, saved: SavedPlan, compiled_spec: CompiledSpec, work: ApplyPlan, target: TargetAccount
) -> None:
    """Raise `ConflictingState` if anything that the plan is based on has changed."""
    plan: Mapping[str, Any] = plan_json(work.plan)
    reasons = list(moved_on(saved, grounds_of(compiled_spec.desired, work, target), plan, VERSION))
    if work.journal is not None:
        reasons.append("another apply began since and did not finish")
    if reasons:
        raise ConflictingState(
            f"`{argument}` no longer holds: {'; '.join(reasons)}",
            help=f"look at it again:  sfml plan {shlex.quote(saved.spec)} -t {saved.target} --out {argument}",
        )
