"""Statements that whoever runs the server does not care about: they succeed and do nothing."""

from __future__ import annotations

import re


class IgnoredStatements:
    """Patterns of statements, matched from their beginning in any case; none unless somebody asks for them."""

    def __init__(self) -> None:
        self._patterns: tuple[re.Pattern[str], ...] = ()

    def add(self, *patterns: str) -> None:
        """Ignore statements that begin with what these regular expressions match; raises `ValueError` for none."""
        try:
            found = tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)
        except re.error as cause:
            raise ValueError(f"no regular expression: {cause}") from cause
        self._patterns += found

    def clear(self) -> None:
        """Ignore nothing any more."""
        self._patterns = ()

    def has(self, statement: str) -> bool:
        """Whether the statement is to succeed without an effect."""
        return bool(self._patterns) and any(one.match(statement.strip()) for one in self._patterns)
