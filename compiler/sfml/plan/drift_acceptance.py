"""Writing drift back into the spec: the fix for each drifted field, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import available_timezones

from sfml.base.diagnostic import Fix
from sfml.base.fixes import text_at
from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.durations import in_words
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.plan.drift import Drift, DriftField, DriftKind
from sfml.plan.model import Comparable
from sfml.spec.compose import compose
from sfml.spec.edits import adding, node_at, replacing
from sfml.spec.model import PipelineSpec, TaskSpec
from sfml.spec.nodes import MapNode, Node, Plain, ScalarNode, map_of, plain
from sfml.spec.yaml_text import without_expressions

_TASK_KEYS: Mapping[str, tuple[str, ...]] = {
    "timeout_ms": ("timeout",),
    "warehouse": ("run_on", "warehouse"),
    "execute_as_user": ("execute_as_user",),
    "log_level": ("log_level",),
    "comment": ("comment",),
    "serverless.initial": ("run_on", "serverless", "initial"),
    "serverless.min": ("run_on", "serverless", "min"),
    "serverless.max": ("run_on", "serverless", "max"),
    "serverless.target_completion": ("run_on", "serverless", "target_completion"),
}
_ROOT_KEYS: Mapping[str, tuple[str, ...]] = {
    **{key: path for key, path in _TASK_KEYS.items() if key != "comment"},
    "schedule": ("schedule",),
    "overlap": ("overlap",),
    "retries": ("retries",),
    "suspend_after_failures": ("suspend_after_failures",),
    "on_error": ("alerts", "on_error"),
    "on_success": ("alerts", "on_success"),
    "when": ("when",),
}


@record
class AcceptableField:
    """A field that can be written back, with the fix that does it."""

    task: str
    path: str
    fix: Fix


@record
class UnacceptableField:
    """A field that cannot be written back, and why; `path` is empty for a whole task."""

    task: str
    path: str
    why: str


class _CannotBeWritten(Exception):
    """Raised where a field has no fix; its message is the reason."""


def acceptances(
    drifts: tuple[Drift, ...], spec: PipelineSpec, desired: DesiredGraph, sources: Mapping[str, str]
) -> Iterator[AcceptableField | UnacceptableField]:
    """The fix for each drifted field, or the reason why it has none.

    `sources` maps a file, relative to the project root, to its text.
    """
    tasks = {task.task: task for task in desired.all_tasks}
    specs = {task.name: task for task in (*spec.tasks, *spec.finalizers)}
    for drift in drifts:
        if drift.kind is DriftKind.REMOVED:
            yield UnacceptableField(
                drift.task, "", "the task is gone from the account: take it out of the spec by hand"
            )
            continue
        if drift.kind is DriftKind.ADDED:
            yield UnacceptableField(
                drift.task, "", "the task is not in the spec: write it there by hand, or drop it"
            )
            continue
        for field in drift.fields:
            try:
                is_root = drift.name == desired.root.name
                owner = None if is_root else specs.get(drift.task)
                task = desired.root if is_root else tasks.get(drift.task)
                if task is None or (owner is None and not is_root):
                    raise _CannotBeWritten("the spec has no such task any more")
                fix = _fix(field, task, owner, spec, sources)
                yield AcceptableField(drift.task, field.path, fix)
            except _CannotBeWritten as reason:
                yield UnacceptableField(drift.task, field.path, str(reason))


def _fix(
    field: DriftField,
    task: DesiredTask,
    owner: TaskSpec | None,
    spec: PipelineSpec,
    sources: Mapping[str, str],
) -> Fix:
    if field.path == "state":
        raise _CannotBeWritten(
            "a spec does not say whether a task is suspended: `enabled: false` takes it out"
        )
    keys = _keys(field, task, owner)
    value = _value(field, keys)
    settings, home = _home(keys, owner, spec, sources)
    node = _setting_at(settings, keys)
    if node is not None and _stands_in_place(node, keys, owner):
        source = sources.get(node.span.file)
        old = text_at(source, node.span) if source is not None else None
        if source is None or old is None:
            raise _CannotBeWritten(
                f"its value does not stand in a file of the project, but comes from {node.span.file}"
            )
        if "{{" in old:
            raise _CannotBeWritten(
                f"its value is an expression, {old.strip()}: change the values that it reads"
            )
        if value is None:
            raise _CannotBeWritten(
                f"it is unset in the account: take it out at {node.span.file}:{node.span.start.line}"
            )
        fix = replacing(source, node, value)
    else:
        if value is None:
            raise _CannotBeWritten("it is unset in the account, and set by a default for several tasks")
        source = sources[home.span.file]
        short = _short_schedule(home) if owner is None and keys[0] != "config" else None
        if short is not None:
            whole: Plain = {"schedule": plain(short), **_nested(keys, value)}
            fix = replacing(source, short, whole)
        else:
            fix = adding(source, *_deepest(home, keys, value))
    if fix is None:
        raise _CannotBeWritten("its place in the file is not clear: write it by hand")
    return fix


def _keys(field: DriftField, task: DesiredTask, owner: TaskSpec | None) -> tuple[str, ...]:
    """The keys of the setting: below the task, or below the schedule config or job config for the root.

    `owner` is None for the root. Raises `_CannotBeWritten` for a field without such a setting.
    """
    head, _, rest = field.path.partition(".")
    if head in ("session_parameters", "tags", "contacts") and rest:
        return (head, rest)
    if owner is None:
        if head == "config" and rest:
            return ("config", rest)
        if field.path == "comment":
            raise _CannotBeWritten("the root's comment is the pipeline's description: write it there by hand")
        keys = _ROOT_KEYS.get(field.path)
    else:
        if field.path == "when" and _is_own_condition(task, owner):
            return ("when",)
        if field.path == "definition" and isinstance(owner.settings.get("sql"), ScalarNode):
            return ("sql",)
        if head == "with" and rest and task.kind == "step":
            return ("with", rest)
        keys = _TASK_KEYS.get(field.path)
    if keys is None:
        raise _CannotBeWritten(_why_not(field.path))
    return keys


def _is_own_condition(task: DesiredTask, owner: TaskSpec) -> bool:
    """Whether the whole condition comes from `when` in the spec."""
    when = owner.settings.get("when")
    written = when.value if isinstance(when, ScalarNode) else None
    return not task.branch_of and task.condition == written


def _why_not(path: str) -> str:
    match path:
        case "code" | "step":
            return "the code was replaced in the account, and code is not read back"
        case "definition":
            return "the statement was replaced in the account: write it into the spec by hand"
        case "after" | "finalize":
            return "the order of tasks changed in the account: change `after` by hand"
        case "when":
            return "the condition comes from `outcomes` or `run_if`: change those by hand"
        case "record":
            return "the mark of sfml is gone from the root: `sfml apply --adopt` sets it again"
        case _:
            return "a spec has no such setting for it"


def _value(field: DriftField, keys: tuple[str, ...]) -> Plain:
    """The value in the account, as a spec writes it; None for an unset one."""
    now: Comparable = field.now
    if field.path == "timeout_ms" and isinstance(now, int):
        if now % 1000:
            raise _CannotBeWritten(f"{now} ms is not a whole number of seconds")
        return in_words(now // 1000)
    if field.path == "serverless.target_completion" and isinstance(now, int):
        return in_words(now)
    if field.path == "schedule":
        return _schedule(now)
    if isinstance(now, str):
        if not now:
            return None
        if keys[0] == "with" and "${" in now:
            raise _CannotBeWritten("it reads a reference in the account: write it by hand")
        return now if keys[-1] in ("when", "sql") else without_expressions(now)
    if now is None or isinstance(now, bool | int | float):
        return now
    raise _CannotBeWritten("the value is a list or mapping: write it by hand")


def _schedule(now: Comparable) -> Plain:
    words = str(now or "").split()
    match words:
        case []:
            return "manual"
        case ["cron", *fields, timezone]:
            return {"cron": " ".join(fields), "timezone": _zone(timezone)}
        case ["every", seconds, "s"]:
            return {"every": in_words(int(seconds))}
        case _:
            raise _CannotBeWritten(f"`{now}` is not a schedule that a spec has words for")


def _zone(folded: str) -> str:
    """The usual spelling of a time zone: `EUROPE/BERLIN` → `Europe/Berlin`."""
    return next((name for name in sorted(available_timezones()) if name.upper() == folded), folded)


def _home(
    keys: tuple[str, ...], owner: TaskSpec | None, spec: PipelineSpec, sources: Mapping[str, str]
) -> tuple[MapNode, MapNode]:
    """The resolved settings, and the mapping in a file to which a new setting is added."""
    if owner is not None:
        return owner.settings, _task_settings(owner.at, sources)
    if keys[0] == "config":
        graph = _document(spec.graph.span, sources)
        inner = map_of(graph.get("graph")) if graph.get("graph") is not None else graph
        return MapNode({"config": spec.config}, {}, spec.graph.span, ""), inner or graph
    file = _document(spec.schedule.span, sources)
    if "pipeline" not in file.entries:
        return spec.schedule, file
    inline = map_of(file.get("schedule"))
    if inline is not None and not _short_schedule(file):
        return spec.schedule, inline
    if file.get("schedule") is None:
        raise _CannotBeWritten("the pipeline has no schedule config to write it into: give it one")
    return spec.schedule, file


def _short_schedule(home: MapNode) -> Node | None:
    """The `schedule:` of an entry file if it is in the short form, without a schedule config around it; else None."""
    node = home.get("schedule") if "pipeline" in home.entries else None
    is_short = isinstance(node, ScalarNode) or (
        isinstance(node, MapNode) and any(key in node.entries for key in ("cron", "every", "on_stream"))
    )
    return node if is_short else None


def _nested(keys: tuple[str, ...], value: Plain) -> dict[str, Plain]:
    nested: dict[str, Plain] = {keys[-1]: value}
    for key in reversed(keys[:-1]):
        nested = {key: nested}
    return nested


def _task_settings(key: Span, sources: Mapping[str, str]) -> MapNode:
    """The settings of the task whose name has this span."""
    entry = node_at(_document(key, sources), key)
    if entry is None or not isinstance(entry[1], MapNode):
        raise _CannotBeWritten("the task is made by an include or `for_each`: write it by hand")
    return entry[1]


def _document(at: Span, sources: Mapping[str, str]) -> MapNode:
    node = compose(sources[at.file], at.file)[0] if at.file in sources else None
    if not isinstance(node, MapNode):
        raise _CannotBeWritten(f"{at.file} is not a file of the project")
    return node


def _setting_at(settings: MapNode, keys: tuple[str, ...]) -> Node | None:
    node: Node | None = settings
    for key in keys:
        node = node.get(key) if isinstance(node, MapNode) else None
    return node


def _stands_in_place(node: Node, keys: tuple[str, ...], owner: TaskSpec | None) -> bool:
    """Whether the value is written at the task itself, and not in a `defaults:` block for several tasks."""
    path = node.path.split(".")
    return "defaults" not in path[:3] or owner is None


def _deepest(home: MapNode, keys: tuple[str, ...], value: Plain) -> tuple[MapNode, str, Plain]:
    """The innermost mapping on the path of the keys that exists in the file, the key to add to it, and its value."""
    rest = list(keys)
    while len(rest) > 1 and isinstance(inner := home.get(rest[0]), MapNode):
        home = inner
        rest.pop(0)
    return home, rest[0], _nested(tuple(rest), value)[rest[0]]
