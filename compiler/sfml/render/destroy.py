"""What a destroy removes, as text and as the JSON of `destroy --output json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sfml.lower.desired import DesiredGraph
from sfml.plan.diff import location
from sfml.plan.stage_content import StageContent
from sfml.render.symbols import Symbols
from sfml.render.units import plural


def destroy_text(
    desired: DesiredGraph,
    names: Sequence[str],
    staged: StageContent | None,
    objects: Sequence[tuple[str, str]],
    symbols: Symbols,
    *,
    is_on: bool,
) -> str:
    """List everything that a destroy removes; the first line says how many tasks that is.

    `names` are the tasks in Snowflake, `objects` the (kind, name) pairs of other objects to remove, such as tables.
    """
    return "\n".join(_lines(desired, names, staged, objects, symbols, is_on))


def _lines(
    desired: DesiredGraph,
    names: Sequence[str],
    staged: StageContent | None,
    objects: Sequence[tuple[str, str]],
    symbols: Symbols,
    is_on: bool,
) -> Iterator[str]:
    minus = symbols["drop"]
    what = plural(len(names), "task")
    yield f"{desired.pipeline} {symbols['arrow']} {desired.target.name}  {location(desired)}   {what} to remove"
    yield ""
    spec_names = {task.name: task.task for task in desired.all_tasks}
    for name in names:
        if name == desired.root.name:
            yield f"  {minus} {name}   the root; its schedule is {'on' if is_on else 'off'}"
        else:
            yield f"  {minus} {spec_names.get(name) or name}"
    if staged is not None and staged.paths:
        yield f"  {minus} on the stage: {', '.join((*_counts(staged), 'files of runs'))}"
    for kind, name in objects:
        yield f"  {minus} {kind.lower()} {name}"
    yield ""
    yield (
        "Other tables and models stay." if objects else "Tables and models stay."
    ) + " A run that is executing loses its code; --wait-for-idle waits for its end."


def _counts(staged: StageContent) -> Iterator[str]:
    code = sum("/code/" in path for path in staged.archives)
    jobs = len(staged.archives) - code
    for count, noun in (
        (code, "code archive"),
        (jobs, "ML Job"),
        (len(staged.deployments), "kept deployment"),
    ):
        if count:
            yield plural(count, noun)


def destroy_json(
    desired: DesiredGraph,
    names: Sequence[str],
    staged: StageContent | None,
    objects: Sequence[tuple[str, str]],
    *,
    destroyed: bool,
) -> dict[str, Any]:
    """The object of `schemas/output/destroy.schema.json`, without `format_version`."""
    return {
        "pipeline": desired.pipeline,
        "target": desired.target.name,
        "tasks": list(names),
        "archives": sorted(staged.archives) if staged else [],
        "deployments": list(staged.deployments) if staged else [],
        "tables": [name for kind, name in objects if kind == "TABLE"],
        "models": [name for kind, name in objects if kind == "MODEL"],
        "destroyed": destroyed,
    }
