"""The errors of fakesnow, sqlglot and DuckDB as a Snowflake account's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import duckdb
import snowflake.connector.errors
from sqlglot import Expr
from sqlglot.errors import SqlglotError

from sfml.local.errors import SqlError, not_emulated
from sfml.local.models.inference import interpreter_error


@contextlib.contextmanager
def translating(statement: str | Expr) -> Iterator[None]:
    """fakesnow's, sqlglot's and DuckDB's errors as Snowflake's."""

    def text() -> str:
        return statement if isinstance(statement, str) else statement.sql(dialect="snowflake")

    try:
        yield
    except snowflake.connector.errors.Error as cause:
        if cause.errno == 9999:
            raise not_emulated(text()) from cause
        message = _snowflake_sentence(getattr(cause, "raw_msg", None) or str(cause.msg))
        if (function := _NO_FUNCTION.match(message)) is not None:
            raise not_emulated(f"function {function[1].upper()}") from cause
        if message.startswith("Parser Error"):  # what sqlglot takes for Snowflake's and DuckDB cannot read
            raise not_emulated(text(), message.splitlines()[0]) from cause
        if "invalid identifier" in message:
            raise SqlError(message, 904, "42000") from cause
        raise SqlError(message, cause.errno or 1003, cause.sqlstate or "42000") from cause
    except duckdb.CatalogException as cause:
        raise SqlError(_snowflake_sentence(str(cause)), 2003, "42S02") from cause
    except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.InvalidInputException) as cause:
        # A model's method is a function of DuckDB's, which wraps what it raises.
        raise interpreter_error(cause) or SqlError(str(cause), 100038, "22018") from cause
    except duckdb.Error as cause:
        raise SqlError(f"{type(cause).__name__}: {cause}", 2, "0A000") from cause
    except (NotImplementedError, AssertionError, SqlglotError) as cause:
        raise not_emulated(text(), f"{type(cause).__name__}: {cause}") from cause


_NO_FUNCTION = re.compile(r"Catalog Error: (?:\w+ )?Function with name \"?(\w+)\"? does not exist")
_MISSING = re.compile(r'Catalog Error: (?:Table|View) with name "?(.*?)"? does not exist')


_UNKNOWN = re.compile(r'Binder Error: (?:Referenced column|Table ".*?" does not have a column named) "(.*?)"')


def _snowflake_sentence(message: str) -> str:
    """DuckDB's words about a table or column that is not there in Snowflake's."""
    if (unknown := _UNKNOWN.match(message)) is not None:
        return f"SQL compilation error:\ninvalid identifier '{unknown[1]}'"
    found = _MISSING.match(message)
    if found is None:
        return message
    return f"SQL compilation error:\nObject '{found[1]}' does not exist or not authorized."
