"""The arguments of a table function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a table function, evaluated; the names of named ones are in upper case."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    """The object of a method call such as `TABLE(db.schema.job!SPCS_GET_LOGS())`."""
