"""What is known of the columns of a query beside their types in DuckDB: what follows from columns of tables.

The kinds of semi-structured values, the lengths of texts, and which columns have no NULL. What is not certain is left
out, so that a text is as long as can be, and a column may have NULLs.
https://docs.snowflake.com/en/sql-reference/data-types-semistructured
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

from sqlglot import Expr, exp

from sfml_local.core.expressions import lowered_variants
from sfml_local.core.names import ObjectName
from sfml_local.core.result import Column, ColumnFacts, Result, Types
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import full_name

STANDS_FOR = "stands_for"
"""The key in the `meta` of a subquery with the columns of a table: the table's name. It may have NULLs."""

_T = exp.DataType.Type
_ARRAYS = (
    *(exp.Array, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.ArrayConcat, exp.ArrayAppend, exp.ArrayPrepend),
    *(exp.ArrayCompact, exp.ArrayConstructCompact, exp.ArrayDistinct, exp.ArraySlice, exp.SortArray),
    *(exp.ArrayIntersect, exp.ArrayExcept, exp.ArrayInsert, exp.ArrayRemove, exp.ArrayFilter, exp.Transform),
    *(exp.ToArray, exp.Split, exp.StrtokToArray, exp.JSONKeys),
)
_OBJECTS = (exp.Struct, exp.StarMap, exp.JSONObject, exp.ObjectAgg, exp.ObjectInsert)
_CALLED = {
    **dict.fromkeys((*lowered_variants.ARRAYS, "AS_ARRAY", "REGEXP_SUBSTR_ALL", "ARRAY_UNION_AGG"), "array"),
    **dict.fromkeys((*lowered_variants.OBJECTS, "AS_OBJECT"), "object"),
    **dict.fromkeys(
        ("TO_TIMESTAMP_LTZ", "TRY_TO_TIMESTAMP_LTZ", "TIMESTAMP_LTZ_FROM_PARTS"), "timestamp_ltz"
    ),
}
_CONVERTED = frozenset({"TO_NUMBER", "TO_DECIMAL", "TO_NUMERIC", "TO_DOUBLE"})
"""Functions that answer NULL for NULL alone."""
_CHOSEN = (exp.Max, exp.Min, exp.AnyValue, exp.Mode, exp.FirstValue, exp.LastValue, exp.NthValue)
"""Functions that answer one of their argument's values, or NULL."""
_AROUND = (exp.Paren, exp.Alias, exp.Window, exp.WithinGroup, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
_COMPUTED = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_KINDS = {_T.ARRAY: "array", _T.OBJECT: "object", _T.TIMESTAMPLTZ: "timestamp_ltz"}
_SIZED = (*exp.DataType.TEXT_TYPES, _T.BINARY, _T.VARBINARY)
_MOVED = {
    **dict.fromkeys(("DATEADD", "TIMEADD", "TIMESTAMPADD"), 2),
    **dict.fromkeys(("DATE_TRUNC",), 1),
    **dict.fromkeys(("ADD_MONTHS",), 0),
}
"""Function of a moment → the argument whose type it answers."""
_NOTHING = ColumnFacts()
_ALWAYS_NULL = ColumnFacts(length=0)
_COUNTED = ColumnFacts(is_required=True, digits=18)

Names = Sequence[str] | None
"""The names of a query's columns in their order; None if a star hides some."""
Lookup = Callable[[ObjectName], Types]
"""What is known of the columns of a table or view."""


class Columns(NamedTuple):
    """What is known of a query's columns by name."""

    types: Types
    names: Names = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a query looks for what it reads; `common` are the WITH queries around it, by name in upper case.

    `is_folded` is whether the value of a constant cast tells its length, as in answers; columns that are created
    have the length that is written. `relations` are the answers that the query reads by name.
    """

    rewriting: Rewriting
    lookup: Lookup
    is_folded: bool
    relations: Mapping[str, object]
    common: Mapping[str, Columns] = field(default_factory=dict)

    def within(self, common: Mapping[str, Columns]) -> Scope:
        return replace(self, common=common)


def facts_of(column: Column) -> ColumnFacts:
    """What a described column tells."""
    kind = column.type if column.type in _KINDS.values() else None
    digits = column.precision if column.type == "fixed" and not column.scale else None
    return ColumnFacts(kind, column.length, not column.nullable, digits)


def declared(kind: Expr | None) -> ColumnFacts:
    """What a written type tells of a column."""
    if not isinstance(kind, exp.DataType):
        return _NOTHING
    size = kind.expressions[0].name if kind.expressions else ""
    number = int(size) if size.isdecimal() else None
    return ColumnFacts(
        _KINDS.get(kind.this),
        length=number if kind.this in _SIZED else None,
        places=number if kind.this in exp.DataType.TEMPORAL_TYPES else None,
    )


def of_query(query: Expr, scope: Scope) -> Columns:
    """What is known of a query's columns."""
    if query.args.get("with_") is not None:
        scope = scope.within({**scope.common, **dict(_common(query, scope))})
    match query:
        case exp.SetOperation():
            return _of_operation(query, scope)
        case exp.Subquery():
            return of_query(query.this, scope)
        case exp.Values():
            return _of_values(query, scope)
        case exp.Select():
            return _of_select(query, scope)
    return Columns({})


def _common(query: Expr, scope: Scope) -> Iterator[tuple[str, Columns]]:
    known = dict(scope.common)
    for cte in query.args["with_"].expressions:
        if _reads_itself(cte):
            known[cte.alias_or_name.upper()] = Columns({})
        columns = _renamed(of_query(cte.this, scope.within(known)), cte.args.get("alias"))
        known[cte.alias_or_name.upper()] = columns
        yield cte.alias_or_name.upper(), columns


def _reads_itself(cte: exp.CTE) -> bool:
    name = cte.alias_or_name.upper()
    tables = cte.this.find_all(exp.Table) if isinstance(cte.this, exp.Union) else ()
    return any(table.name.upper() == name for table in tables)


def _renamed(columns: Columns, alias: Expr | None) -> Columns:
    """The columns with the names of `WITH x (a, b) AS` or `FROM (…) AS x (a, b)`."""
    given = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    if not given:
        return columns
    names = [dotted(name) for name in given]
    if columns.names is None:
        return Columns({}, names)
    pairs = zip(names, columns.names, strict=False)
    return Columns({new: columns.types[old] for new, old in pairs if old in columns.types}, names)


def _of_operation(query: exp.SetOperation, scope: Scope) -> Columns:
    """INTERSECT and EXCEPT answer rows of the left side; a column of UNION is of either."""
    left, right = (_in_order(side, of_query(side, scope), scope) for side in (query.this, query.expression))
    if left.names is None or right.names is None or len(left.names) != len(right.names):
        return Columns({name: ColumnFacts(facts.kind) for name, facts in left.types.items()}, left.names)
    is_union = isinstance(query, exp.Union)
    types = {}
    for name, other in zip(left.names, right.names, strict=True):
        one, two = left.types.get(name, _NOTHING), right.types.get(other, _NOTHING)
        both = _either(one, two)
        types[name] = both._replace(kind=one.kind, is_required=(both if is_union else one).is_required)
    return Columns(types, left.names)


def _in_order(query: Expr, columns: Columns, scope: Scope) -> Columns:
    """The columns with the names of those that `SELECT * FROM table` reads."""
    while isinstance(query, exp.Subquery):
        query = query.this
    from_ = query.args.get("from_")
    if columns.names is not None or from_ is None or query.args.get("joins"):
        return columns
    [*projections], table = query.expressions, from_.this
    if len(projections) != 1 or type(projections[0]) is not exp.Star or any(projections[0].args.values()):
        return columns
    name = _table_name(table, scope)
    if name is None:
        return columns
    held = scope.rewriting.account.engine.held_types(scope.rewriting.session, name)
    return Columns(columns.types, tuple(held) or None)


def _either(left: ColumnFacts, right: ColumnFacts) -> ColumnFacts:
    """What is known of a value that is one of two."""
    lengths, digits = (left.length, right.length), (left.digits, right.digits)
    return ColumnFacts(
        left.kind if left.kind == right.kind else None,
        None if None in lengths else max(one for one in lengths if one is not None),
        left.is_required and right.is_required,
        None if None in digits else max(one for one in digits if one is not None),
    )


def _of_values(values: exp.Values, scope: Scope) -> Columns:
    """The columns of VALUES, whose casts tell the length that is written."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    written = Scope(scope.rewriting, scope.lookup, False, {})
    columns = [
        reduce(_either, [_of_expression(value, {}, written) or _NOTHING for value in column])
        for column in zip(*rows, strict=False)
    ]
    names = [f"COLUMN{number}" for number in range(1, len(columns) + 1)]
    return _renamed(Columns(dict(zip(names, columns, strict=True)), names), values.args.get("alias"))


# -- SELECT

Sources = Mapping[str, Columns]
"""The relations of a SELECT, by alias in upper case."""


def _of_select(query: exp.Select, scope: Scope) -> Columns:
    sources = _sources(query, scope)
    types: dict[str, ColumnFacts] = {}
    names: list[str] = []
    is_complete = True
    for projection in query.expressions:
        if projection.is_star:
            shown = _of_star(projection, sources, scope)
            types = {**shown.types, **types}
            is_complete = is_complete and shown.names is not None
            names += shown.names or ()
        else:
            name = _output(projection)
            names.append(name)
            if (facts := _of_expression(projection, sources, scope)) is not None:
                types[name] = facts
    if _has_subtotals(query):
        types = {name: facts._replace(is_required=False) for name, facts in types.items()}
    return Columns(types, names if is_complete and len(set(names)) == len(names) else None)


def _has_subtotals(query: exp.Select) -> bool:
    group = query.args.get("group")
    return group is not None and group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None


def _of_star(projection: Expr, sources: Sources, scope: Scope) -> Columns:
    star, of = projection, ""
    if isinstance(projection, exp.Column):
        star, of = projection.this, projection.table.upper()
    read = [columns for alias, columns in sources.items() if of in ("", alias)]
    types: dict[str, ColumnFacts] = {}
    for columns in read:
        types = {**columns.types, **types}
    for replaced in star.args.get("replace") or ():
        types[_output(replaced)] = _of_expression(replaced, sources, scope) or _NOTHING
    for left_out in star.args.get("except_") or ():
        types.pop(_output(left_out), None)
    renamed = {dotted(one.this): dotted(one.args["alias"]) for one in star.args.get("rename") or ()}
    types = {renamed.get(name, name): facts for name, facts in types.items()}
    is_plain = not any(star.args.values()) and len(read) == 1
    return Columns(types, read[0].names if is_plain else None)


def _sources(query: exp.Select, scope: Scope) -> Sources:
    """The relations that a SELECT reads; those that an outer join adds NULLs to have no required columns."""
    from_ = query.args.get("from_")
    if from_ is None:
        return {}
    scope = _of_side(query, scope)
    found = _relations(from_.this, scope)
    for join in query.args.get("joins") or ():
        found = _joined(found, join, scope)
    return found


def _of_side(node: Expr, scope: Scope) -> Scope:
    """The scope of the sides of a join, in which the value of a constant cast does not tell its length."""
    return replace(scope, is_folded=False) if node.args.get("joins") else scope


def _relations(node: Expr, scope: Scope) -> dict[str, Columns]:
    """A relation, or those of a join in parentheses."""
    scope = _of_side(node, scope)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery) and not node.alias:
        found = _relations(node.this, scope)
    else:
        found = {node.alias_or_name.upper(): _of_relation(node, scope)}
    for join in node.args.get("joins") or ():
        found = _joined(found, join, scope)
    return found


def _joined(found: dict[str, Columns], join: exp.Join, scope: Scope) -> dict[str, Columns]:
    added = _relations(join.this, scope)
    side = str(join.args.get("side") or "").upper()
    method = str(join.args.get("method") or "").upper()
    if side in ("LEFT", "FULL") or method == "ASOF":
        added = _optional(added)
    if side in ("RIGHT", "FULL"):
        found = _optional(found)
    if using := [dotted(one) for one in join.args.get("using") or ()]:
        added = _without(added, using)
        found = _without(found, using) if side in ("RIGHT", "FULL") else found
    elif method == "NATURAL":
        added = {alias: _kinds_alone(columns) for alias, columns in added.items()}
        found = {alias: _kinds_alone(columns) for alias, columns in found.items()} if side else found
    return {**found, **added}


def _optional(sources: Sources) -> dict[str, Columns]:
    return {
        alias: Columns({name: facts._replace(is_required=False) for name, facts in types.items()}, names)
        for alias, (types, names) in sources.items()
    }


def _without(sources: Sources, names: Iterable[str]) -> dict[str, Columns]:
    left_out = set(names)
    return {
        alias: Columns({name: facts for name, facts in columns.types.items() if name not in left_out})
        for alias, columns in sources.items()
    }


def _kinds_alone(columns: Columns) -> Columns:
    return Columns({name: ColumnFacts(facts.kind) for name, facts in columns.types.items() if facts.kind})


def _of_relation(node: Expr, scope: Scope) -> Columns:
    if isinstance(node, exp.Values):
        return _of_values(node, scope)
    if isinstance(node, exp.Subquery):
        stands_for = node.meta.get(STANDS_FOR)
        read = of_query(node.this, scope) if stands_for is None else _of_table_behind(stands_for, scope)
        columns = _renamed(read, node.args.get("alias"))
    else:
        columns = _of_table(node, scope)
    return _kinds_alone(columns) if node.args.get("pivots") else columns


def _of_table_behind(name: ObjectName, scope: Scope) -> Columns:
    types = scope.lookup(name).items()
    return Columns({column: facts._replace(is_required=False) for column, facts in types})


def _of_table(node: Expr, scope: Scope) -> Columns:
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return Columns({})
    relation = scope.relations.get(node.name)
    if isinstance(relation, Result):
        known = {column.name: facts_of(column) for column in relation.columns}
        return Columns(known, [column.name for column in relation.columns])
    if not node.db and node.name.upper() in scope.common:
        return scope.common[node.name.upper()]
    name = _table_name(node, scope)
    return Columns({} if name is None else scope.lookup(name))


def _table_name(node: Expr, scope: Scope) -> ObjectName | None:
    return full_name(node, scope.rewriting.session)


def _output(projection: Expr) -> str:
    if isinstance(projection, exp.Alias):
        return dotted(projection.args["alias"])
    return dotted(projection.this) if isinstance(projection, exp.Column) else projection.output_name


# -- expressions


def _of_expression(node: Expr, sources: Sources, scope: Scope) -> ColumnFacts | None:
    match node:
        case exp.Null():
            return _ALWAYS_NULL
        case exp.Literal():
            return _of_literal(node)
        case exp.Neg():
            inner = _of_expression(node.this, sources, scope)
            return inner and ColumnFacts(is_required=inner.is_required, digits=inner.digits)
        case exp.Column():
            name, of = dotted(node.this), node.table.upper()
            known = (columns.types for alias, columns in sources.items() if of in ("", alias))
            return next((types[name] for types in known if name in types), None)
        case exp.Cast():
            return _of_cast(node, sources, scope)
        case exp.Lag() | exp.Lead():
            return _one_of((node.this, node.args.get("default")), sources, scope)
        case exp.Coalesce():
            return _one_of((node.this, *node.expressions), sources, scope)
        case exp.If():
            return _one_of((node.args.get("true"), node.args.get("false")), sources, scope)
        case exp.Case():
            ends = (*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default"))
            return _one_of(ends, sources, scope)
        case exp.CurrentTimestamp() | exp.Localtimestamp():
            return ColumnFacts("timestamp_ltz")
        case exp.Count():
            return _COUNTED
        case exp.RowNumber() | exp.HexString():
            return ColumnFacts(is_required=True)
        case exp.Anonymous():
            return _of_call(node, sources, scope)
        case exp.Subquery():
            columns = of_query(node, scope.within({}))
            return _optionally(columns.types.get(columns.names[0])) if columns.names else None
    if isinstance(node, _AROUND):
        return _of_expression(node.this, sources, scope)
    if isinstance(node, _CHOSEN):
        return _optionally(_of_expression(node.this, sources, scope))
    if isinstance(node, _COMPUTED):
        sides = (_of_expression(side, sources, scope) for side in (node.left, node.right))
        return ColumnFacts(is_required=True) if all(side and side.is_required for side in sides) else None
    kind = _kind_of_node(node)
    return None if kind is None else ColumnFacts(kind)


def _kind_of_node(node: Expr) -> str | None:
    return "array" if isinstance(node, _ARRAYS) else "object" if isinstance(node, _OBJECTS) else None


def kind_of_call(node: Expr) -> str | None:
    """`array` or `object`, which a function answers or a literal is; None where it is not known."""
    if not isinstance(node, exp.Anonymous):
        return _kind_of_node(node)
    kind = _CALLED.get(str(node.this).upper())
    return kind if kind in ("array", "object") else None


def _of_literal(node: exp.Literal) -> ColumnFacts:
    if node.is_string:
        return ColumnFacts(length=len(node.name), is_required=True)
    return ColumnFacts(is_required=True, digits=len(node.name) if node.name.isdecimal() else None)


def _is_float(number: exp.Literal) -> bool:
    """Whether a number is written with an exponent: its text is another one."""
    return "E" in number.name.upper()


def _of_cast(node: exp.Cast, sources: Sources, scope: Scope) -> ColumnFacts:
    """A constant's text in an answer is as long as it is; NULL, and what a try may answer, are not required."""
    facts = declared(node.to)
    inner = _of_expression(node.this, sources, scope)
    is_constant = isinstance(node.this, exp.Literal) and (node.this.is_string or not _is_float(node.this))
    if node.to.this in exp.DataType.TEXT_TYPES and scope.is_folded and is_constant:
        facts = facts._replace(length=min(len(node.this.name), facts.length or len(node.this.name)))
    is_required = inner is not None and inner.is_required and not isinstance(node, exp.TryCast)
    return facts._replace(is_required=is_required)


def _of_call(node: exp.Anonymous, sources: Sources, scope: Scope) -> ColumnFacts | None:
    name = str(node.this).upper()
    position = _MOVED.get(name, len(node.expressions))
    if position < len(node.expressions):
        moved = _of_expression(node.expressions[position], sources, scope)
        return moved and ColumnFacts(moved.kind)
    if name == "RANDSTR":
        return ColumnFacts(is_required=True)
    if name in _CONVERTED and node.expressions:
        inner = _of_expression(node.expressions[0], sources, scope)
        return inner and ColumnFacts(is_required=inner.is_required)
    kind = _CALLED.get(name)
    return None if kind is None else ColumnFacts(kind)


def _one_of(nodes: Iterable[Expr | None], sources: Sources, scope: Scope) -> ColumnFacts | None:
    """What is known of a value of one of these; NULL fits any type."""
    given = [
        _of_expression(node, sources, scope) for node in nodes if node and not isinstance(node, exp.Null)
    ]
    if not given or None in given:
        return None
    return _optionally(reduce(_either, [facts for facts in given if facts is not None]))


def _optionally(facts: ColumnFacts | None) -> ColumnFacts | None:
    return facts and facts._replace(is_required=False, digits=None)
