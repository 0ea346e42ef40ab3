"""The arguments of a table function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sfml_local.core.errors import SqlError


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a table function, evaluated; the names of named ones are in upper case."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    """The object of a method call such as `TABLE(db.schema.job!SPCS_GET_LOGS())`."""

    def by_name(self, function: str, names: str) -> dict[str, Any]:
        """The arguments that are not NULL; positional ones stand in the order of the names. Refuses others."""
        known = names.split()
        wrong = [*sorted(self.named.keys() - set(known)), *map(str, self.positional[len(known) :])]
        if wrong:
            raise SqlError(
                f"SQL compilation error:\ninvalid argument [{wrong[0]}] for function {function}",
                1015,
                "22023",
            )
        given = {**dict(zip(known, self.positional, strict=False)), **self.named}
        return {name: value for name, value in given.items() if value is not None}


def time_of(value: Any) -> datetime | None:
    """A moment that an argument tells, in UTC without a zone; None for NULL."""
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as cause:
        raise SqlError(f"Timestamp '{value}' is not recognized", 100035, "22007") from cause
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
