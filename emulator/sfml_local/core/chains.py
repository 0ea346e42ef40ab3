"""Executes statements that are chained by the pipe operator: each may read the results of those before it.

https://docs.snowflake.com/en/sql-reference/operators-flow
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.nested_statements import nested
from sfml_local.core.result import SELECT, SHOW, Column, Result
from sfml_local.grammar.flow import UnitedResult, united_results, with_results
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
    ids: list[str] = []
    results: list[Result] = []
    for at, statement in enumerate(statements, 1):
        ids.append(account.new_query_id())
        united = united_results(statement) if at == len(statements) > 1 else ()
        whole = _united(results, united)
        if whole is None:
            text = with_results(statement, partial(_scan, ids[:-1]))
            with nested():
                whole = account.execute(session, text, describe_only=describe_only, query_id=ids[-1])
        if describe_only:
            session.remember(ids[-1], whole, counts=False)
        results.append(whole)
    return results[-1]


def _united(results: Sequence[Result], parts: Sequence[UnitedResult]) -> Result | None:
    """The results below one another, each row with its part's number in front; None where SQL has to put them so.

    Many small results would otherwise be made tables first, only to be read once.
    """
    if not parts or any(not 1 <= part.number <= len(results) for part in parts):
        return None
    sources = [results[-part.number] for part in parts]
    columns = sources[0].columns
    if any(source.columns != columns or source.statement_type_id != SHOW for source in sources):
        return None
    rows = tuple(
        (part.value, *row) for part, source in zip(parts, sources, strict=True) for row in source.rows
    )
    return Result((Column(parts[0].column, "fixed"), *columns), rows, SELECT)


def _scan(ids: Sequence[str], number: int) -> str:
    if not 1 <= number <= len(ids):
        raise SqlError(
            f"SQL compilation error:\nInvalid pipe number ${number}: only {len(ids)} statements precede this one.",
            2,
            "42601",
        )
    return f"TABLE(RESULT_SCAN({literal(ids[-number])}))"
