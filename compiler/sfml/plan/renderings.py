"""Comparable values for settings that Snowflake and its clients write in different ways.

The values in REST responses, SHOW TASKS and hand-written SQL differ in case, quotes, qualification, order, units and
filled-in defaults. All compared values are converted here, so that a plan shows only real changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sfml.base.quoting import folded
from sfml.lower.names import folded_name
from sfml.plan.model import Comparable
from sfml.semantics.condition_words import words_of
from sfml.semantics.interval import interval_seconds
from sfml.semantics.limits import warehouse_size

_UNSET = frozenset({"", "null"})
_OBJECTS = frozenset({"warehouse", "on_error", "on_success", "execute_as_user"})
"""The settings that name an object other than a task."""


def last_name(name: str) -> str:
    """The last part of a qualified name, folded: `db.s.load` → `LOAD`, `DB.S."a.b"` → `"a.b"`."""
    return folded(_written_parts(name)[-1])


def optional_name(name: object) -> str | None:
    """The folded name of an object, or None for an unset one, which is NULL, missing, or the text `null`.

    A name in lower case without quotes stays as it is: it may stand for the folded one, or be a quoted one shown
    without its quotes, which is not documented.
    """
    text = "" if name is None else str(name).strip()
    if text.lower() in _UNSET:
        return None
    return text if _may_lack_quotes(text) else folded(text)


def resolved_name(name: object) -> str | None:
    """The name as it has to be written to mean the same object.

    An account holds names resolved, so one that is not in upper case is a quoted one.
    """
    text = optional_name(name)
    return folded_name(text) if text is not None and _may_lack_quotes(text) else text


def _may_lack_quotes(name: str) -> bool:
    """Whether a name may be a quoted one without its quotes; one with other characters than letters certainly is."""
    return name != name.upper() == folded(name)


def names(value: object) -> tuple[str, ...]:
    """The unqualified names of predecessors, sorted; `value` is a list, the text of a JSON array, or one name."""
    if value is None:
        return ()
    if isinstance(value, str):
        text = value.strip()
        listed: Any = json.loads(text) if text.startswith("[") else ([text] if text else [])
    else:
        listed = value
    return tuple(sorted({last_name(str(name)) for name in listed}))


def schedule(value: object) -> str | None:
    """A schedule as `cron 0 0 * * SUN EUROPE/BERLIN` or `every 600 s`; None for no schedule.

    Snowflake returns the text as it was written, so `10 MINUTE` and `10 MINUTES` become the same.
    """
    if isinstance(value, Mapping):
        if value.get("cron_expr"):
            return _cron(str(value["cron_expr"]).split(), str(value.get("timezone") or "UTC"))
        seconds = int(value.get("minutes") or 0) * 60 + int(value.get("seconds") or 0)
        return f"every {seconds} s"
    text = "" if value is None else str(value).strip()
    if text.lower() in _UNSET:
        return None
    words = text.split()
    if [word.upper() for word in words[:2]] == ["USING", "CRON"] and len(words) > 3:
        return _cron(words[2:-1], words[-1])
    interval = interval_seconds(" ".join(words))
    return text if interval is None else f"every {interval} s"


def seconds(value: object) -> int | None:
    """The seconds of a target completion interval, from a number, a text such as `10 MINUTES`, or a mapping."""
    match value:
        case None:
            return None
        case int() | float():
            return int(value)
        case Mapping():
            return int(value.get("minutes") or 0) * 60 + int(value.get("seconds") or 0)
        case _:
            return interval_seconds(str(value))


def overlap(policy: object, allowed: object) -> str | None:
    """The overlap policy, or that of the older boolean ALLOW_OVERLAPPING_EXECUTION; None if neither is set."""
    if policy is not None and str(policy).strip().lower() not in _UNSET:
        return str(policy).upper()
    if allowed is None:
        return None
    return "ALLOW_CHILD_OVERLAP" if str(allowed).lower() == "true" else "NO_OVERLAP"


def config(value: object) -> Mapping[str, Comparable]:
    """A graph's CONFIG from an object or its JSON text, with sorted keys; empty for an unset one."""
    if isinstance(value, str):
        value = json.loads(value) if value.strip().lower() not in _UNSET else None
    return {key: value[key] for key in sorted(value)} if isinstance(value, Mapping) else {}


def session_parameters(value: object) -> Mapping[str, Comparable]:
    """Session parameters as texts, because `TRUE` and true, `5` and 5 are the same for ALTER SESSION."""
    written = value if isinstance(value, Mapping) else {}
    parameters = {
        str(name).upper(): _parameter(written[name]) for name in written if written[name] is not None
    }
    return {name: parameters[name] for name in sorted(parameters)}


def size(value: object) -> str | None:
    """A warehouse size in its short spelling: `X-Small` → `XSMALL`; None for an unset one."""
    text = "" if value is None else str(value).strip()
    return None if text.lower() in _UNSET else warehouse_size(text) or text.upper()


def number(value: object) -> int | None:
    """An integer from a number or text; None for an unset one."""
    text = "" if value is None else str(value).strip()
    return None if text.lower() in _UNSET else int(text)


def text(value: object) -> str:
    """A comment or condition without space around it; NULL becomes the empty text."""
    return "" if value is None else str(value).strip()


def body(sql: str) -> str:
    """A body without space around it and semicolons at its end; the inside, which holds literals, is not changed."""
    return sql.strip().rstrip(";").rstrip()


def same(key: str, one: Comparable, other: Comparable) -> bool:
    """Whether two values of one setting mean the same to Snowflake."""
    if one is other or (key != "when" and type(one) is type(other) is str):
        # A fast answer for most settings.
        return one == other or (key in _OBJECTS and _is_one_object(str(one), str(other)))
    if key == "when":
        return _words(one) == _words(other)
    return _typed(one) == _typed(other)


def _is_one_object(one: str, other: str) -> bool:
    """Whether two names may be of one object, in one of the ways in which a name without quotes can be read."""
    if not (_may_lack_quotes(one) or _may_lack_quotes(other)):
        return False
    return folded(one) == folded(other) or one.strip('"') == other.strip('"')


def _words(condition: Comparable) -> list[str]:
    """The tokens of a condition without comments; tokens outside of quotes are in upper case."""
    return [
        word.text.upper() if word.kind.value not in ("text", "name") else f"{word.kind.value} {word.text}"
        for word in words_of(str(condition or ""))
        if word.kind.value != "comment"
    ]


def _typed(value: Comparable) -> str:
    """A text that is equal for values that are equal in JSON: 1 is not true, but 1 and 1.0 are equal."""

    def plain(one: Comparable) -> Any:
        match one:
            case bool() | None | str():
                return one
            case float() if one.is_integer():
                return int(one)
            case int() | float():
                return one
            case Mapping():
                return {key: plain(inner) for key, inner in one.items()}
            case _:
                return [plain(inner) for inner in one]

    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False)


def _parameter(value: object) -> str:
    written = str(value)
    return written.lower() if written.lower() in ("true", "false") else written


def _cron(fields: Iterable[str], timezone: str) -> str:
    return f"cron {' '.join(fields).upper()} {timezone.upper()}"


def _written_parts(name: str) -> list[str]:
    """The parts of a dotted name, each with its quotes."""
    parts, current, quoted = [], "", False
    for char in name.strip():
        if char == '"':
            quoted = not quoted
        if char == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]
