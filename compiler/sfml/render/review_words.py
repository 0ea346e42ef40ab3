"""Phrases that the text and the Markdown of a diff share, and the grouping of targets with the same changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sfml.base.quoting import folded
from sfml.cost.change import CostChange
from sfml.graph.model import Mode
from sfml.lower.desired import MLJobDefinitionSpec
from sfml.plan.model import Action, Change, Comparable, FieldChange
from sfml.render.cost import causes_words, change_words
from sfml.render.schedule import schedule_words
from sfml.render.units import plural
from sfml.review.model import CompiledTarget, Diff, PipelineDiff, Side, Status, TargetDiff, Times

VERBS = {
    Action.CREATE: "added",
    Action.ALTER: "changed",
    Action.REPLACE: "replaced",
    Action.MOVE: "renamed",
    Action.DROP: "removed",
}
_NAMES = ("after", "finalize")
"""Settings whose values are task names in Snowflake; a diff shows the names of the spec instead."""

Group = tuple[TargetDiff, ...]


def side_words(side: Side) -> str:
    """`main at 1c2d3e4`."""
    joint = "on" if side.is_work_tree else "at"
    return f"{side.name} {joint} {side.commit[:7]}"


def costs(diff: Diff, arrow: str) -> Iterator[tuple[str, str, str]]:
    """Pipeline, targets and `4.90 to 7.40 → 9.80 credits a month, by `train``; also of pipelines deployed as before."""
    for pipeline in diff.pipelines:
        targets: dict[CostChange, list[str]] = {}
        for target in pipeline.targets:
            if target.cost is not None:
                targets.setdefault(target.cost, []).append(target.target)
        for change, names in targets.items():
            credits = f"{change_words(change, arrow)} credits a month"
            yield pipeline.pipeline, ", ".join(names), f"{credits}{causes_words(change)}"


def old_findings(pipeline: PipelineDiff) -> str:
    """`1 error and 2 warnings were there before the change`."""
    errors = sum(finding.is_error for finding in pipeline.old_findings)
    warnings = len(pipeline.old_findings) - errors
    parts = [plural(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count]
    verb = "was" if errors + warnings == 1 else "were"
    return f"{' and '.join(parts)} {verb} there before the change"


def answer(diff: Diff) -> str:
    """The summary in the first line: `1 pipeline added, 2 pipelines changed`."""
    changed = [pipeline for pipeline in diff.pipelines if pipeline.status is not Status.UNCHANGED]
    if not diff.pipelines:
        return "no pipeline is reached by the change"
    if not changed:
        same = plural(len(diff.pipelines), "pipeline")
        return (
            f"no change of meaning: {same} {'is' if len(diff.pipelines) == 1 else 'are'} deployed as before"
        )
    broken = [pipeline for pipeline in changed if pipeline.status is Status.BROKEN]
    parts = []
    for status in (Status.ADDED, Status.CHANGED, Status.REMOVED):
        count = sum(pipeline.status is status for pipeline in changed)
        if count:
            parts.append(f"{plural(count, 'pipeline')} {status.value}")
    if broken:
        parts.append(f"{plural(len(broken), 'pipeline')} that cannot be compared")
    return ", ".join(parts)


def rest_words(diff: Diff) -> str | None:
    """The number of selected pipelines that did not change; None if there are none."""
    same = sum(pipeline.status is Status.UNCHANGED for pipeline in diff.pipelines)
    parts = []
    if same and not diff.is_empty:
        parts.append(f"{plural(same, 'pipeline')} reached and the same in meaning")
    if diff.untouched:
        parts.append(f"{plural(diff.untouched, 'pipeline')} not reached by the change")
    return ", ".join(parts) or None


def counts(target: TargetDiff) -> str:
    """`2 changed, 1 added, 6 unchanged`."""
    summary = target.summary
    parts = [f"{summary[action.value]} {verb}" for action, verb in VERBS.items() if summary[action.value]]
    if summary[Action.UNCHANGED.value]:
        parts.append(f"{summary[Action.UNCHANGED.value]} unchanged")
    return ", ".join(parts)


def sentence(target: TargetDiff) -> str:
    """`2 tasks changed, 1 added`; when no task changed, the number of changed settings of the target."""
    summary = target.summary
    changed = [(summary[action.value], verb) for action, verb in VERBS.items() if summary[action.value]]
    if not changed:
        return f"{plural(len(target.settings), 'setting')} of the target changed"
    first = f"{plural(changed[0][0], 'task')} {changed[0][1]}"
    return ", ".join([first, *(f"{count} {verb}" for count, verb in changed[1:])])


def groups(pipeline: PipelineDiff) -> tuple[Group, ...]:
    """The targets, grouped by equal changes; production targets first."""
    by_changes: dict[object, list[TargetDiff]] = {}
    for target in sorted(pipeline.targets, key=lambda one: not is_production(one)):
        by_changes.setdefault(_comparison_key(target), []).append(target)
    return tuple(tuple(group) for group in by_changes.values())


def _comparison_key(target: TargetDiff) -> object:
    times = (target.old_times, target.new_times) if target.changes_times else None
    changes = tuple(
        repr(replace(change, fields=_without_defaults(change, target))) for change in target.changed
    )
    return (target.status, changes, repr(target.settings), target.risks, target.notes, repr(times))


def _without_defaults(change: Change, target: TargetDiff) -> tuple[FieldChange, ...]:
    """The fields, without the warehouse and pool of a new task when they are its target's defaults."""
    side = target.head
    if change.action is not Action.CREATE or side is None:
        return change.fields
    own = {"warehouse": folded(side.graph.target.warehouse), "pool": side.graph.target.compute_pool}
    return tuple(field for field in change.fields if field.path not in own or field.new != own[field.path])


def is_production(target: TargetDiff) -> bool:
    side = target.head or target.base
    return side is not None and side.graph.target.mode is Mode.PRODUCTION


def group_names(group: Iterable[TargetDiff]) -> str:
    return ", ".join(target_diff.target for target_diff in group)


def spec_names(target: TargetDiff) -> Mapping[str, str]:
    """Task names in Snowflake → names in the spec, for both sides; the root is called `(root)`."""
    names: dict[str, str] = {}
    for side in (target.base, target.head):
        if side is not None:
            names |= {task.name: task.task or "(root)" for task in side.desired.all_tasks}
    return names


def in_spec_names(field: FieldChange, names: Mapping[str, str]) -> FieldChange:
    """The change with the task names of the spec."""
    if field.path not in _NAMES:
        return field

    def renamed(value: Comparable) -> Comparable:
        if isinstance(value, tuple):
            return tuple(names.get(str(item), str(item)) for item in value)
        return names.get(value, value) if isinstance(value, str) else value

    return replace(field, old=renamed(field.old), new=renamed(field.new))


def description(change: Change, target: TargetDiff) -> str:
    """`after prepare_data, ML Job on pool ML_POOL`: the description of an added or removed task."""
    side = target.base if change.action is Action.DROP else target.head
    if side is None:
        return ""
    task = next((one for one in side.desired.all_tasks if one.name == change.name), None)
    if task is None:
        return ""
    if task is side.desired.root:
        return "the root"
    names = {other.name: other.task or other.name for other in side.desired.all_tasks}
    parents = [names.get(name, name) for name in task.predecessors if name != side.desired.root.name]
    first = "finalizer" if task.finalize else f"after {', '.join(parents)}" if parents else "first"
    return f"{first}, {compute(task.name, side)}"


def compute(name: str, side: CompiledTarget) -> str:
    """Where the task runs: `on warehouse ML_WH`, `ML Job on pool ML_POOL`, `serverless`."""
    task = side.desired.task(name)
    if isinstance(task.definition, MLJobDefinitionSpec):
        return f"ML Job on pool {task.definition.pool}"
    return f"on warehouse {task.warehouse}" if task.warehouse else "serverless"


def place_words(field: FieldChange) -> str:
    """`specs/clv.yaml:14`, and the old value's place if it differs: `specs/clv.yaml:14 (was specs/clv.yaml:9)`."""
    old, new = field.old_place, field.place
    if old is None or old == new or new is None:
        return new or (f"was {old}" if old else "")
    return f"{new} (was {old})"


def times_words(times: Times | None) -> str:
    """The schedule in words; `nothing` when there is none."""
    return "nothing" if times is None else schedule_words(times.schedule)


def runs_words(times: Times) -> str:
    """The number of runs in thirty days, for a cron or interval schedule."""
    return "no schedule" if times.runs is None else f"{times.runs:,}"


def shown_groups(pipeline: PipelineDiff) -> Iterator[Group]:
    """The groups of targets that change, or that cannot be compared."""
    return (group for group in groups(pipeline) if group[0].status is not Status.UNCHANGED)


def unchanged_targets(pipeline: PipelineDiff) -> tuple[str, ...]:
    return tuple(target.target for target in pipeline.targets if target.status is Status.UNCHANGED)
