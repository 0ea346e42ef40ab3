"""Sums of numbers left exact, which fakesnow makes sums of doubles so that texts can be summed.

A NUMBER's sum is a NUMBER in Snowflake. https://docs.snowflake.com/en/sql-reference/functions/sum
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import snowflake.connector.errors
from sqlglot import Expr, exp


def run_exactly(run: Callable[[Expr], None], transformed: Expr) -> None:
    """Run a transformed statement with its sums exact, and as fakesnow wrote it where DuckDB refuses that.

    DuckDB refuses the sum of a text when it binds the statement, before anything is done. Whatever else is
    wrong with it is refused again, so nothing is read from DuckDB's words.
    """
    exact = _exact(transformed)
    if exact is not None:
        try:
            return run(exact)
        except (duckdb.BinderException, snowflake.connector.errors.ProgrammingError) as cause:
            if not isinstance(cause.__cause__ or cause, duckdb.BinderException):
                raise
    return run(transformed)


def _exact(transformed: Expr) -> Expr | None:
    if not any(_is_double_cast(node.this) for node in transformed.find_all(exp.Sum)):
        return None
    exact = transformed.copy()
    for node in list(exact.find_all(exp.Sum)):
        if _is_double_cast(node.this):
            node.set("this", node.this.this)
    return exact


def _is_double_cast(node: Expr) -> bool:
    return isinstance(node, exp.TryCast) and node.to.is_type(exp.DataType.Type.DOUBLE)
