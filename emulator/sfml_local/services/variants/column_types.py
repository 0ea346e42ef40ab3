"""The types of inserted values beside those of their columns: accounts refuse some before any row is written.

Only values whose type is certain are compared: a NULL, for example, has no type of its own.
https://docs.snowflake.com/en/sql-reference/data-type-conversion#data-types-that-can-be-cast
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.statements import InsertedColumns
from sfml_local.core.names import ObjectName
from sfml_local.core.result import Column
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.stored_types import snowflake_type
from sfml_local.core.temporaries import full_name
from sfml_local.services.variants import semi_structured

_NUMBERS, _SEMI_STRUCTURED = frozenset({"NUMBER", "FLOAT"}), frozenset({"VARIANT", "ARRAY", "OBJECT"})
_MOMENTS = frozenset({"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})
_PLAIN = _NUMBERS | _MOMENTS | {"BOOLEAN", "DATE", "TIME"}
REFUSED: Mapping[str, frozenset[str]] = {
    "VARCHAR": _SEMI_STRUCTURED,
    "NUMBER": frozenset({"DATE", "TIME", "ARRAY", "OBJECT"}),
    "FLOAT": frozenset({"DATE", "TIME", "ARRAY", "OBJECT"}),
    "BOOLEAN": _MOMENTS | {"NUMBER", "DATE", "TIME", "ARRAY", "OBJECT"},
    "DATE": _NUMBERS | {"BOOLEAN", "TIME", "ARRAY", "OBJECT"},
    "TIME": _NUMBERS | _MOMENTS | {"BOOLEAN", "DATE", "ARRAY", "OBJECT"},
    **dict.fromkeys(_MOMENTS, _NUMBERS | {"BOOLEAN", "ARRAY", "OBJECT"}),
    "ARRAY": _PLAIN | {"OBJECT"},
    "OBJECT": _PLAIN | {"ARRAY"},
}
"""Type of a value → types of columns that do not take it; other pairs are converted, or fail row by row."""

_SHOWN = {"real": "FLOAT", "boolean": "BOOLEAN", "date": "DATE", "array": "ARRAY", "object": "OBJECT"}
_UNREAD = (exp.TableFromRows, exp.ModelAttribute, exp.Parameter)
"""What makes describing a query cost as much as running it, or what it reads not known."""


def matching_types(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse INSERT of values of a type that their column does not take, before other rewrites."""
    if not isinstance(tree, exp.Insert) or rewriting.describe_only or rewriting.relations:
        return tree
    source = tree.expression
    if isinstance(source, exp.Values):
        given = dict(enumerate(_of_rows(source)))
    elif isinstance(source, exp.Query) and source.find(*_UNREAD) is None:
        given = dict(enumerate(_of_query(source, rewriting)))
    else:
        return tree
    if any(given.values()):
        _compare(tree, given, rewriting)
    return tree


def _compare(tree: exp.Insert, given: Mapping[int, str | None], rewriting: Rewriting) -> None:
    schema = tree.this
    target = schema.this if isinstance(schema, exp.Schema) else schema
    name = full_name(target, rewriting.session) if isinstance(target, exp.Table) else None
    if name is None:
        return
    held = _held(rewriting, name)
    names = [dotted(one) for one in schema.expressions] if isinstance(schema, exp.Schema) else list(held)
    for index, column in enumerate(names):
        value, wanted = given.get(index), held.get(column)
        if value is not None and wanted is not None:
            _refuse(value, wanted, column)


def _held(rewriting: Rewriting, name: ObjectName) -> dict[str, str]:
    """The columns of a table with their types, as errors show them."""
    told = semi_structured.kinds_of(rewriting.account, rewriting.session, name)
    held = rewriting.account.engine.held_types(rewriting.session, name)
    return {
        column: _told(told[column]) if column in told else snowflake_type(stored, length)
        for column, (stored, length) in held.items()
    }


def _told(kind: str) -> str:
    return f"{kind.upper()}(9)" if kind.startswith("timestamp") else kind.upper()


def _refuse(value: str, wanted: str, column: str) -> None:
    kind, target = value.partition("(")[0], wanted.partition("(")[0]
    if target not in REFUSED.get(kind, ()):
        return
    if kind == "TIME" and target in _MOMENTS:
        raise SqlError(f"SQL compilation error:\nincompatible types: [{value}] and [{wanted}]", 2016, "22000")
    raise SqlError(
        "SQL compilation error:\nExpression type does not match column data type, expecting "
        f"{wanted} but got {value} for column {column}",
        2023,
        "22000",
    )


def _of_rows(values: exp.Values) -> Iterator[str | None]:
    """The type of each column of VALUES, where all its literals have the same."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    for column in zip(*rows, strict=False):
        known = {_of_literal(value) for value in column if not isinstance(value, exp.Null)}
        kinds = {kind and kind.partition("(")[0] for kind in known}
        yield (
            max((kind for kind in known if kind), key=len) if len(kinds) == 1 and None not in kinds else None
        )


def _of_literal(value: Expr) -> str | None:
    match value:
        case exp.Boolean():
            return "BOOLEAN"
        case exp.Literal() if value.is_string:
            return f"VARCHAR({len(value.name)})"
        case exp.Literal() if value.name.isdecimal():
            return f"NUMBER({len(value.name)},0)"
    return None


def _of_query(query: exp.Query, rewriting: Rewriting) -> Sequence[str | None]:
    """The types of a query's columns; None where DuckDB's is not certainly an account's."""
    try:
        columns = rewriting.account.run_tree(rewriting.session, query.copy(), describe_only=True).columns
    except SqlError:
        return ()  # the statement itself is refused in the same words
    rewriting.note(InsertedColumns).described = columns
    if query.is_star or isinstance(query, exp.SetOperation) or len(query.selects) != len(columns):
        return [_described(column) for column in columns]
    return [
        _of_literal(one.unalias()) or _described(column)
        for one, column in zip(query.selects, columns, strict=True)
    ]


def _described(column: Column) -> str | None:
    """A described column's type; a text may also be a NULL, or a VARIANT on an account."""
    if column.type == "fixed":
        return f"NUMBER({column.precision},{column.scale or 0})"
    if column.type.startswith("time"):
        return f"{column.type.upper()}(9)"
    return _SHOWN.get(column.type)
