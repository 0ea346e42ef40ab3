"""Translates errors of fakesnow, sqlglot and DuckDB into those of a Snowflake account."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import snowflake.connector.errors
from sqlglot import Expr
from sqlglot.errors import SqlglotError

from sfml_local.core.argument_types import refused_types
from sfml_local.core.errors import SqlError, broken_transaction, not_emulated, too_complex, wrong_kind
from sfml_local.core.expressions import refusals
from sfml_local.core.expressions.own_names import is_of_snowflake
from sfml_local.core.interpreter_errors import interpreter_error
from sfml_local.core.memory import too_little
from sfml_local.core.refused_queries import refused_query
from sfml_local.core.unknown_references import UnknownRelation, invalid_identifier, untyped_operand


@contextlib.contextmanager
def translating(statement: str | Expr) -> Iterator[None]:
    """fakesnow's, sqlglot's and DuckDB's errors as Snowflake's."""

    def text() -> str:
        return statement if isinstance(statement, str) else statement.sql(dialect="snowflake")

    try:
        with _telling_refusals():
            yield
    except snowflake.connector.errors.Error as cause:
        if cause.errno == 9999:
            raise not_emulated(text()) from cause
        if isinstance(cause.__cause__, duckdb.ParserException):
            raise _unreadable(cause.__cause__, text()) from cause
        message = getattr(cause, "raw_msg", None) or str(cause.msg)
        if (unread := _UNREAD.search(message)) is not None:
            raise SqlError(f"Numeric value '{unread[1]}' is not recognized", 100038, "22018") from cause
        if (refused := refused_query(message, text()) or refused_types(message, text())) is not None:
            raise refused from cause
        raise _refused(message, cause.errno or 1003, cause.sqlstate or "42000") from cause
    except duckdb.ParserException as cause:
        raise _unreadable(cause, text()) from cause
    except pa.ArrowInvalid as cause:
        raise not_emulated(text(), str(cause)) from cause
    except duckdb.CatalogException as cause:
        raise refused_query(str(cause), text()) or _refused(str(cause), 2003, "42S02") from cause
    except duckdb.BinderException as cause:
        refused = refused_query(str(cause), text()) or refused_types(str(cause), text())
        raise refused or _refused(str(cause), 2043, "02000") from cause
    except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.InvalidInputException) as cause:
        if _SEVERAL_ROWS in str(cause):
            raise SqlError("Single-row subquery returns more than one row.", 90150, "22000") from cause
        if _NOT_NULL.search(str(cause)):
            raise SqlError("NULL result in a non-nullable column", 100072, "22000") from cause
        if (refused := _refused_number(str(cause))) is not None:
            raise refused from cause
        if (unread := _UNREAD.search(str(cause))) is not None:
            raise SqlError(f"Numeric value '{unread[1]}' is not recognized", 100038, "22018") from cause
        if (types := refused_query(str(cause), text()) or refused_types(str(cause), text())) is not None:
            raise types from cause
        if "Argument for ntile must be greater than zero" in str(cause):
            raise SqlError("NTILE argument must be at least 1", 100038, "22018") from cause
        # A model's method is a function in DuckDB, which wraps its exceptions.
        raise interpreter_error(cause) or SqlError(str(cause), 100038, "22018") from cause
    except (duckdb.OutOfMemoryException, MemoryError) as cause:
        raise too_little(cause) from cause
    except duckdb.DependencyException as cause:
        what = "changing or dropping what a column's DEFAULT uses: drop the table first"
        raise not_emulated(what) from cause
    except duckdb.InterruptException as cause:
        raise SqlError("SQL execution canceled", 604, "57014") from cause
    except duckdb.Error as cause:
        if _ABORTED in str(cause):
            raise broken_transaction() from cause
        if _OVERFLOW.search(str(cause)):
            raise not_emulated("a whole number beyond 64 bits here: cast a part of it to NUMBER") from cause
        if (too_long := _too_long(str(cause))) is not None:
            raise too_long from cause
        if (refused := refused_query(str(cause), text()) or refused_types(str(cause), text())) is not None:
            raise refused from cause
        if isinstance(cause, duckdb.OutOfRangeException):
            raise SqlError("Numeric value is out of range", 100039, "22003") from cause
        raise SqlError(f"{type(cause).__name__}: {cause}", 2, "0A000") from cause
    except (NotImplementedError, AssertionError, SqlglotError) as cause:
        raise not_emulated(text()) from cause


@contextlib.contextmanager
def _telling_refusals() -> Iterator[None]:
    """A refusal of one of our functions inside DuckDB, whatever error DuckDB and fakesnow wrap it in."""
    try:
        yield
    except (snowflake.connector.errors.Error, duckdb.Error) as cause:
        if isinstance(cause.__cause__ or cause, _UNBOUND):
            raise
        refusal = refusals.found(f"{cause} {cause.__cause__ or ''}")
        if refusal is None:
            raise
        code, state, sentence = refusal
        raise SqlError(sentence, code, state) from cause


_UNBOUND = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
"""Errors that show a line of the statement, in which texts of refusals may be that nobody raised."""


def _unreadable(cause: duckdb.ParserException, statement: str) -> SqlError:
    """SQL that sqlglot accepts for Snowflake, and DuckDB cannot parse."""
    if _TOO_DEEP in str(cause):
        return too_complex()
    return not_emulated(statement)


def _refused(message: str, errno: int, sqlstate: str) -> SqlError:
    """DuckDB's refusal with Snowflake's message, where that is known."""
    if _TOO_DEEP in message:
        return too_complex()
    if _ABORTED in message:
        return broken_transaction()
    if (constant := _CONSTANT.search(message)) is not None:
        return not_emulated(constant[2].upper(), f"its {constant[1]} is no constant")
    if (function := _NO_FUNCTION.match(message)) is not None:
        return no_function(function[1].upper())
    for words, sentence, code in _MISPLACED:
        if message.startswith(f"Binder Error: {words}"):
            return SqlError(f"SQL compilation error:\n{sentence}", code, "42601")
    if "Catalog Error: Collation with name" in message:
        return not_emulated("collations")
    if _STAR.search(message):
        return not_emulated("a star as an argument of this function", "name its columns")
    if _OF_VIEW.search(message):
        return wrong_kind("VIEW", "TABLE")
    if _ORDERED.match(message):
        return not_emulated("a constant in ORDER BY, or a path within a value that is computed")
    if (ambiguous := _AMBIGUOUS.match(message)) is not None:
        return SqlError(
            f"SQL compilation error:\nambiguous column name '{ambiguous[1].upper()}'", 2028, "42601"
        )
    if (identifier := invalid_identifier(message) or untyped_operand(message)) is not None:
        return identifier
    if (type := _NO_TYPE.match(message)) is not None:
        return no_type(type[1].upper())
    if (missing := _MISSING.match(message)) is not None:
        if missing[1].upper().startswith(_OF_SNOWFLAKE):
            return not_emulated(missing[1], "of the views of Snowflake itself there are none here")
        return UnknownRelation(missing[1])
    return SqlError(message, errno, sqlstate)


_OF_VIEW = re.compile(r"Can only (update|delete from|merge into) base table|is not an table")
"""DML on a view, of which an account says the same in an assumed sentence."""


def no_type(name: str) -> SqlError:
    """A missing type: not emulated if Snowflake has it, otherwise unknown."""
    if name in TYPES_NOT_HERE:
        return not_emulated(f"the type {name}")
    return SqlError(f"SQL compilation error:\nUnsupported data type '{name}'.", 2040, "42601")


def no_function(name: str) -> SqlError:
    """A missing function: not emulated if an account has one with that name, otherwise unknown (002140)."""
    if name.startswith("SNOWFLAKE."):
        return not_emulated(f"function {name}", "of the functions of Snowflake itself there are none here")
    if is_of_snowflake(name):
        return not_emulated(f"function {name}")
    kind = "user-defined function" if "." in name else "function"
    return SqlError(f"SQL compilation error:\nUnknown {kind} {name}", 2140, "42601")


def _refused_number(message: str) -> SqlError | None:
    """Errors that `number_types` lets DuckDB raise."""
    _, words, operation = message.partition(NO_NUMBER)
    return SqlError(words + operation, 100038, "22018") if words else None


def _too_long(message: str) -> SqlError | None:
    """The refusal of a sum, difference or product that has more than 38 digits."""
    if _SUM_TOO_LONG.search(message):
        return SqlError("Value overflow in a SUM aggregate", 100058, "22000")
    if _TOO_LONG.search(message):
        return SqlError("Number out of representable range: type FIXED[SB16]", 100046, "22003")
    return None


_SUM_TOO_LONG = re.compile(r"Overflow in (?:HUGEINT (?:addition|multiplication)|SUM of DECIMAL)")
_TOO_LONG = re.compile(
    r"Overflow in \w+ of DECIMAL|Needed scale \d+ to accurately represent the multiplication"
)
_OVERFLOW = re.compile(r"Overflow in \w+ of INT(?:16|32|64)\b")
"""Literals, counts and lengths have the integers of DuckDB's."""
NO_NUMBER = "Invalid floating point operation: "
_SEVERAL_ROWS = "More than one row returned by a subquery"
_NOT_NULL = re.compile(r"Constraint Error: NOT NULL constraint failed")
_ABORTED = "Current transaction is aborted"
_TOO_DEEP = "Max expression depth limit"
_NO_FUNCTION = re.compile(
    r"Catalog Error: (?:\w+ )?Function with name \"?([\w.$]+)\"? (?:does not exist|is not in the)"
)
_CONSTANT = re.compile(r'The "(.*?)" argument in function "(.*?)" must be a constant')
_ORDERED = re.compile(r"Binder Error: (?:ORDER BY|JSON path error)")
_MISPLACED = (
    ("GROUP BY clause cannot contain aggregates", "An aggregate is not a valid group by expression", 979),
    ("WHERE clause cannot contain aggregates", "Invalid aggregate function in where clause", 2035),
    (
        "WHERE clause cannot contain window functions",
        "Window function appears outside of SELECT, QUALIFY, and ORDER BY clauses",
        2303,
    ),
    (
        "HAVING clause cannot contain window functions",
        "Window function appears outside of SELECT, QUALIFY, and ORDER BY clauses",
        2303,
    ),
    ("GROUPING statement cannot be used without groups", "GROUPING function without a GROUP BY", 2077),
)
"""DuckDB's words, an account's sentence without its expressions, and its code; those of the last two are assumed."""
_STAR = re.compile(
    r"Binder Error: (?:STAR expression is only allowed|Function .* cannot be applied to a star expression"
    r"|.*[Mm]ultiple different STAR)"
)
_AMBIGUOUS = re.compile(r'Binder Error: Ambiguous reference to column name "(.*?)"')
_UNREAD = re.compile(r"Could not convert string ['\"](.*)['\"] to (?:INT\d+|DOUBLE|DECIMAL)", re.DOTALL)
"""A text that is compared with a number, or inserted into a column of numbers."""
_OF_SNOWFLAKE = (
    "SNOWFLAKE.ACCOUNT_USAGE.",
    "SNOWFLAKE.ORGANIZATION_USAGE.",
    "SNOWFLAKE.READER_ACCOUNT_USAGE.",
)
_MISSING = re.compile(r'Catalog Error: (?:Table|View) with name "?(.*?)"? does not exist')
_NO_TYPE = re.compile(r"Catalog Error: Type with name \"?(\w+)\"? does not exist")
TYPES_NOT_HERE = frozenset({"GEOGRAPHY", "GEOMETRY", "VECTOR", "DECFLOAT", "FILE", "UUID"})
"""Types of Snowflake's that this server lacks."""
