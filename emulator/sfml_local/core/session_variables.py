"""Session variables: values with the types of the expressions that SET gave them.

https://docs.snowflake.com/en/sql-reference/session-variables
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sfml_local.core.errors import SqlError
from sfml_local.core.result import Column

LARGEST = 256
"""Bytes of a text or binary value."""


@dataclass(frozen=True, slots=True)
class SessionVariable:
    """`column` has the type; `created` stays when the variable is set again."""

    value: Any
    column: Column
    created: datetime
    updated: datetime

    def set_before(self, before: SessionVariable | None) -> SessionVariable:
        return self if before is None else replace(self, created=before.created)


def no_constant() -> SqlError:
    """000002: a value that cannot be kept, or an expression that fails while it is computed."""
    words = "Unsupported feature 'assignment from non-constant source expression'."
    return SqlError(words, 2, "0A000")


def check_size(name: str, value: Any) -> None:
    """The sentence is an account's; its code is not recorded."""
    size = len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 0
    if size > LARGEST:
        raise SqlError(
            f"Assignment to '{name}' not done because value exceeds size limit for variables."
            f" Its size is {size}; the limit is {LARGEST} (internal storage size in bytes).",
            *(1007, "22023"),
        )
