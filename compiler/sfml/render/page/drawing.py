"""The content of a picture as data: cards for tasks, wires for edges, and the text of the page about each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sfml.base.record import record
from sfml.graph.model import CronSchedule, GraphSettings, OnPool, OnWarehouse, Serverless
from sfml.lower.bodies import kind_of
from sfml.lower.desired import DesiredTask
from sfml.plan.model import Action, Change, FieldChange, Risk
from sfml.render.merged import ROOT, MergedGraph, MergedTask, merged
from sfml.render.mermaid import compute_words
from sfml.render.review_words import VERBS, in_spec_names, spec_names
from sfml.render.schedule import schedule_words
from sfml.render.units import interval
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget, Status, TargetDiff
from sfml.semantics.cron import parse_cron

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_QUIET = frozenset({"after", "finalize", "session_parameters.QUERY_TAG"})
"""Settings that are not listed, because the picture shows them or all tasks have them."""

_STEP = "WITH SFML_STEP AS PROCEDURE"
"""The start of every step's body. Such a body is not listed: its step and arguments are listed as settings."""


@record
class NextRuns:
    """A cron as the page's script reads it, to tell the next runs when the page is opened.

    A file that told them itself would be wrong a week later, and differ from compile to compile. `fields` are the five
    fields as lists of values, `words` the cron as it is written.
    """

    words: str
    fields: str
    timezone: str


@record
class Card:
    """A task, or the root. `kind` and `place` (where it runs) select the icons; `lines` are written below the name."""

    name: str
    kind: str
    place: str | None
    lines: tuple[str, ...]
    action: Action = Action.UNCHANGED
    is_branch: bool = False
    is_finalizer: bool = False
    about: tuple[str, ...] = ()
    """Sentences that the page shows when the task is opened."""
    outcomes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    changes: tuple[FieldChange, ...] = ()
    settings: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    code: str | None = None
    fingerprint: str = ""
    written: str | None = None
    """`file:line` of the task in the spec."""
    note: str | None = None
    """What the task is for, by its comment or by the pipeline's description; cut to the card's width."""
    next_runs: NextRuns | None = None


@record
class Wire:
    """An edge between two cards, by their indices; `below` is None for an outcome that starts no task."""

    above: int
    below: int | None
    label: str
    action: Action


@record
class Drawing:
    """One pipeline in one target; the first card is the root."""

    title: str
    about: tuple[str, ...]
    cards: tuple[Card, ...]
    wires: tuple[Wire, ...]
    is_diff: bool
    settings: tuple[FieldChange, ...] = ()
    warnings: tuple[str, ...] = ()


def drawing_of(compiled: CompiledTarget) -> Drawing:
    """The drawing of one compiled target, without a comparison."""
    return drawing_of_diff(compared(compiled.graph.target.name, None, compiled, _ANY_TIME))


def drawing_of_diff(target: TargetDiff, *more: str) -> Drawing:
    """The drawing of a diff: both sides merged and marked, or one side when the other does not exist.

    `more` are the names of targets with the same changes, for the title.
    """
    merged_graph = merged(target)
    side = target.head or target.base
    assert side is not None, "a side that does not compile has no picture"
    settings = {id(one): _settings(one) for one in (target.head, target.base) if one is not None}
    names = {name: at for at, name in enumerate((ROOT, *merged_graph.tasks))}
    terms = spec_names(target)
    cards = (_root(target, side, merged_graph, settings[id(side)]), *_cards(merged_graph, settings, terms))
    return Drawing(
        f"{side.graph.pipeline} → {', '.join((target.target, *more))}",
        tuple(_about(target, side)),
        cards,
        tuple(_wires(merged_graph, names)),
        target.base is not None and target.head is not None,
        target.settings,
        (*(risk.message for risk in target.risks), *target.notes),
    )


def _wires(merged_graph: MergedGraph, names: Mapping[str, int]) -> Iterator[Wire]:
    """The edges without those of a finalizer: edges that it had as a task appear only in its changed settings."""
    finalizers = {name for name, task in merged_graph.tasks.items() if task.node.is_finalizer}
    for edge in merged_graph.edges:
        if not {edge.above, edge.below} & finalizers:
            below = None if edge.below is None else names[edge.below]
            yield Wire(names[edge.above], below, " or ".join(edge.outcomes), edge.action)


def _about(target: TargetDiff, side: CompiledTarget) -> Iterator[str]:
    if side.graph.description:
        yield side.graph.description
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
        yield ", ".join(count for count in counts if not count.startswith("0 ")) or "no task changed"


def _settings(side: CompiledTarget) -> Mapping[str, tuple[FieldChange, ...]]:
    """All settings of each task, by the task's name in Snowflake, as the changes from nothing to this side."""
    diff = compared(side.graph.target.name, None, side, _ANY_TIME)
    return {change.name: _shown_settings(change) for change in diff.changes}


def _root(
    target: TargetDiff,
    side: CompiledTarget,
    merged_graph: MergedGraph,
    settings: Mapping[str, tuple[FieldChange, ...]],
) -> Card:
    sides = [one for one in (target.base, target.head) if one is not None]
    words = dict.fromkeys(schedule_words(one.graph.settings.schedule) for one in sides)
    is_diff = len(sides) == 2
    action = merged_graph.root.action if merged_graph.root is not None and is_diff else Action.UNCHANGED
    changes = _listed(merged_graph.root.fields, {}) if merged_graph.root is not None and is_diff else ()
    description = side.graph.description
    root = side.desired.root
    return Card(
        side.graph.pipeline,
        "root",
        None,
        (" → ".join(words), *_limits(side.graph.settings), *_what_changes(action, changes)),
        action,
        about=(*((description,) if description else ()), "The root: every run begins here."),
        changes=changes,
        settings=_listed(settings.get(root.name, ()), {}),
        risks=merged_graph.root.risks if merged_graph.root is not None and is_diff else (),
        fingerprint=side.desired.fingerprint,
        written=_written(root) or side.desired.spec_path,
        note=description,
        next_runs=_next_runs(side.graph.settings),
    )


def _limits(settings: GraphSettings) -> Iterator[str]:
    """The retries and the timeout of whole runs, where the spec sets them."""
    retries = f"retries {settings.retries}" if settings.retries else None
    timeout = _timeout_words(settings.timeout)
    words = " · ".join(word for word in (retries, timeout) if word)
    if words:
        yield words


def _timeout_words(seconds: int | None) -> str | None:
    return None if seconds is None else f"timeout {interval(timedelta(seconds=seconds))}"


def _next_runs(settings: GraphSettings) -> NextRuns | None:
    match settings.schedule:
        case CronSchedule(cron, timezone):
            parsed = parse_cron(cron, timezone)
            return NextRuns(f"cron {cron}", " ".join(parsed.expanded), parsed.timezone)
        case _:
            return None


def _cards(
    merged_graph: MergedGraph,
    settings: Mapping[int, Mapping[str, tuple[FieldChange, ...]]],
    terms: Mapping[str, str],
) -> Iterator[Card]:
    by_name = {
        id(side): {task.task: task for task in side.desired.all_tasks}
        for side in {
            id(merged_task.side): merged_task.side for merged_task in merged_graph.tasks.values()
        }.values()
    }
    for name, merged_task in merged_graph.tasks.items():
        desired = by_name[id(merged_task.side)][merged_task.node.name]
        is_change = merged_task.change is not None and merged_task.action not in (
            Action.UNCHANGED,
            Action.CREATE,
            Action.DROP,
        )
        changes = (
            _listed(merged_task.change.fields, terms) if merged_task.change is not None and is_change else ()
        )
        yield Card(
            name,
            kind_of(merged_task.node.body),
            _place(merged_task),
            tuple(_lines(merged_task, changes)),
            merged_task.action,
            merged_task.node.is_branch,
            merged_task.node.is_finalizer,
            about=tuple(_sentences(merged_task)),
            outcomes=tuple((merged_task.node.outcomes or {}).items()),
            changes=changes,
            settings=_listed(settings[id(merged_task.side)].get(desired.name, ()), terms),
            risks=_risks(merged_task.change) if merged_task.action is not Action.UNCHANGED else (),
            code=desired.code_sha256,
            fingerprint=desired.fingerprint,
            written=_written(desired),
            note=merged_task.node.comment,
        )


def _risks(change: Change | None) -> tuple[Risk, ...]:
    return change.risks if change is not None else ()


def _listed(fields: tuple[FieldChange, ...], terms: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """The fields with task names as in the spec, the definition last because it is long."""
    renamed = (in_spec_names(field, terms) for field in fields)
    return tuple(sorted(renamed, key=lambda field: field.path == "definition"))


def _shown_settings(change: Change) -> tuple[FieldChange, ...]:
    return tuple(
        field for field in change.fields if field.path not in _QUIET and not str(field.new).startswith(_STEP)
    )


def _place(task: MergedTask) -> str:
    match task.node.run_on:
        case OnWarehouse():
            return "warehouse"
        case Serverless():
            return "serverless"
        case OnPool():
            return "pool"


def _lines(task: MergedTask, changes: tuple[FieldChange, ...]) -> Iterator[str]:
    yield compute_words(task.node.run_on)
    if task.node.run_if is not None:
        yield f"if {task.node.run_if}"
    elif task.node.when is not None:
        yield f"when {task.node.when}"
    timeout = _timeout_words(task.node.timeout)
    if timeout is not None and "timeout" not in task.node.defaulted:
        yield timeout
    if task.before is not None:
        yield f"was {task.before}"
    yield from _what_changes(task.action, changes)


def _what_changes(action: Action, changes: tuple[FieldChange, ...]) -> Iterator[str]:
    if action is Action.UNCHANGED:
        return
    paths = ", ".join(dict.fromkeys(field.path.removesuffix("_ms") for field in changes))
    yield f"{VERBS[action]}: {paths}" if paths else VERBS[action]


def _sentences(task: MergedTask) -> Iterator[str]:
    node = task.node
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
