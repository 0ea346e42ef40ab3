"""Statements that the user of the server wants to ignore: they succeed and do nothing."""

from __future__ import annotations

import re


class IgnoredStatements:
    """Patterns of statements, matched from their beginning in any case; none by default."""

    def __init__(self) -> None:
        self._patterns: tuple[re.Pattern[str], ...] = ()

    def add(self, *patterns: str) -> None:
        """Ignore statements whose beginning matches one of these regular expressions; raises `ValueError`."""
        try:
            found = tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns)
        except re.error as cause:
            raise ValueError(f"no regular expression: {cause}") from cause
        self._patterns += found

    def clear(self) -> None:
        """Stop ignoring statements."""
        self._patterns = ()

    def has(self, statement: str) -> bool:
        """Whether the statement is to succeed without an effect."""
        return bool(self._patterns) and any(one.match(statement.strip()) for one in self._patterns)
