"""Executes statements that are chained by the pipe operator: each may read the results of those before it.

https://docs.snowflake.com/en/sql-reference/operators-flow
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.result import Result
from sfml_local.grammar.flow import with_results
from sfml_local.grammar.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def run_chain(
    account: Account, session: Session, statements: Sequence[str], *, describe_only: bool = False
) -> Result:
    """The result of the last statement; raises the SqlError of the first one that fails, and ends with it.

    `$1` in a FROM clause is the result of the statement before, as RESULT_SCAN of its query id would answer it.
    """
    latest = session.last_query_id
    ids: list[str] = []
    for statement in statements:
        text = with_results(statement, partial(_scan, ids))
        ids.append(account.new_query_id())
        result = account.execute(session, text, describe_only=describe_only, query_id=ids[-1])
        if describe_only:
            session.remember(ids[-1], result)
    if describe_only:
        session.last_query_id = latest
    return result


def _scan(ids: Sequence[str], number: int) -> str:
    if not 1 <= number <= len(ids):
        raise SqlError(
            f"SQL compilation error:\nInvalid pipe number ${number}: only {len(ids)} statements precede this one.",
            2,
            "42601",
        )
    return f"TABLE(RESULT_SCAN({literal(ids[-number])}))"
