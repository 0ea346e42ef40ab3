"""Explanations of findings' codes, and the origins of values in a spec, as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from sfml.check.explanations import Explanation
from sfml.semantics.redaction import redacted_tree
from sfml.spec.origin import Origin, Setting

WIDTH = 100


def explanation_text(explanation: Explanation) -> str:
    """A rule as text: what it demands, why, and what to write instead."""
    parts = (("what", explanation.what), ("why", explanation.why), ("instead", explanation.instead))
    return "\n".join(
        (
            f"{explanation.code}: {explanation.title}",
            "",
            *(_part(word, text) for word, text in parts if text),
        )
    )


def _part(word: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{word:>8}: ", subsequent_indent=" " * 10)


def codes_text(explanations: Iterable[Explanation]) -> str:
    """All codes with their titles, one a line, under the heading of each group."""
    lines: list[str] = []
    group = None
    for explanation in explanations:
        if explanation.group != group:
            lines += ([""] if lines else []) + [explanation.group]
            group = explanation.group
        lines.append(f"  {explanation.code}  {explanation.title}")
    return "\n".join(lines)


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "code": explanation.code,
        "group": explanation.group,
        "title": explanation.title,
        "what": explanation.what,
        "why": explanation.why,
        "instead": explanation.instead,
    }


def origin_text(origin: Origin, title: str) -> str:
    """A value, the place that set it, and the settings that it overrode, the nearest first."""
    if origin.entries:
        return "\n".join((f"{origin.path}   {title}", "", *_entries(origin)))
    lines = [f"{origin.path} = {_value(origin.path, origin.value)}   {title}", ""]
    return "\n".join((*lines, *_settings(origin, "  ")))


def _settings(origin: Origin, indent: str) -> list[str]:
    lines = _rows(origin, indent)
    for path, setting in origin.around:
        lines.append(f"{indent}{'within':<9}  {path}, which replaced {_place(setting)} as a whole")
    for variable in origin.variables:
        name = variable.path.replace("variables.", "var.", 1)
        lines += [
            f"{indent}{name} = {_value(variable.path, variable.value)}",
            *_settings(variable, f"{indent}  "),
        ]
    return lines


def _rows(origin: Origin, indent: str) -> list[str]:
    settings = origin.settings
    places = [_place(setting) for setting in settings]
    values = [_value(origin.path, setting.written) for setting in settings]
    wide, wider = max(map(len, places)), max(map(len, values))
    return [
        f"{indent}{'set by' if index == 0 else 'overrode':<9}  {place:<{wide}}  {value:<{wider}}  {setting.layer}"
        for index, (place, value, setting) in enumerate(zip(places, values, settings, strict=True))
    ]


def _entries(origin: Origin) -> list[str]:
    names = [entry.path.removeprefix(origin.path).lstrip(".") for entry in origin.entries]
    values = [_value(entry.path, entry.value) for entry in origin.entries]
    wide, wider = max(map(len, names)), max(map(len, values))
    lines = []
    for name, value, entry in zip(names, values, origin.entries, strict=True):
        overridden = (
            f", over {', '.join(_place(older) for older in entry.settings[1:])}" if entry.settings[1:] else ""
        )
        lines.append(f"  {name:<{wide}}  {value:<{wider}}  {_place(entry.settings[0])}{overridden}")
    return lines


def _place(setting: Setting) -> str:
    return str(setting.span) if setting.span is not None else "the command line"


def _hidden(path: str, value: Any) -> Any:
    """The value of a setting without the secrets in it; the names of `secrets` are none."""
    return value if ".secrets" in path else redacted_tree(value, path.rpartition(".")[2])


def _value(path: str, value: Any) -> str:
    value = _hidden(path, value)
    text = value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def origin_json(origin: Origin, pipeline: str, target: str) -> dict[str, Any]:
    """A value and its origin as JSON; `set_by` is null for a mapping, whose values are in `entries`."""
    return {"pipeline": pipeline, "target": target, **_origin_json(origin)}


def _origin_json(origin: Origin) -> dict[str, Any]:
    return {
        "path": origin.path,
        "value": _hidden(origin.path, origin.value),
        "set_by": _setting_json(origin.path, origin.settings[0]) if origin.settings else None,
        "overrode": [_setting_json(origin.path, setting) for setting in origin.settings[1:]],
        "within": [
            {"path": path, "overrode": _setting_json(path, setting)} for path, setting in origin.around
        ],
        "variables": [_origin_json(variable) for variable in origin.variables],
        "entries": [_origin_json(entry) for entry in origin.entries],
    }


def _setting_json(path: str, setting: Setting) -> dict[str, Any]:
    span = setting.span
    return {
        "layer": setting.layer,
        "written": _hidden(path, setting.written),
        "file": span.file if span else None,
        "line": span.start.line if span else None,
        "column": span.start.column if span else None,
        "path": setting.path,
    }
