"""What a picture shows, as data: cards for tasks, wires for edges, and what is written on the page about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sfml.base.record import record
from sfml.graph.model import OnPool, OnWarehouse, Serverless
from sfml.lower.bodies import kind_of
from sfml.lower.desired import DesiredTask
from sfml.plan.model import Action, Change, FieldChange, Risk
from sfml.render.merged import ROOT, MergedGraph, MergedTask, merged
from sfml.render.mermaid import compute_words
from sfml.render.review_words import VERBS, in_spec_names, spec_names
from sfml.render.schedule import schedule_words
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget, Status, TargetDiff

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_QUIET = frozenset({"after", "finalize", "session_parameters.QUERY_TAG"})
"""Settings that the picture itself shows, or that all tasks have."""

_STEP = "WITH SFML_STEP AS PROCEDURE"
"""What the body of every step begins with; what it runs and with what stands in settings of their own."""


@record
class Card:
    """A task, or the root. `kind` and `place` (where it runs) have icons; `lines` stand below the name."""

    name: str
    kind: str
    place: str | None
    lines: tuple[str, ...]
    action: Action = Action.UNCHANGED
    is_branch: bool = False
    is_finalizer: bool = False
    about: tuple[str, ...] = ()
    """Sentences for the opened task."""
    outcomes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    changes: tuple[FieldChange, ...] = ()
    settings: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    code: str | None = None
    fingerprint: str = ""
    written: str | None = None
    """`file:line` of the task itself."""


@record
class Wire:
    """An edge between cards, by their numbers; `below` is None where an outcome starts nothing."""

    above: int
    below: int | None
    label: str
    action: Action


@record
class Drawing:
    """One pipeline in one target; the root's card is the first."""

    title: str
    about: tuple[str, ...]
    cards: tuple[Card, ...]
    wires: tuple[Wire, ...]
    is_diff: bool
    settings: tuple[FieldChange, ...] = ()
    warnings: tuple[str, ...] = ()


def drawing_of(compiled: CompiledTarget) -> Drawing:
    """One state of a pipeline."""
    return drawing_of_diff(compared(compiled.graph.target.name, None, compiled, _ANY_TIME))


def drawing_of_diff(target: TargetDiff, *more: str) -> Drawing:
    """Both sides in one, marked; just one of them where the other has nothing. `more` are targets that change alike."""
    found = merged(target)
    side = target.head or target.base
    assert side is not None, "a side that does not compile has no picture"
    settings = {id(one): _settings(one) for one in (target.head, target.base) if one is not None}
    names = {name: at for at, name in enumerate((ROOT, *found.tasks))}
    terms = spec_names(target)
    cards = (_root(target, side, found, settings[id(side)]), *_cards(found, settings, terms))
    return Drawing(
        f"{side.graph.pipeline} → {', '.join((target.target, *more))}",
        tuple(_about(target, side)),
        cards,
        tuple(_wires(found, names)),
        target.base is not None and target.head is not None,
        target.settings,
        (*(risk.message for risk in target.risks), *target.notes),
    )


def _wires(found: MergedGraph, names: Mapping[str, int]) -> Iterator[Wire]:
    """The edges; those that a task had before it became the finalizer are told by its settings alone."""
    apart = {name for name, one in found.tasks.items() if one.node.is_finalizer}
    for edge in found.edges:
        if not {edge.above, edge.below} & apart:
            below = None if edge.below is None else names[edge.below]
            yield Wire(names[edge.above], below, " or ".join(edge.outcomes), edge.action)


def _about(target: TargetDiff, side: CompiledTarget) -> Iterator[str]:
    place = side.desired.target
    yield f"{place.database}.{place.schema}"
    sides = [one for one in (target.base, target.head) if one is not None]
    words = dict.fromkeys(schedule_words(one.graph.settings.schedule) for one in sides)
    yield " → ".join(words)
    if target.status is Status.BROKEN:
        yield f"this is {'the base' if target.head is None else 'the head'}: the other side does not compile"
    elif target.head is None:
        yield "removed: this is what was there"
    elif target.base is not None:
        counts = [f"{target.summary[action.value]} {verb}" for action, verb in VERBS.items()]
        yield ", ".join(one for one in counts if not one.startswith("0 ")) or "no task changed"


def _settings(side: CompiledTarget) -> Mapping[str, tuple[FieldChange, ...]]:
    """Everything that is set in each task, by its name in Snowflake: what a reader of a new task is shown."""
    found = compared(side.graph.target.name, None, side, _ANY_TIME)
    return {change.name: _set(change) for change in found.changes}


def _root(
    target: TargetDiff,
    side: CompiledTarget,
    found: MergedGraph,
    settings: Mapping[str, tuple[FieldChange, ...]],
) -> Card:
    sides = [one for one in (target.base, target.head) if one is not None]
    words = dict.fromkeys(schedule_words(one.graph.settings.schedule) for one in sides)
    is_diff = len(sides) == 2
    action = found.root.action if found.root is not None and is_diff else Action.UNCHANGED
    changes = _told(found.root.fields, {}) if found.root is not None and is_diff else ()
    description = side.graph.description
    root = side.desired.root
    return Card(
        side.graph.pipeline,
        "root",
        None,
        (" → ".join(words), *_what_changes(action, changes)),
        action,
        about=(*((description,) if description else ()), "The root: every run begins here."),
        changes=changes,
        settings=_told(settings.get(root.name, ()), {}),
        risks=found.root.risks if found.root is not None and is_diff else (),
        fingerprint=side.desired.fingerprint,
        written=_written(root) or side.desired.spec_path,
    )


def _cards(
    found: MergedGraph,
    settings: Mapping[int, Mapping[str, tuple[FieldChange, ...]]],
    terms: Mapping[str, str],
) -> Iterator[Card]:
    by_name = {
        id(side): {task.task: task for task in side.desired.all_tasks}
        for side in {id(one.side): one.side for one in found.tasks.values()}.values()
    }
    for name, one in found.tasks.items():
        desired = by_name[id(one.side)][one.node.name]
        is_change = one.change is not None and one.action not in (
            Action.UNCHANGED,
            Action.CREATE,
            Action.DROP,
        )
        changes = _told(one.change.fields, terms) if one.change is not None and is_change else ()
        yield Card(
            name,
            kind_of(one.node.body),
            _place(one),
            tuple(_lines(one, changes)),
            one.action,
            one.node.is_branch,
            one.node.is_finalizer,
            about=tuple(_sentences(one)),
            outcomes=tuple((one.node.outcomes or {}).items()),
            changes=changes,
            settings=_told(settings[id(one.side)].get(desired.name, ()), terms),
            risks=_risks(one.change) if one.action is not Action.UNCHANGED else (),
            code=desired.code_sha256,
            fingerprint=desired.fingerprint,
            written=_written(desired),
        )


def _risks(change: Change | None) -> tuple[Risk, ...]:
    return change.risks if change is not None else ()


def _told(fields: tuple[FieldChange, ...], terms: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """The fields in the spec's words; a whole statement last, as it is long."""
    told = (in_spec_names(field, terms) for field in fields)
    return tuple(sorted(told, key=lambda field: field.path == "definition"))


def _set(change: Change) -> tuple[FieldChange, ...]:
    return tuple(
        field for field in change.fields if field.path not in _QUIET and not str(field.new).startswith(_STEP)
    )


def _place(one: MergedTask) -> str:
    match one.node.run_on:
        case OnWarehouse():
            return "warehouse"
        case Serverless():
            return "serverless"
        case OnPool():
            return "pool"


def _lines(one: MergedTask, changes: tuple[FieldChange, ...]) -> Iterator[str]:
    yield compute_words(one.node.run_on)
    if one.node.run_if is not None:
        yield f"if {one.node.run_if}"
    elif one.node.when is not None:
        yield f"when {one.node.when}"
    if one.before is not None:
        yield f"was {one.before}"
    yield from _what_changes(one.action, changes)


def _what_changes(action: Action, changes: tuple[FieldChange, ...]) -> Iterator[str]:
    if action is Action.UNCHANGED:
        return
    paths = ", ".join(dict.fromkeys(field.path.removesuffix("_ms") for field in changes))
    yield f"{VERBS[action]}: {paths}" if paths else VERBS[action]


def _sentences(one: MergedTask) -> Iterator[str]:
    node = one.node
    if node.comment:
        yield node.comment
    if node.is_finalizer:
        yield "Finalizer: runs at the end of every run, whatever became of the tasks."
    elif node.after:
        yield f"Runs after {', '.join(node.after)}."
    else:
        yield "Runs first."
    if node.run_if is not None:
        yield f"Runs if {node.run_if}."


def _written(task: DesiredTask) -> str | None:
    span = task.spans.get("")
    return None if span is None else f"{span.file}:{span.start.line}"
