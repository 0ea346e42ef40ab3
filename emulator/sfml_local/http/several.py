"""A request with several statements, of which each has a query id and a result of its own.

https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#label-python-connector-api-execute
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot.tokens import TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.nested_statements import nested
from sfml_local.core.result import Column, Result
from sfml_local.core.statement_parameters import value_of
from sfml_local.grammar.several import statements_of
from sfml_local.grammar.tokens import SqlSyntaxError, Tokens

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SEVERAL = 0xA000
"""The statement type of a request with several statements."""


def counted(session: Session, sql: str) -> tuple[str, ...]:
    """The statements of a request, if there are as many as the client says; raises SqlError."""
    try:
        statements = statements_of(sql)
    except SqlSyntaxError:
        return (sql,)  # the statement is refused, with its position, when it is read
    wanted = value_of("MULTI_STATEMENT_COUNT", session.parameters)
    desired = 1 if wanted is None else int(wanted)
    if desired and len(statements) != desired:
        raise SqlError(
            f"Actual statement count {len(statements)} did not match the desired statement count {desired}.",
            8,
            "0A000",
        )
    return statements


def run_all(
    account: Account, session: Session, statements: Sequence[str], values: Sequence[Any], query_id: str
) -> Result:
    """Run one statement after the other, up to the first that fails, each with its part of the bound values."""
    ids, given = [], iter(values)
    for statement in statements:
        ids.append(account.new_query_id())
        with nested():
            account.execute(session, statement, _taken(statement, given), query_id=ids[-1])
    rows = (("Multiple statements executed successfully.",),)
    result = Result((Column("multiple statement execution"),), rows, SEVERAL, parts=tuple(ids))
    session.remember(query_id, result)
    return result


def _taken(statement: str, values: Iterator[Any]) -> list[Any]:
    places = (one for one in Tokens(statement).following() if one.token_type is TokenType.PLACEHOLDER)
    return [value for _, value in zip(places, values, strict=False)]


def told(result: Result, kept: Callable[[str], Result]) -> dict[str, str]:
    """What a response says of the results of the statements, which the client fetches by their ids."""
    if not result.parts:
        return {}
    types = [kept(one).statement_type_id for one in result.parts]
    return {"resultIds": ",".join(result.parts), "resultTypes": ",".join(map(str, types))}
