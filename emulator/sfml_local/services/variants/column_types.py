"""The types of written values beside those of their columns: accounts refuse some before any row is written.

Texts beside dates in a set operation become dates, so that their column is one of dates.

Only values whose type is certain are compared: a NULL, for example, has no type of its own.
https://docs.snowflake.com/en/sql-reference/data-type-conversion#data-types-that-can-be-cast
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.statements import InsertedColumns
from sfml_local.core.names import ObjectName
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.positional_columns import names_of
from sfml_local.core.result import Column
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.stored_types import declared_type, snowflake_type
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
    "BINARY": frozenset({"VARCHAR"}),
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


@looks_for(exp.Insert, exp.Update, exp.Merge, exp.Create)
def matching_types(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse to write values of a type that their column does not take, before other rewrites."""
    if rewriting.describe_only or rewriting.relations:
        return tree
    match tree:
        case exp.Insert():
            _check_insert(tree, rewriting)
        case exp.Update():
            source = tree.args.get("from_")
            relations = [] if source is None else _relations(source.this)
            _check_set(tree.this, tree.expressions, relations, rewriting)
        case exp.Merge():
            _check_merge(tree, rewriting)
        case exp.Create():
            _check_filled(tree, rewriting)
    return tree


@looks_for(exp.SetOperation)
def dated_texts(tree: Expr, rewriting: Rewriting) -> Expr:
    """Cast a text that a set operation has beside a column of dates or times, which DuckDB would make texts."""
    for union in list(tree.find_all(exp.SetOperation)):
        parts = [] if isinstance(union.parent, exp.SetOperation) else [*_parts(union)]
        selects = [part for part in parts if isinstance(part, exp.Select) and not part.is_star]
        if selects and len(selects) == len(parts) and len({len(one.expressions) for one in selects}) == 1:
            for column in zip(*(one.expressions for one in selects), strict=True):
                _date_texts(column, rewriting)
    return tree


def _parts(union: exp.SetOperation) -> Iterator[Expr]:
    for side in (union.this, union.expression):
        if isinstance(side, exp.SetOperation):
            yield from _parts(side)
        else:
            yield side


def _date_texts(column: Sequence[Expr], rewriting: Rewriting) -> None:
    values = [one.unalias() for one in column]
    texts = [value for value in values if isinstance(value, exp.Literal) and value.is_string]
    if not texts or len(texts) == len(values):
        return
    types = {of_selected(value, rewriting) for value in values if not _is_untyped(value)}
    type = types.pop() if len(types) == 1 else None
    if type is None or type.partition("(")[0] not in _MOMENTS | {"DATE"}:
        return
    for text in texts:
        if isinstance(text.parent, exp.Alias) or text is not values[0]:  # the first one names the column
            text.replace(exp.cast(text.copy(), type.partition("(")[0], dialect="snowflake"))


def _is_untyped(value: Expr) -> bool:
    return isinstance(value, exp.Null) or (isinstance(value, exp.Literal) and value.is_string)


def of_selected(value: Expr, rewriting: Rewriting) -> str | None:
    """The type of a column of the tables around it."""
    select = value.find_ancestor(exp.Select)
    source = None if select is None else select.args.get("from_")
    if not isinstance(value, exp.Column) or select is None or not isinstance(source, exp.From):
        return None
    relations = [source.this, *(join.this for join in select.args.get("joins") or ())]
    return _of_column(value, relations, rewriting) if isinstance(value.this, exp.Identifier) else None


def _check_insert(tree: exp.Insert, rewriting: Rewriting) -> None:
    source = tree.expression
    if isinstance(source, exp.Values):
        given = dict(enumerate(_of_rows(source)))
    elif isinstance(source, exp.Query) and source.find(*_UNREAD) is None:
        given = dict(enumerate(_of_query(source, rewriting)))
    else:
        return
    if any(given.values()):
        _compare(tree, given, rewriting)


def _check_filled(tree: exp.Create, rewriting: Rewriting) -> None:
    """CREATE TABLE t (a INT) AS SELECT …"""
    schema, query = tree.this, tree.args.get("expression")
    if not isinstance(schema, exp.Schema) or not isinstance(query, exp.Query) or query.find(*_UNREAD):
        return
    kinds = [one.args.get("kind") for one in schema.expressions if isinstance(one, exp.ColumnDef)]
    given = _of_query(query, rewriting)
    for value, kind in zip(given, kinds, strict=False) if len(given) == len(kinds) else ():
        wanted = declared_type(kind.sql(dialect="duckdb")) if isinstance(kind, exp.DataType) else ""
        if value is not None and _is_refused(value, wanted):
            raise _incompatible(value, wanted)


def _check_merge(tree: exp.Merge, rewriting: Rewriting) -> None:
    sources = [tree.args["using"]]
    for then in (when.args["then"] for when in tree.args["whens"].expressions):
        if isinstance(then, exp.Update) and isinstance(then.args.get("expressions"), list):  # not ALL BY NAME
            _check_set(tree.this, then.expressions, sources, rewriting)
        elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
            names = then.this.expressions if isinstance(then.this, exp.Tuple) else ()
            pairs = [
                exp.EQ(this=name.copy(), expression=value.copy())
                for name, value in zip(names, then.expression.expressions, strict=False)
            ]
            _check_set(tree.this, pairs, sources, rewriting)


def _check_set(
    target: Expr, assignments: Sequence[Expr], sources: Sequence[Expr], rewriting: Rewriting
) -> None:
    """Compare what SET assigns, in the order of the table's columns, where its form or its column tells its type."""
    name = full_name(target, rewriting.session) if isinstance(target, exp.Table) else None
    pairs = {_last(one.this): one.expression for one in assignments if isinstance(one, exp.EQ)}
    if name is None or not pairs:
        return
    held = _held(rewriting, name)
    for column, wanted in held.items():
        if column in pairs:
            value = _static(pairs[column], [target, *sources], rewriting)
            if value is not None:
                _refuse(value, wanted, column)


def _relations(first: Expr) -> list[Expr]:
    return [first, *(join.this for join in first.args.get("joins") or ())]


def _last(column: Expr) -> str:
    return dotted(column.this if isinstance(column, exp.Column) else column)


def _static(value: Expr, relations: Sequence[Expr], rewriting: Rewriting) -> str | None:
    """The type of a literal, a condition, the current date, or a column of these relations."""
    match value:
        case exp.Paren():
            return _static(value.this, relations, rewriting)
        case exp.Column() if isinstance(value.this, exp.Identifier):
            return _of_column(value, relations, rewriting)
        case exp.Literal() if value.is_string:
            return None
    return of_form(value)


def of_form(value: Expr) -> str | None:
    """The type of a literal, a condition or the current date."""
    match value:
        case exp.Paren():
            return of_form(value.this)
        case exp.Predicate() | exp.Connector() | exp.Not():
            return "BOOLEAN"
        case exp.CurrentDate():
            return "DATE"
    return _of_literal(value)


def _of_column(column: exp.Column, relations: Sequence[Expr], rewriting: Rewriting) -> str | None:
    """The type of a column that its qualifier, or the one relation there is, tells."""
    table = dotted(column.args["table"]) if column.table else None
    if table is None and len(relations) > 1:
        names = [names_of(one, rewriting) for one in relations]
        if None in names:
            return None
        named = [one for one, has in zip(relations, names, strict=True) if dotted(column.this) in (has or ())]
    else:
        named = [one for one in relations if table is None or _called(one) == table]
    if len(named) != 1:
        return None
    relation = named[0]
    if isinstance(relation, exp.Subquery) and isinstance(relation.this, exp.Select):
        inner = relation.this
        source = inner.args.get("from_")
        within = [] if source is None else _relations(source.this)
        found = (one for one in inner.expressions if one.alias_or_name.upper() == dotted(column.this).upper())
        projection = next(found, None)
        return None if projection is None else _static(projection.unalias(), within, rewriting)
    name = full_name(relation, rewriting.session) if isinstance(relation, exp.Table) else None
    held = {} if name is None else _held(rewriting, name)
    return held.get(dotted(column.this))


def _called(relation: Expr) -> str:
    alias = relation.args.get("alias")
    named = alias.this if isinstance(alias, exp.TableAlias) else relation.this
    return dotted(named) if isinstance(named, exp.Identifier) else ""


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


class _Held:
    """The columns of the tables that a statement reads."""

    def __init__(self) -> None:
        self.tables: dict[ObjectName, dict[str, str]] = {}


def _held(rewriting: Rewriting, name: ObjectName) -> dict[str, str]:
    """The columns of a table with their types, as errors show them."""
    tables = rewriting.note(_Held).tables
    if name not in tables:
        tables[name] = _asked(rewriting, name)
    return tables[name]


def _asked(rewriting: Rewriting, name: ObjectName) -> dict[str, str]:
    told = semi_structured.kinds_of(rewriting.account, rewriting.session, name)
    held = rewriting.account.engine.held_types(rewriting.session, name)
    return {
        column: _told(told[column]) if column in told else snowflake_type(stored, length)
        for column, (stored, length) in held.items()
    }


def _told(kind: str) -> str:
    return f"{kind.upper()}(9)" if kind.startswith("timestamp") else kind.upper()


def _refuse(value: str, wanted: str, column: str) -> None:
    if not _is_refused(value, wanted):
        return
    if value.startswith("TIME(") and wanted.partition("(")[0] in _MOMENTS:
        raise _incompatible(value, wanted)
    raise SqlError(
        "SQL compilation error:\nExpression type does not match column data type, expecting "
        f"{wanted} but got {value} for column {column}",
        2023,
        "22000",
    )


def _is_refused(value: str, wanted: str) -> bool:
    return wanted.partition("(")[0] in REFUSED.get(value.partition("(")[0], ())


def _incompatible(value: str, wanted: str) -> SqlError:
    return SqlError(f"SQL compilation error:\nincompatible types: [{value}] and [{wanted}]", 2016, "22000")


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
