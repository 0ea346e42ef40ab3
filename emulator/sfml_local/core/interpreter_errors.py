"""Errors of users' code that DuckDB wraps in its own errors."""

from __future__ import annotations

from sfml_local.core.errors import SqlError

_MARK = "Python Interpreter Error:"


def raised(cause: Exception, handler: str) -> str:
    """The text of an error of a model's code, with a mark for `interpreter_error`."""
    return f"{_MARK}\n{cause}\n in function {handler.split('.')[-2].upper()} with handler {handler}"


def interpreter_error(cause: Exception) -> SqlError | None:
    """The error of a model's code inside DuckDB's error."""
    _, mark, text = str(cause).partition(_MARK)
    return SqlError(f"{mark}{text}", 100357, "P0000") if mark else None
