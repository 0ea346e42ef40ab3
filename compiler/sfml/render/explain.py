"""What a code means and where a value came from, as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from sfml.check.explanations import Explanation
from sfml.spec.origin import Origin, Setting

WIDTH = 100


def explanation_text(one: Explanation) -> str:
    """A rule as people read it: what it asks, why, and what to do instead."""
    parts = (("what", one.what), ("why", one.why), ("instead", one.instead))
    return "\n".join((f"{one.code}: {one.title}", "", *(_part(word, text) for word, text in parts)))


def _part(word: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{word:>8}: ", subsequent_indent=" " * 10)


def codes_text(every: Iterable[Explanation]) -> str:
    """All codes in a table, group by group."""
    lines: list[str] = []
    group = None
    for one in every:
        if one.group != group:
            lines += ([""] if lines else []) + [one.group]
            group = one.group
        lines.append(f"  {one.code}  {one.title}")
    return "\n".join(lines)


def explanation_json(one: Explanation) -> dict[str, Any]:
    return {
        "code": one.code,
        "group": one.group,
        "title": one.title,
        "what": one.what,
        "why": one.why,
        "instead": one.instead,
    }


def origin_text(one: Origin, title: str) -> str:
    """A value, the line that set it, and below what that overrode, in order."""
    if one.entries:
        return "\n".join((f"{one.path}   {title}", "", *_entries(one)))
    lines = [f"{one.path} = {_value(one.value)}   {title}", ""]
    return "\n".join((*lines, *_settings(one, "  ")))


def _settings(one: Origin, indent: str) -> list[str]:
    lines = _rows(one.settings, indent)
    for path, setting in one.around:
        lines.append(f"{indent}{'within':<9}  {path}, which replaced {_place(setting)} as a whole")
    for variable in one.variables:
        name = variable.path.replace("variables.", "var.", 1)
        lines += [f"{indent}{name} = {_value(variable.value)}", *_settings(variable, f"{indent}  ")]
    return lines


def _rows(settings: tuple[Setting, ...], indent: str) -> list[str]:
    places = [_place(setting) for setting in settings]
    values = [_value(setting.written) for setting in settings]
    wide, wider = max(map(len, places)), max(map(len, values))
    return [
        f"{indent}{'set by' if index == 0 else 'overrode':<9}  {place:<{wide}}  {value:<{wider}}  {setting.layer}"
        for index, (place, value, setting) in enumerate(zip(places, values, settings, strict=True))
    ]


def _entries(one: Origin) -> list[str]:
    names = [entry.path.removeprefix(one.path).lstrip(".") for entry in one.entries]
    values = [_value(entry.value) for entry in one.entries]
    wide, wider = max(map(len, names)), max(map(len, values))
    lines = []
    for name, value, entry in zip(names, values, one.entries, strict=True):
        over = (
            f", over {', '.join(_place(older) for older in entry.settings[1:])}" if entry.settings[1:] else ""
        )
        lines.append(f"  {name:<{wide}}  {value:<{wider}}  {_place(entry.settings[0])}{over}")
    return lines


def _place(setting: Setting) -> str:
    return str(setting.span) if setting.span is not None else "the command line"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value.isprintable() else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def origin_json(one: Origin, pipeline: str, target: str) -> dict[str, Any]:
    """The value and its origin; `set_by` is null where the value is a mapping of `entries`."""
    return {"pipeline": pipeline, "target": target, **_origin_json(one)}


def _origin_json(one: Origin) -> dict[str, Any]:
    return {
        "path": one.path,
        "value": one.value,
        "set_by": _setting_json(one.settings[0]) if one.settings else None,
        "overrode": [_setting_json(setting) for setting in one.settings[1:]],
        "within": [{"path": path, "overrode": _setting_json(setting)} for path, setting in one.around],
        "variables": [_origin_json(variable) for variable in one.variables],
        "entries": [_origin_json(entry) for entry in one.entries],
    }


def _setting_json(setting: Setting) -> dict[str, Any]:
    span = setting.span
    return {
        "layer": setting.layer,
        "written": setting.written,
        "file": span.file if span else None,
        "line": span.start.line if span else None,
        "column": span.start.column if span else None,
        "path": setting.path,
    }
