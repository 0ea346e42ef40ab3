"""Errors as a Snowflake account reports them: a code, a SQL state and Snowflake's sentence."""

from __future__ import annotations

from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name


class SqlError(Exception):
    """A statement that the account refuses; `errno` 2003 is shown by clients as 002003."""

    def __init__(self, message: str, errno: int = 1003, sqlstate: str = "42000") -> None:
        super().__init__(message)
        self.message = message
        self.errno = errno
        self.sqlstate = sqlstate

    @property
    def code(self) -> str:
        return f"{self.errno:06d}"


class LocalFileError(Exception):
    """An undamaged file of the account cannot be opened; the server can only start once that has changed."""


def does_not_exist(kind: str, name: object) -> SqlError:
    """002003: an object that does not exist, or that the role cannot see."""
    # Tables and views answer 42S02, every other kind of object 02000, as the clients' tests expect.
    sqlstate = "42S02" if kind.upper() in {"TABLE", "VIEW", "OBJECT"} else "02000"
    return SqlError(
        f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.", 2003, sqlstate
    )


def already_exists(name: object, kind: str = "Object") -> SqlError:
    """002002: an object with this name already exists; `Name` is one as the user wrote it, which accounts repeat."""
    shown = ".".join(map(quoted_if_needed, name.parts)) if isinstance(name, Name) else name
    return SqlError(f"SQL compilation error:\n{kind} '{shown}' already exists.", 2002, "42710")


def name_is_taken(new: object) -> SqlError:
    """002002: RENAME TO the name of another object, which accounts name without its place.

    https://docs.snowflake.com/en/sql-reference/sql/alter-table: the examples
    """
    return already_exists(getattr(new, "name", new))


def already_exists_as(name: object, kind: str) -> SqlError:
    """001998: an object of another kind has this name."""
    return SqlError(f"SQL compilation error:\nObject '{name}' already exists as {kind}", 1998, "42710")


def wrong_kind(actual: str, kind: str) -> SqlError:
    """The error for a table statement that names a view, or the reverse."""
    return SqlError(
        f"SQL compilation error:\nObject found is of type '{actual}', not specified type '{kind}'.",
        2203,
        "42601",
    )


def duplicate_row() -> SqlError:
    """100090: several source rows would change one target row, and nothing tells which of them does."""
    return SqlError("Duplicate row detected during DML action", 100090, "42P18")


def not_emulated(statement: str, why: str = "") -> SqlError:
    """000002: a statement or feature of Snowflake that this server does not emulate."""
    shown = " ".join(statement.split())
    if len(shown) > 300:
        shown = shown[:300] + "…"
    reason = f" ({why})" if why else ""
    return SqlError(f"Unsupported feature: not emulated by the local server: {shown}{reason}", 2, "0A000")


def broken_transaction() -> SqlError:
    """000002: a statement after one that has failed in the same transaction, which DuckDB does not go on with."""
    return not_emulated(
        "going on in a transaction after a statement in it has failed: ROLLBACK, and repeat it"
    )


def too_complex() -> SqlError:
    """A statement that is nested too deeply, or has too long a chain of operators, to be processed."""
    return SqlError(
        "SQL compilation error:\nThe statement is nested too deeply, or has a chain of too many operators, for the "
        "local server. Split it, or put its parts into tables.",
        1003,
        "54001",
    )


def invalid_value(value: object, what: str) -> SqlError:
    """001008: an invalid value of a parameter."""
    return SqlError(f"SQL compilation error:\ninvalid value [{value}] for parameter '{what}'", 1008, "22023")


def invalid_parameter(name: str) -> SqlError:
    """001006: an option or a parameter that there is not."""
    return SqlError(f"SQL compilation error:\ninvalid parameter '{name}'", 1006, "42601")


def no_current_database(command: str = "operation") -> SqlError:
    return SqlError(
        f"Cannot perform {command}. This session does not have a current database. "
        "Call 'USE DATABASE', or use a qualified name.",
        90105,
        "22000",
    )


def no_current_schema(command: str = "operation") -> SqlError:
    return SqlError(
        f"Cannot perform {command}. This session does not have a current schema. "
        "Call 'USE SCHEMA', or use a qualified name.",
        90106,
        "22000",
    )
