"""The pages of what a pipeline made: versions of its models, and its deployments with their differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite, nan

from markupsafe import Markup

from sfml.account.registered import ModelVersion, numbers_of
from sfml.base.record import record
from sfml.graph.model import Target
from sfml.plan.journal import Deployment
from sfml.plan.model import Action, Change, FieldChange
from sfml.plan.provenance import origin_text, uncommitted_text
from sfml.render.models import change_text
from sfml.render.page.plots import Point, metric_svg
from sfml.render.page.words import escaped
from sfml.render.plan import file_words, shown_pair
from sfml.render.statements import is_long, statement_diff
from sfml.render.units import moment, plural
from sfml.review.changes import task_changes
from sfml.ui.marks import SYMBOLS
from sfml.ui.places import deployment_place
from sfml.ui.readings import Deployments
from sfml.ui.templating import pair

MOST_POINTS = 30


@record
class VersionRow:
    """A version of a model."""

    name: str
    logged: str
    is_default: bool
    aliases: str
    comment: str
    numbers: Mapping[str, str]
    changes: tuple[str, ...]


@record
class ModelView:
    """A model with its versions, newest first, the names of their metrics, and a plot for each."""

    name: str
    versions: tuple[VersionRow, ...]
    metrics: tuple[str, ...]
    plots: tuple[tuple[str, Markup], ...]


def model_view(name: str, versions: Sequence[ModelVersion]) -> ModelView:
    metrics = sorted({metric for version in versions for metric in numbers_of(version)})
    rows = tuple(_version_row(version) for version in reversed(versions))
    plots = ((metric, _plot(metric, versions)) for metric in metrics)
    return ModelView(name, rows, tuple(metrics), tuple((m, plot) for m, plot in plots if plot is not None))


def _version_row(version: ModelVersion) -> VersionRow:
    return VersionRow(
        version.name,
        moment(version.created_at),
        version.is_default,
        ", ".join(version.aliases),
        version.comment or "",
        {metric: f"{value:.5g}" for metric, value in numbers_of(version).items()},
        tuple(map(change_text, reversed(version.changes))),
    )


def _plot(metric: str, versions: Sequence[ModelVersion]) -> Markup | None:
    points = [
        Point(
            numbers_of(version)[metric],
            version.name,
            f"{version.name}: {metric} {numbers_of(version)[metric]:.5g}"
            f"{', the default' if version.is_default else ''}",
            version.is_default,
        )
        for version in versions[-MOST_POINTS:]
        if isfinite(numbers_of(version).get(metric, nan))
    ]
    if not points:
        return None
    return Markup(
        metric_svg(points, f"{metric} over {plural(len(points), 'version')}; the table has the values")
    )


# -- deployments


@record
class DeploymentRow:
    """A kept deployment. `can_return` says whether a rollback can go back to it."""

    number: int
    place: str
    began: str
    owner: str
    work: str
    origin: str
    tasks: str
    is_current: bool
    can_return: bool
    notes: str
    summary: str


def deployment_rows(name: str, deployments: Deployments, target: Target) -> tuple[DeploymentRow, ...]:
    """The kept deployments, newest first, each with what it changed of the one before it."""
    before: Deployment | None = None
    rows = []
    for one in deployments.kept:
        rows.append(_deployment_row(name, one, before, deployments, target))
        before = one
    return tuple(reversed(rows))


def _deployment_row(
    name: str, one: Deployment, before: Deployment | None, deployments: Deployments, target: Target
) -> DeploymentRow:
    header, record_of = one.header, one.artefact.record
    number = header.number
    notes = (
        "deployed now" if number == deployments.current else "",
        "its code is gone" if number in deployments.without_code else "",
        uncommitted_text(record_of) or "",
        f'"{header.reason}"' if header.reason else "",
    )
    return DeploymentRow(
        number,
        deployment_place(name, number),
        moment(datetime.fromisoformat(header.began_at)),
        header.owner,
        header.work,
        origin_text(record_of) or "",
        plural(len(one.artefact.tasks) - 1, "task"),
        number == deployments.current,
        number != deployments.current and number not in deployments.without_code,
        "; ".join(note for note in notes if note),
        "the first that is kept" if before is None else summary_words(changes_between(before, one, target)),
    )


def changes_between(before: Deployment, after: Deployment, target: Target) -> tuple[Change, ...]:
    """The changes from one deployment to a later one, without unchanged tasks."""
    changes = task_changes(before.artefact.graph(target), after.artefact.graph(target))
    return tuple(change for change in changes if change.action is not Action.UNCHANGED)


_VERBS: Mapping[Action, str] = {
    Action.CREATE: "created",
    Action.ALTER: "altered",
    Action.REPLACE: "replaced",
    Action.MOVE: "moved",
    Action.DROP: "dropped",
}


def summary_words(changes: Sequence[Change]) -> str:
    """`1 created, 2 altered`."""
    counts = [(sum(change.action is action for change in changes), verb) for action, verb in _VERBS.items()]
    return ", ".join(f"{count} {verb}" for count, verb in counts if count) or "no task changed"


@record
class FieldRow:
    """A changed setting; `lines` is a difference line by line, in place of `old` and `new`."""

    path: str
    old: str
    new: str
    lines: Markup | None
    files: tuple[str, ...]


@record
class ChangeRow:
    """What became of a task."""

    sign: str
    verb: str
    task: str
    fields: tuple[FieldRow, ...]
    risks: tuple[str, ...]


def change_rows(changes: Sequence[Change]) -> tuple[ChangeRow, ...]:
    return tuple(
        ChangeRow(
            SYMBOLS.of(change.action),
            _VERBS[change.action],
            change.task,
            tuple(map(field_row, change.fields)),
            tuple(risk.message for risk in change.risks),
        )
        for change in changes
    )


def field_row(field: FieldChange) -> FieldRow:
    path = field.path.removesuffix("_ms")
    files = tuple(map(file_words, field.files))
    if isinstance(field.old, str) and isinstance(field.new, str) and is_long(field.old, field.new):
        return FieldRow(path, "", "", Markup("\n").join(_marked(field.path, field.old, field.new)), files)
    old, new = shown_pair(field)
    return FieldRow(path, pair(path, old), pair(path, new), None, files)


def _marked(path: str, old: str, new: str) -> Iterator[Markup]:
    for line in statement_diff(path, old, new):
        tag = {"+": "ins", "-": "del"}.get(line[:1])
        text = escaped(line)
        yield Markup(f"<{tag}>{text}</{tag}>" if tag else text)
