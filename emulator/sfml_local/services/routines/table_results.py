"""RETURNS TABLE (…): the rows of a procedure's data frame with the declared columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp

from sfml_local.core.errors import SqlError
from sfml_local.core.result import CALL, Result
from sfml_local.grammar.signatures import Parameter, parameters
from sfml_local.grammar.tokens import Tokens

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ROWS = "returned"


def table_columns(declared: str) -> tuple[Parameter, ...] | None:
    """The columns of TABLE (name type, …); none for TABLE (), and None for any other type."""
    tokens = Tokens(declared)
    if not tokens.match_words("TABLE"):
        return None
    return () if tokens.at_end else parameters(tokens)


def read_table(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def no_rows(account: Account, session: Session, columns: tuple[Parameter, ...]) -> Result:
    """The declared columns without rows, for a describe."""
    nulls = [exp.cast(exp.null(), column.type, dialect="snowflake") for column in columns]
    named = [exp.alias_(null, column.name, quoted=True) for null, column in zip(nulls, columns, strict=True)]
    return account.run_tree(session, exp.select(*named).limit(0))


def table_of(account: Account, session: Session, rows: pa.Table, columns: tuple[Parameter, ...]) -> Result:
    """The rows, by position, in the declared types; without declared columns, unchanged."""
    if columns and len(columns) != rows.num_columns:
        raise SqlError(
            f"SQL execution error: the returned data frame has {rows.num_columns} columns, "
            f"RETURNS TABLE declares {len(columns)}.",
            100351,
            "22000",
        )
    names = [exp.to_identifier(name, quoted=True) for name in rows.column_names]
    projections = [
        exp.alias_(exp.cast(exp.column(name), column.type, dialect="snowflake"), column.name, quoted=True)
        for name, column in zip(names, columns, strict=False)
    ]
    query = exp.select(*(projections or [exp.Star()])).from_(exp.to_table(_ROWS))
    result = account.run_tree(session, query, staged={_ROWS: rows})
    return Result(result.columns, result.rows, CALL)
