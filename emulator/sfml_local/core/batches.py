"""Array bindings: one INSERT for many rows of values, executed as one statement.

https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-example#binding-data
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fakesnow.converter import from_binding
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sfml_local.core.bindings import inline_identifiers
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.result import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ROWS = "bound"


def bound_value(binding: dict[str, Any]) -> Any:
    """The Python value of a binding; clients send decimals as FIXED too."""
    value = binding["value"]
    if value is None:
        return None
    if binding["type"] == "FIXED" and not str(value).lstrip("-").isdigit():
        return Decimal(str(value))
    if binding["type"] == "REAL":
        return float(value)
    bound = from_binding(binding)
    if binding["type"] == "TIMESTAMP_NTZ" and isinstance(bound, datetime.datetime):
        return bound.replace(tzinfo=None)  # it is in no zone, whatever the session's is
    return bound


def batch(
    account: Account, session: Session, sql: str, bindings: Sequence[dict[str, Any]], query_id: str
) -> Result:
    """Run a statement for each row of values; returns the sum of their counts."""
    columns = [[bound_value({**one, "value": value}) for value in one["value"]] for one in bindings]
    if (insert := _of_many(sql)) is not None and (rows := _table(columns)) is not None:
        result = account.run_tree(session, insert, staged={_ROWS: rows}, written=sql)
        session.remember(query_id, result)
        return result
    result, total = Result(()), 0
    for row in zip(*columns, strict=True):
        result = account.execute(session, sql, row)
        total += int(result.scalar or 0)
    return Result(result.columns, ((total,),), result.statement_type_id)


def _of_many(sql: str) -> exp.Insert | None:
    """`INSERT … VALUES (?, …)` as one that selects its rows from a table; None for other statements."""
    try:
        tree = parse_one(inline_identifiers(sql, [])[0])
    except (SqlglotError, ValueError, IndexError):
        return None
    if not isinstance(tree, exp.Insert):
        return None
    values = tree.expression
    if isinstance(values, exp.Values) and len(values.expressions) == 1:
        row = values.expressions[0]
        query = exp.select(*(row.expressions if isinstance(row, exp.Tuple) else [row]))
    elif isinstance(values, exp.Select) and not values.args.get("from_") and not values.args.get("from"):
        query = values.copy()
    else:
        return None
    for index, node in enumerate(list(query.find_all(exp.Placeholder, bfs=False))):
        node.replace(exp.column(exp.to_identifier(f"v{index}", quoted=True)))
    tree.set("expression", query.from_(exp.to_table(_ROWS)))
    return tree


def _table(columns: list[list[Any]]) -> pa.Table | None:
    """The values as columns v0, v1 …; None where they have no common type."""
    import pyarrow as pa

    try:
        return pa.table({f"v{index}": pa.array(values) for index, values in enumerate(columns)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
