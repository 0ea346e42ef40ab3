"""The object of `sfml diff --output json`: `schemas/output/diff.schema.json` without `format_version`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml.lower.desired import DesiredGraph
from sfml.plan.model import Action
from sfml.render.cost import change_json as cost_change_json
from sfml.render.json import diagnostic_json
from sfml.render.plan import change_json, field_json, risk_json
from sfml.render.schedule import schedule_words
from sfml.review.model import CompiledTarget, Diff, PipelineDiff, Side, TargetDiff, Times


def diff_json(diff: Diff) -> Mapping[str, Any]:
    """The diff as JSON: each pipeline under `pipelines`; under `targets`, the changes of all pipelines as in a plan."""
    return {
        "base": _side(diff.base),
        "head": _side(diff.head),
        "now": diff.now.isoformat(),
        "is_empty": diff.is_empty,
        "pipelines": [_pipeline(pipeline) for pipeline in diff.pipelines],
        "untouched": diff.untouched,
        "targets": {name: _target_changes(diff, name) for name in _target_names(diff)},
        "notes": list(diff.notes),
    }


def _side(side: Side) -> dict[str, Any]:
    return {"ref": side.name, "commit": side.commit, "is_work_tree": side.is_work_tree}


def _target_names(diff: Diff) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target.target for pipeline in diff.pipelines for target in pipeline.targets))


def _target_changes(diff: Diff, name: str) -> dict[str, Any]:
    every = [
        (pipeline, target)
        for pipeline in diff.pipelines
        for target in pipeline.targets
        if target.target == name
    ]
    return {
        "summary": {action.value: sum(one.summary[action.value] for _, one in every) for action in Action},
        "changes": [
            {"pipeline": pipeline.pipeline, **change_json(change)}
            for pipeline, one in every
            for change in one.changes
        ],
    }


def _pipeline(pipeline: PipelineDiff) -> dict[str, Any]:
    return {
        "pipeline": pipeline.pipeline,
        "spec": pipeline.spec,
        "status": pipeline.status.value,
        "files": [{"path": file.path, "status": file.status} for file in pipeline.files],
        "base_findings": [diagnostic_json(finding) for finding in pipeline.base_findings],
        "head_findings": [diagnostic_json(finding) for finding in pipeline.head_findings],
        "old_findings": [diagnostic_json(finding) for finding in pipeline.old_findings],
        "targets": {target.target: _target(target) for target in pipeline.targets},
    }


def _target(target: TargetDiff) -> dict[str, Any]:
    return {
        "status": target.status.value,
        "location": _location(target.head),
        "old_location": _location(target.base),
        "fingerprint": target.head.fingerprint if target.head else None,
        "summary": dict(target.summary),
        "settings": [field_json(field) for field in target.settings],
        "schedule": {"old": _times(target.old_times), "new": _times(target.new_times)},
        "risks": [risk_json(risk) for risk in target.risks],
        "notes": list(target.notes),
        **_cost(target),
    }


def _cost(target: TargetDiff) -> dict[str, Any]:
    """The credits a month of both sides, where they differ."""
    change = target.cost
    if change is None:
        return {}
    return {"cost": cost_change_json(change)}


def _location(side: CompiledTarget | None) -> str | None:
    return location_of(side.desired) if side else None


def location_of(desired: DesiredGraph) -> str:
    """`ML_PROD.CLV`."""
    return f"{desired.target.database}.{desired.target.schema}"


def _times(times: Times | None) -> dict[str, Any] | None:
    if times is None:
        return None
    return {
        "words": schedule_words(times.schedule),
        "next_runs": [at.isoformat() for at in times.next_runs],
        "runs_in_30_days": times.runs,
        "clock_changes": [
            {"at": change.at.isoformat(), "effect": "skipped" if change.is_skipped else "repeated"}
            for change in times.clock_changes
        ],
    }
