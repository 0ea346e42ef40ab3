"""Expanding tasks: defaults are merged below them, expressions evaluated, and each `for_each` becomes its members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.record import record
from sfml.base.source import Span
from sfml.spec.expressions import Names, evaluated
from sfml.spec.known_tasks import KnownTasks
from sfml.spec.model import ForeignPatch, TaskSpec
from sfml.spec.nodes import (
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    entries_of,
    is_null,
    map_of,
    plain,
    plain_word,
    texts_of,
)
from sfml.spec.patch import merged

MAX_TASKS = 3_000

_KINDS = ("step", "job", "call", "sql", "notify")
# The defaults that each kind of task takes: the settings of a compute pool have no meaning for a statement, and vice
# versa.
_ANYWHERE = frozenset(
    ("run_on", "timeout", "session_parameters", "execute_as_user", "log_level", "tags", "contacts")
)
_PROCEDURE = _ANYWHERE | {"packages", "external_access", "secrets"}
_JOB = _ANYWHERE | {"pip", "artifact_repositories", "external_access", "secrets", "env_vars"}


@record
class ExpandedTasks:
    """The tasks, the names of removed tasks, and the members of each `for_each` (`groups`).

    `passed` maps each empty `for_each` to its predecessors: tasks after it run after those. `unmet` holds the patches
    whose task does not exist.
    """

    tasks: tuple[TaskSpec, ...]
    removed: frozenset[str]
    groups: Mapping[str, tuple[str, ...]]
    passed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unmet: tuple[tuple[str, MapNode], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of the tasks and of the groups."""
        return frozenset((*(task.name for task in self.tasks), *self.groups))


def expanded_tasks(
    tasks: MapNode | None,
    defaults: MapNode | None,
    names: Names,
    findings: list[Diagnostic],
    bound: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    known: KnownTasks | None = None,
) -> ExpandedTasks:
    """Every task with its settings resolved, in the order written.

    `names` are the names that every expression may use, `bound` those that only one task's expressions may use.
    `known` are tasks of an earlier reading.
    """
    if tasks is not None and len(tasks.entries) > MAX_TASKS:
        findings.append(too_many_made(tasks))
        return ExpandedTasks((), frozenset(), {})
    expanded: list[TaskSpec] = []
    removed: set[str] = set()
    groups: dict[str, tuple[str, ...]] = {}
    passed: dict[str, tuple[str, ...]] = {}
    patches = _member_patches(tasks)
    of_members = frozenset(patches)
    for name, at, node in entries_of(tasks):
        settings = map_of(node) or MapNode({}, {}, node.span, node.path)
        if name in of_members:
            continue
        own = {**names, **bound.get(name, {})}
        each = settings.get("for_each")
        if each is None or is_null(each):

            def resolve(
                name: str = name, at: Span = at, settings: MapNode = settings, own: Names = own
            ) -> TaskSpec:
                return TaskSpec(name, at, _resolved(settings, defaults, own, findings))

            is_plain = known is not None and name not in bound
            task = known.resolved(name, node, resolve, findings) if known and is_plain else resolve()
            (expanded.append(task) if _is_enabled(task) else removed.add(name))
            continue
        members: list[str] = []
        before = len(findings)
        for suffix, values in bindings(each, own, findings):
            if len(expanded) > MAX_TASKS:
                findings.append(too_many_made(each))
                break
            inner = {**own, "each": MappingProxyType(values)}
            member = f"{name}_{suffix}"
            template = settings.without("for_each").without("allow_empty")
            written = merged(template, patches.pop(member, None))
            resolved = _resolved(map_of(written) or template, defaults, inner, findings)
            task = TaskSpec(member, at, resolved)
            if _is_enabled(task):
                members.append(task.name)
                expanded.append(task)
            else:
                removed.add(task.name)
        groups[name] = tuple(members)
        if not members and not any(other.startswith(f"{name}_") for other in removed):
            passed[name] = texts_before(settings)
            if (
                len(findings) == before
            ):  # otherwise a finding says already that this is neither list nor mapping
                findings.extend(empty_repetition(name, each, settings))
    return ExpandedTasks(
        tuple(expanded),
        frozenset(removed),
        MappingProxyType(groups),
        MappingProxyType(passed),
        tuple(patches.items()),
    )


def _member_patches(tasks: MapNode | None) -> dict[str, MapNode]:
    """The entries of a target's patch that changed no task and do not define one (they have no `step`, `sql`, …).

    Each is for one member of a `for_each`, whose name is known only once the `for_each` is expanded.
    """
    return {
        name: node
        for name, _, node in entries_of(tasks)
        if isinstance(node, MapNode) and node.path.startswith("targets.") and not says_what_to_run(node)
    }


def says_what_to_run(node: Node) -> bool:
    """Whether the settings define a whole task (`step`, `sql`, …) and not only changes of one."""
    return isinstance(node, MapNode) and any(kind in node.entries for kind in _KINDS)


def no_such_task(name: str, patch: Node, known: Iterable[str]) -> Diagnostic:
    """The finding for a patch whose task is not in the graph."""
    message = f"the patch is of task `{name}`, which the graph does not have"
    help = did_you_mean(name, known) or "name a task of the graph, or say what it runs: `step`, `sql`, …"
    return Diagnostic.error("SF216", message, at=patch.span, path=patch.path, help=help)


def no_patch_taken(patches: Sequence[ForeignPatch]) -> Diagnostic:
    """The finding for an entry of the project file whose task no pipeline has; `patches` holds one per pipeline."""
    name, at, path = patches[0].name, patches[0].at, patches[0].path
    known = dict.fromkeys(task for patch in patches for task in patch.known)
    help = did_you_mean(name, known)
    help = help or "name a task of a pipeline; a whole task belongs to the pipeline's own file"
    message = f"the patch is of task `{name}`, which no pipeline has"
    return Diagnostic.error("SF216", message, at=at, path=path, help=help)


def empty_repetition(name: str, each: Node, settings: MapNode) -> Iterator[Diagnostic]:
    """The finding for a `for_each` that makes no task, unless the spec allows it."""
    allowed = settings.get("allow_empty")
    if isinstance(allowed, ScalarNode) and allowed.value is True:
        if "outcomes" in settings.entries:
            message = f"the branch `{name}` is made for nothing, so its arms would run without a choice"
            help = "give `for_each` a value, or take the branch and its arms out: `enabled: false`"
            yield Diagnostic.error("SF215", message, at=each.span, path=each.path, help=help)
        return
    yield Diagnostic.error(
        "SF215",
        f"`for_each` of `{name}` is empty: it makes no task",
        at=each.span,
        path=each.path,
        help="give it a value, or add `allow_empty: true`: the tasks after it then run after the tasks before it",
    )


def texts_before(settings: MapNode) -> tuple[str, ...]:
    """The names in the task's `after`, apart from those that hold an expression."""
    return tuple(str(node.value) for node in texts_of(settings.get("after")) if "{{" not in str(node.value))


def too_many_made(node: Node) -> Diagnostic:
    """The finding for a repetition that makes more tasks than any graph can hold."""
    message = f"these are more than {MAX_TASKS:,} tasks; Snowflake takes 1,000 in a graph"
    return Diagnostic.error("SF104", message, at=node.span, path=node.path, help="make fewer")


def _is_enabled(task: TaskSpec) -> bool:
    enabled = task.settings.get("enabled")
    return not (isinstance(enabled, ScalarNode) and enabled.value is False)


def _resolved(
    settings: MapNode, defaults: MapNode | None, names: Names, findings: list[Diagnostic]
) -> MapNode:
    """The settings with the defaults of their kind of task below them, evaluated; SQL is left as written."""
    whole = merged(_fitting(settings, defaults), settings)
    assert isinstance(whole, MapNode)
    entries = {
        key: value if _is_sql(key, value) else evaluated(value, names, findings)
        for key, value in whole.entries.items()
    }
    # Findings about the task point at the place where the task was written, not at its defaults.
    key_spans = {**whole.key_spans, **settings.key_spans}
    return replace(whole, entries=entries, key_spans=key_spans, span=settings.span, path=settings.path)


def _is_sql(key: str, value: Node) -> bool:
    return key in ("sql", "when") and isinstance(value, ScalarNode)


def _fitting(settings: MapNode, defaults: MapNode | None) -> MapNode | None:
    if defaults is None:
        return None
    kind = next((kind for kind in _KINDS if kind in settings.entries), None)
    run_on = map_of(settings.get("run_on")) or map_of(defaults.get("run_on"))
    on_pool = run_on is not None and "pool" in run_on.entries
    wanted = _ANYWHERE
    if kind in ("step", "job"):
        wanted = _JOB if on_pool or kind == "job" else _PROCEDURE
    return replace(defaults, entries={key: value for key, value in defaults.entries.items() if key in wanted})


def bindings(each: Node, names: Names, findings: list[Diagnostic]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name's suffix and the values of `each` for every member of a `for_each`.

    A list binds `each.<name>` to an item; a mapping binds it to an entry's value, and `each.key` to the entry's key.
    """
    for name, _, node in entries_of(each):
        values = evaluated(node, names, findings)
        match values:
            case ListNode(items=items):
                for index, item in enumerate(items):
                    yield _suffix(item, index), {name: plain(item)}
            case MapNode(entries=entries):
                for key, value in entries.items():
                    yield _slug(key), {name: plain(value), "key": key}
            case _:
                message = f"`{name}` must be a list or a mapping to make a task for each of it"
                findings.append(Diagnostic.error("SF112", message, at=values.span, path=values.path))


def _suffix(item: Node, index: int) -> str:
    if isinstance(item, ScalarNode):
        return _slug(plain_word(item.value))
    named = item.get("name") if isinstance(item, MapNode) else None
    return _slug(str(plain(named))) if named is not None else str(index + 1)


def _slug(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_").lower() or "_"
