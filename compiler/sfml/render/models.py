"""Model versions as text and as the JSON of `models --output json`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.account.registered import (
    AliasChange,
    DefaultChange,
    MetricComparison,
    ModelVersion,
    VersionChange,
    compared,
    numbers_of,
)
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.table import table_text
from sfml.render.units import moment, plural

Models = Mapping[str, Sequence[ModelVersion]]


def models_text(models: Models, symbols: Symbols) -> str:
    return "\n".join(_lines(models, symbols))


def _lines(models: Models, symbols: Symbols) -> Iterator[str]:
    for name, versions in models.items():
        if not versions:
            yield f"{name}: not in the registry"
            continue
        yield f"{name}: {plural(len(versions), 'version')}"
        width = max(len(version.name) for version in versions)
        for version in reversed(versions):
            mark = symbols["SUCCEEDED"] if version.is_default else " "
            metrics = ", ".join(f"{key} {value:.4g}" for key, value in sorted(numbers_of(version).items()))
            notes = (
                "default" if version.is_default else "",
                *version.aliases,
                metrics,
                _last_reason(version),
            )
            about = "   ".join(note for note in notes if note)
            line = f"  {mark} {version.name:<{width}}   {moment(version.created_at)}   {about}"
            yield printable(line).rstrip()


def _last_reason(version: ModelVersion) -> str:
    """The reason of the latest promotion or rollback that concerned a version, in quotes."""
    roles = [one for one in version.changes if one.action in ("promoted", "restored", "left")]
    return f'"{roles[-1].reason}"' if roles and roles[-1].reason else ""


def version_text(model: str, version: ModelVersion, symbols: Symbols) -> str:
    """One version in several lines: what it is, its metrics, and what people did with it, newest first."""
    return "\n".join(map(printable, _version_lines(model, version, symbols)))


def _version_lines(model: str, version: ModelVersion, symbols: Symbols) -> Iterator[str]:
    notes = ("default" if version.is_default else "", *version.aliases)
    yield f"{model} {version.name}   {'   '.join(note for note in notes if note)}".rstrip()
    yield f"  logged {moment(version.created_at)}"
    if version.comment:
        yield f"  {version.comment}"
    numbers = numbers_of(version)
    width = max(map(len, version.metrics), default=0)
    for name, value in sorted(version.metrics.items()):
        yield f"  {name:<{width}}   {_figure(numbers[name]) if name in numbers else _other(value)}"
    for change in reversed(version.changes):
        yield f"  {symbols['dot']} {change_text(change)}"


def change_text(change: VersionChange) -> str:
    """What somebody did with a version, when and why, in one line."""
    other = f" {change.other}" if change.other else " none"
    match change.action:
        case "promoted":
            what = f"promoted by {change.by}, after{other}"
        case "restored":
            what = f"put back by {change.by}, after{other}"
        case "left":
            what = f"rolled back by {change.by}, to{other}"
        case "aliased":
            what = f"alias {change.alias} given by {change.by}"
        case "unaliased":
            what = f"alias {change.alias} taken away by {change.by}"
        case _:
            what = f"{change.action} by {change.by}"
    return f"{change.at}   {what}" + (f": {change.reason}" if change.reason else "")


def comparison_text(model: str, versions: Sequence[ModelVersion]) -> str:
    """The metrics of versions as a table; with two versions, also the second minus the first."""
    metrics = compared(versions)
    columns = [model, *(_titled(version) for version in versions)]
    rows = [[one.metric, *(_figure(value) for value in one.values)] for one in metrics]
    if len(versions) == 2:
        columns.append("difference")
        rows = [[*row, _difference(one)] for row, one in zip(rows, metrics, strict=True)]
    if rows:
        return table_text(columns, rows)
    known = any(version.metrics for version in versions)
    what = "of the metrics that were logged with these versions, none is a number" if known else NO_METRICS
    return f"{model}: {what}"


NO_METRICS = "no metrics were logged with these versions"


def _difference(metric: MetricComparison) -> str:
    """The difference; `?` where there is none of the two numbers, as with NaN."""
    if metric.difference is None:
        return ""
    return f"{metric.difference:+.4g}" if math.isfinite(metric.difference) else "?"


def _other(value: object) -> str:
    """A metric that is no number, such as a text or a confusion matrix, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _titled(version: ModelVersion) -> str:
    notes = [*(["default"] if version.is_default else []), *version.aliases]
    named = [note for note in dict.fromkeys(note.lower() for note in notes) if note not in ("first", "last")]
    return version.name + (f" ({', '.join(named)})" if named else "")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def default_text(change: DefaultChange) -> str:
    was = f"(it was {change.previous or 'none'})" if change.is_changed else "already"
    return printable(f"The default version of {change.model} is {change.default} {was}.")


def alias_text(change: AliasChange) -> str:
    if change.version is None:
        had = f"{change.previous} no longer has" if change.previous else "no version has"
        return printable(f"{had[0].upper()}{had[1:]} the alias {change.alias} of {change.model}.")
    was = f"(it was {change.previous or 'none'})" if change.is_changed else "already"
    return printable(f"The alias {change.alias} of {change.model} is {change.version} {was}.")


def default_json(change: DefaultChange) -> dict[str, Any]:
    return {
        "model": change.model,
        "previous": change.previous,
        "default": change.default,
        "changed": change.is_changed,
        "reason": change.reason,
    }


def alias_json(change: AliasChange) -> dict[str, Any]:
    return {
        "model": change.model,
        "alias": change.alias,
        "previous": change.previous,
        "version": change.version,
        "changed": change.is_changed,
        "reason": change.reason,
    }


def comparison_json(versions: Sequence[ModelVersion]) -> dict[str, Any]:
    return {
        "compared": [version_json(version) for version in versions],
        "metrics": [
            {"metric": one.metric, "values": list(one.values), "difference": one.difference}
            for one in compared(versions)
        ],
    }


def models_json(models: Models) -> list[dict[str, Any]]:
    return [
        {"model": name, "versions": [version_json(version) for version in reversed(versions)]}
        for name, versions in models.items()
    ]


def version_json(version: ModelVersion) -> dict[str, Any]:
    return {
        "version": version.name,
        "created_at": version.created_at.isoformat(),
        "default": version.is_default,
        "aliases": list(version.aliases),
        "comment": version.comment,
        "metrics": dict(version.metrics),
        "changes": [
            {
                "action": change.action,
                "at": change.at,
                "by": change.by,
                "reason": change.reason,
                "other": change.other,
                "alias": change.alias,
            }
            for change in version.changes
        ],
    }
