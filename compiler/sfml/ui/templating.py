"""The templates of the pages. Everything that is put into one is redacted, made visible and escaped."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sfml.render.page.words import escaped_lines
from sfml.render.printable import printable
from sfml.render.units import duration
from sfml.semantics.redaction import redacted

_HERE = Path(__file__).parent
_LONGEST = 20_000
"""Characters of a value that a page shows."""
_LONGEST_LOG = 400_000


def environment() -> Environment:
    """The templates, with autoescape, and an error for each name that a page does not set."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"lines": lines, "json": as_json, "log": log_lines, "clock": clock, "duration": duration}
    return made


def shown(value: object) -> object:
    """What is put into a page in place of a value: text without secrets and without invisible characters."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(redacted(value))


def lines(text: str) -> Markup:
    """Text of several lines, for `<pre>`, cut where it is too long for a page."""
    hidden = redacted(text)
    rest = f"\n… and {len(hidden) - _LONGEST:,} more characters" if len(hidden) > _LONGEST else ""
    return Markup(escaped_lines(hidden[:_LONGEST]) + rest)


def log_lines(text: str) -> Markup:
    """The end of a log, for `<pre>`; a note says what was left out before it."""
    hidden = redacted(text)
    if len(hidden) <= _LONGEST_LOG:
        return Markup(escaped_lines(hidden))
    rest = hidden[-_LONGEST_LOG:].partition("\n")[2]
    return Markup(
        f"… {len(hidden) - len(rest):,} characters before this; `sfml logs` has them\n{escaped_lines(rest)}"
    )


def clock(at: datetime) -> str:
    """`12:04:09 UTC`."""
    return f"{at:%H:%M:%S} UTC"


def as_json(value: Any) -> Markup:
    """A value as JSON of several lines, for `<pre>`."""
    return lines(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def pair(name: str, value: object) -> str:
    """A value that is shown beside its name, hidden if the name says that it is secret."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    together = f"{name} = {text}"
    hidden = redacted(together)
    return hidden.removeprefix(f"{name} = ") if hidden.startswith(f"{name} = ") else hidden
