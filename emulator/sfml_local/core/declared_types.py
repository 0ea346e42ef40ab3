"""The types that a CREATE or ALTER TABLE declares, as DuckDB and fakesnow take them.

https://docs.snowflake.com/en/sql-reference/data-types-text
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.grammar.tokens import Name

_T = exp.DataType.Type
_ONE_CHARACTER = frozenset({_T.CHAR, _T.NCHAR})
_WITHOUT_SIZE = frozenset({_T.FLOAT, _T.DOUBLE})
"""Types whose size has no meaning: each FLOAT is a double."""


@looks_for(exp.Create, exp.Alter)
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


@looks_for(exp.Column)
def sequences(tree: Expr, rewriting: Rewriting) -> Expr:
    """`s.NEXTVAL` of a DEFAULT, of VALUES and within an expression as a call; that of a SELECT is fakesnow's."""
    for column in list(tree.find_all(exp.Column)):
        is_next = column.name.upper() == "NEXTVAL" and bool(column.table)
        if is_next and not isinstance(column.parent, exp.Select | exp.Alias):
            _call_sequence(column, rewriting)
    return tree


def _call_sequence(column: exp.Column, rewriting: Rewriting) -> None:
    *place, name = [dotted(part) for part in column.parts[:-1]]
    sequence = resolve(Name((*place, name)), rewriting.session)
    if not rewriting.account.engine.has_sequence(rewriting.session, sequence):
        raise does_not_exist("Sequence", sequence.fqn())
    path = exp.Literal.string(duckdb_identifier(*sequence.parts))
    column.replace(exp.Anonymous(this="nextval", expressions=[path]))


def _declared(tree: Expr) -> list[exp.DataType]:
    columns = (column.args.get("kind") for column in tree.find_all(exp.ColumnDef))
    changed = (action.args.get("dtype") for action in tree.find_all(exp.AlterColumn))
    return [kind for kind in (*columns, *changed) if isinstance(kind, exp.DataType)]
