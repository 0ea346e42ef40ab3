"""The fingerprint of a review: an apply can demand that it deploys exactly what was reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from sfml.base.errors import ConflictingState, UsageError
from sfml.base.quoting import folded
from sfml.graph.model import Mode, Target
from sfml.lower.canonical import fingerprint
from sfml.lower.desired import DesiredGraph
from sfml.plan.saved_plan import desired_fingerprint

_NAMES = ("database", "schema", "warehouse", "stage", "owner_role", "compute_pool")
LENGTH = 64
"""The number of hexadecimal digits. All are required: an author could find two specs whose fingerprints begin alike."""


def reviewed_fingerprint(desired: DesiredGraph) -> str:
    """The fingerprint over tasks, code, pipeline and target settings; places in files are not part of it."""
    seeds = [[seed.table, seed.file] for seed in desired.seeds]
    return fingerprint(
        {
            "pipeline": desired.pipeline,
            "target": dict(target_settings(desired.target)),
            "desired": desired_fingerprint(desired),
            "overridable": list(desired.overridable),
            "seeds": sorted(seeds),
        }
    )


def target_settings(target: Target) -> Iterator[tuple[str, bool | int | str | None]]:
    """The settings of a target with their values, without its name; those of a new pool one by one."""
    for field in fields(target):
        value = getattr(target, field.name)
        if is_dataclass(value):
            yield from ((f"{field.name}.{inner.name}", getattr(value, inner.name)) for inner in fields(value))
        elif field.name in _NAMES and value is not None:
            yield field.name, folded(value)
        elif field.name != "name":
            yield field.name, str(value) if isinstance(value, Mode) else value


def demand_reviewed(desired: DesiredGraph, wanted: str) -> None:
    """Raise `ConflictingState` unless the graph has the fingerprint, and `UsageError` if `wanted` is not one."""
    demanded = wanted.strip().lower()
    if len(demanded) != LENGTH or set(demanded) - set("0123456789abcdef"):
        raise UsageError(
            f"`{wanted[:80]}` is not a fingerprint",
            help=f"`sfml diff` prints them: {LENGTH} hexadecimal digits",
        )
    fingerprint_now = reviewed_fingerprint(desired)
    if fingerprint_now != demanded:
        raise ConflictingState(
            f"what would be deployed to `{desired.target.name}` is not what was reviewed:"
            f" its fingerprint is {fingerprint_now}, and {demanded} was demanded",
            help="check out the commit that was reviewed, with the variables and the user it was reviewed with,"
            " or have this one reviewed:  sfml diff",
        )
