"""The types that a CREATE or ALTER TABLE declares, as DuckDB and fakesnow take them.

https://docs.snowflake.com/en/sql-reference/data-types-text
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.rewriting import Rewriting

_T = exp.DataType.Type
_ONE_CHARACTER = frozenset({_T.CHAR, _T.NCHAR})
_WITHOUT_SIZE = frozenset({_T.BINARY, _T.VARBINARY, _T.FLOAT, _T.DOUBLE})
"""Types whose size has no meaning here: bytes are not counted, and each FLOAT is a double."""


def declared_types(tree: Expr, rewriting: Rewriting) -> Expr:
    """CHAR is VARCHAR(1), and other texts of a fixed length are texts of at most this length."""
    if isinstance(tree, exp.Create | exp.Alter):
        for kind in _declared(tree):
            if kind.this in _ONE_CHARACTER:
                size = kind.expressions or [exp.DataTypeParam(this=exp.Literal.number(1))]
                kind.replace(exp.DataType(this=_T.VARCHAR, expressions=size))
            elif kind.this in _WITHOUT_SIZE:
                kind.set("expressions", [])
    return tree


def _declared(tree: Expr) -> list[exp.DataType]:
    columns = (column.args.get("kind") for column in tree.find_all(exp.ColumnDef))
    changed = (action.args.get("dtype") for action in tree.find_all(exp.AlterColumn))
    return [kind for kind in (*columns, *changed) if isinstance(kind, exp.DataType)]
