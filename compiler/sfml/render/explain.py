"""A code's explanation as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from sfml.check.explanations import Explanation

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
