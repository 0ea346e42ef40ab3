"""Distinguishes ARRAY and OBJECT from VARIANT: all three are JSON in DuckDB, but clients expect the declared type.

The declared columns of tables and views are stored in the metadata, and the types of a query's columns
follow from them and from the called functions. Unknown types are VARIANT.
https://docs.snowflake.com/en/sql-reference/data-types-semistructured
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.expressions import lowered_variants
from sfml_local.core.names import ObjectName
from sfml_local.core.result import Result, Types
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import created_temporary, full_name
from sfml_local.services.variants import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ARRAYS = (
    *(exp.Array, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.ArrayConcat, exp.ArrayAppend, exp.ArrayPrepend),
    *(exp.ArrayCompact, exp.ArrayConstructCompact, exp.ArrayDistinct, exp.ArraySlice, exp.SortArray),
    *(exp.ArrayIntersect, exp.ArrayExcept, exp.ArrayInsert, exp.ArrayRemove, exp.ArrayFilter, exp.Transform),
    *(exp.ToArray, exp.Split, exp.StrtokToArray, exp.JSONKeys),
)
_OBJECTS = (exp.Struct, exp.StarMap, exp.JSONObject, exp.ObjectAgg, exp.ObjectInsert)
_OTHERS = {
    **dict.fromkeys((*lowered_variants.ARRAYS, "AS_ARRAY", "REGEXP_SUBSTR_ALL", "ARRAY_UNION_AGG"), "array"),
    **dict.fromkeys((*lowered_variants.OBJECTS, "AS_OBJECT"), "object"),
    **dict.fromkeys(
        ("TO_TIMESTAMP_LTZ", "TRY_TO_TIMESTAMP_LTZ", "TIMESTAMP_LTZ_FROM_PARTS"), "timestamp_ltz"
    ),
}
_LIKE_THEIR_ARGUMENT = (
    exp.Paren,
    exp.Alias,
    exp.Max,
    exp.Min,
    exp.AnyValue,
    exp.Lag,
    exp.Lead,
    exp.Window,
    exp.WithinGroup,
)
_DECLARED = {
    exp.DataType.Type.ARRAY: "array",
    exp.DataType.Type.OBJECT: "object",
    exp.DataType.Type.TIMESTAMPLTZ: "timestamp_ltz",
}
_MOVED = {
    **dict.fromkeys(("DATEADD", "TIMEADD", "TIMESTAMPADD"), 2),
    **dict.fromkeys(("DATE_TRUNC",), 1),
    **dict.fromkeys(("ADD_MONTHS",), 0),
}
"""Function of a moment → the argument whose type it answers."""


class TemporaryTypes:
    """The semi-structured columns of a session's temporary tables."""

    def __init__(self, session: Session) -> None:
        self.by_table: dict[ObjectName, Types] = {}


# -- what is remembered


def types_of(account: Account, session: Session, name: ObjectName) -> Types:
    """The declared semi-structured columns of a table or view."""
    if name in session.temporaries:
        return session.part(TemporaryTypes).by_table.get(name, {})
    return store.types_of(account, name)


def _remember(
    account: Account, session: Session, name: ObjectName, types: Types, *, temporary: bool = False
) -> None:
    if temporary or name in session.temporaries:
        session.part(TemporaryTypes).by_table[name] = types
        return
    if types or types_of(account, session, name):
        store.save(account, name, types)


@contextlib.contextmanager
def remembering(tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    """Around DDL: records columns that it declares, adds, renames or copies from a query or another table."""
    account, session = rewriting.account, rewriting.session
    if isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW"):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        temporary = created_temporary(tree) is not None
        name, types = full_name(target, session, temporary=temporary), _created(tree, rewriting)
        kept = tree.args.get("exists") and name is not None and account.engine.columns(session, name)
        yield
        if name is not None and not kept:
            _remember(account, session, name, types, temporary=temporary)
    elif isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
        name, temporary = full_name(tree.this, session), tree.this.catalog == "temp"
        actions = [action.copy() for action in tree.args.get("actions") or ()]
        yield
        for action in actions:
            if name is not None:
                _altered(account, session, name, action, temporary=temporary)
    else:
        yield


def _altered(account: Account, session: Session, name: ObjectName, action: Expr, *, temporary: bool) -> None:
    own = session.part(TemporaryTypes).by_table
    types = dict(own.get(name, {}) if temporary else types_of(account, session, name))
    if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
        other = full_name(action.this, session, temporary=temporary) or name
        if not action.this.db and not temporary:
            other = name.sibling(other.name)
        _remember(account, session, other, types)
        return _remember(account, session, name, {})
    if isinstance(action, exp.ColumnDef):
        if (type_ := _declared(action.args.get("kind"))) is not None:
            types[dotted(action.this)] = type_
    else:
        return None
    return _remember(account, session, name, types)


def drop_column(account: Account, session: Session, table: ObjectName, column: str) -> None:
    """Remove the type of a dropped column."""
    types = {name: type_ for name, type_ in types_of(account, session, table).items() if name != column}
    _remember(account, session, table, types)


def rename_column(account: Account, session: Session, table: ObjectName, column: str, new: str) -> None:
    """Move the type of a column to its new name."""
    types = types_of(account, session, table)
    _remember(
        account, session, table, {new if name == column else name: type_ for name, type_ in types.items()}
    )


# -- what follows from it


def result_types(tree: Expr, rewriting: Rewriting) -> Expr:
    """Determine which columns of a query are arrays and objects, before other rewrites."""
    if isinstance(tree, exp.Query):
        rewriting.semi_structured = _of_query(tree, rewriting, {})
    return tree


def _created(tree: exp.Create, rewriting: Rewriting) -> Types:
    account, session = rewriting.account, rewriting.session
    source = tree.args.get("clone")
    if source is None and (properties := tree.args.get("properties")) is not None:
        source = properties.find(exp.LikeProperty)
    if source is not None:
        name = full_name(source.this, session)
        return {} if name is None else types_of(account, session, name)
    types = dict(_of_query(tree.expression, rewriting, {})) if isinstance(tree.expression, exp.Query) else {}
    if isinstance(tree.this, exp.Schema):
        columns = tree.this.expressions
        types = types if not columns else {}
        for column in columns:
            if isinstance(column, exp.ColumnDef) and (type_ := _declared(column.args.get("kind"))):
                types[dotted(column.this)] = type_
    return types


def _declared(kind: Expr | None) -> str | None:
    return _DECLARED.get(kind.this) if isinstance(kind, exp.DataType) else None


def _of_query(query: Expr, rewriting: Rewriting, common: Mapping[str, Types]) -> Types:
    """The types of a query's columns by name; `common` are the WITH queries around it."""
    with_ = query.args.get("with_")
    if with_ is not None:
        known = dict(common)
        for cte in with_.expressions:
            known[cte.alias_or_name.upper()] = _renamed(
                _of_query(cte.this, rewriting, known), cte.this, cte.args.get("alias")
            )
        common = known
    if isinstance(query, exp.SetOperation | exp.Subquery):
        return _of_query(query.this, rewriting, common)
    if not isinstance(query, exp.Select):
        return {}
    sources = dict(_sources(query, rewriting, common))
    types: dict[str, str] = {}
    for projection in query.expressions:
        if projection.is_star:
            of = projection.table.upper() if isinstance(projection, exp.Column) else None
            for source, given in sources.items():
                if of in (None, "", source):
                    types |= given
        elif (type_ := _of_expression(projection, sources, rewriting)) is not None:
            types[_output(projection)] = type_
    return types


def _sources(
    query: exp.Select, rewriting: Rewriting, common: Mapping[str, Types]
) -> Iterator[tuple[str, Types]]:
    """The relations of a SELECT, by alias in upper case."""
    from_ = query.args.get("from_")
    read = [] if from_ is None else [from_.this]
    for node in (*read, *(join.this for join in query.args.get("joins") or ())):
        alias = node.alias_or_name.upper()
        if isinstance(node, exp.Subquery):
            yield alias, _of_query(node.this, rewriting, common)
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            relation = rewriting.relations.get(node.name)
            if isinstance(relation, Result):
                yield alias, {c.name: c.type for c in relation.columns if c.type in _DECLARED.values()}
            elif not node.db and node.name.upper() in common:
                yield alias, common[node.name.upper()]
            elif (name := full_name(node, rewriting.session)) is not None:
                yield alias, types_of(rewriting.account, rewriting.session, name)


def _of_expression(node: Expr, sources: Mapping[str, Types], rewriting: Rewriting) -> str | None:
    match node:
        case exp.Column():
            name, of = dotted(node.this), node.table.upper()
            return next((t[name] for s, t in sources.items() if of in ("", s) and name in t), None)
        case exp.Cast():
            return _declared(node.to)
        case exp.Coalesce():
            return _same((node.this, *node.expressions), sources, rewriting)
        case exp.If():
            return _same((node.args.get("true"), node.args.get("false")), sources, rewriting)
        case exp.Case():
            ends = (*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default"))
            return _same(ends, sources, rewriting)
        case exp.CurrentTimestamp():
            return "timestamp_ltz"
        case exp.Anonymous():
            return _of_call(node, sources, rewriting)
        case exp.Subquery():
            return next(iter(_of_query(node, rewriting, {}).values()), None)
    if isinstance(node, _LIKE_THEIR_ARGUMENT):
        return _of_expression(node.this, sources, rewriting)
    return "array" if isinstance(node, _ARRAYS) else "object" if isinstance(node, _OBJECTS) else None


def _of_call(node: exp.Anonymous, sources: Mapping[str, Types], rewriting: Rewriting) -> str | None:
    name = str(node.this).upper()
    position = _MOVED.get(name, len(node.expressions))
    if position < len(node.expressions):
        return _of_expression(node.expressions[position], sources, rewriting)
    return _OTHERS.get(name)


def _same(nodes: tuple[Expr | None, ...], sources: Mapping[str, Types], rewriting: Rewriting) -> str | None:
    """The common type of alternative expressions; NULL fits any type."""
    found = {
        _of_expression(node, sources, rewriting) for node in nodes if node and not isinstance(node, exp.Null)
    }
    return found.pop() if len(found) == 1 else None


def _output(projection: Expr) -> str:
    if isinstance(projection, exp.Alias):
        return dotted(projection.args["alias"])
    return dotted(projection.this) if isinstance(projection, exp.Column) else projection.output_name


def _renamed(types: Types, query: Expr, alias: Expr | None) -> Types:
    """The types with the column names of `WITH x (a, b) AS`."""
    names = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    if not names or not isinstance(query, exp.Select):
        return types
    given = zip(names, query.expressions, strict=False)
    return {dotted(name): types[_output(e)] for name, e in given if _output(e) in types}
