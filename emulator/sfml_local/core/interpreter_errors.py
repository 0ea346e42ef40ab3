"""Errors of a user's code that DuckDB wrapped in its own."""

from __future__ import annotations

from sfml_local.core.errors import SqlError

_MARK = "Python Interpreter Error:"


def raised(cause: Exception, handler: str) -> str:
    """The text of an error of a model's code, which `interpreter_error` knows by its mark."""
    return f"{_MARK}\n{cause}\n in function {handler.split('.')[-2].upper()} with handler {handler}"


def interpreter_error(cause: Exception) -> SqlError | None:
    """The error of a model's code that DuckDB wrapped in one of its own."""
    _, mark, text = str(cause).partition(_MARK)
    return SqlError(f"{mark}{text}", 100357, "P0000") if mark else None
