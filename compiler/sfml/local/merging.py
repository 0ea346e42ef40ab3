"""MERGE by DuckDB's own, in one statement, and the counts that Snowflake answers.

https://docs.snowflake.com/en/sql-reference/sql/merge
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from sfml.local.errors import SqlError
from sfml.local.result import INSERT, Column, Result

if TYPE_CHECKING:
    from fakesnow.cursor import FakeSnowflakeCursor

_MANY = "cannot affect the same target row more than once"
_DONE = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
MERGED = INSERT + 0x300
"""The statement type of MERGE."""


def merge(cursor: FakeSnowflakeCursor, tree: exp.Merge, params: list[Any]) -> Result:
    """Carry out a MERGE; one row with the number of rows of each kind of change that it may make."""
    cursor.check_db_and_schema(tree)
    kinds = [_kind(when) for when in tree.args["whens"].expressions]
    transformed = cursor._transform(tree, params)
    for when in transformed.args["whens"].expressions:
        _bare(when.args["then"])
    for note in ("table_comment", "text_lengths"):
        transformed.args.pop(note, None)
    sql = f"{transformed.sql(dialect='duckdb')} RETURNING merge_action"
    bound = params if transformed.find(exp.Placeholder) else None
    try:
        done = Counter(action for (action,) in cursor._duck_conn.execute(sql, bound).fetchall())
    except duckdb.InvalidInputException as cause:
        if _MANY not in str(cause):
            raise
        raise SqlError("Duplicate row detected during DML action", 100090, "42P18") from cause
    columns, counts = [], []
    for kind, word in _DONE.items():
        if kind in kinds:
            columns.append(Column(f"number of rows {word}", "fixed", 38, 0))
            counts.append(done[kind])
    return Result(tuple(columns), (tuple(counts),), MERGED)


def _kind(when: exp.When) -> str:
    then = when.args["then"]
    return (
        "INSERT" if isinstance(then, exp.Insert) else "UPDATE" if isinstance(then, exp.Update) else "DELETE"
    )


def _bare(then: Any) -> None:
    """The columns that are set or filled without the target's name, as DuckDB wants them."""
    if isinstance(then, exp.Update):
        targets = [one.this for one in then.expressions if isinstance(one, exp.EQ)]
    elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
        targets = then.this.expressions
    else:
        return
    for target in targets:
        if isinstance(target, exp.Column):
            target.set("table", None)
            target.set("db", None)
            target.set("catalog", None)
