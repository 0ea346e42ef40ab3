"""The query of a view, with an id for each of its rows that tells from which rows of tables it is made.

DuckDB keeps the query of a view in its own dialect. Every table in it is replaced by a relation that has, beside the
table's columns, the ids of its rows; every SELECT passes on the ids of the rows that it puts together. So a row of
the view has the same id at two moments if it comes from the same rows, which tells an update from a DELETE and an
INSERT.

https://docs.snowflake.com/en/user-guide/streams-intro says which views have streams: projections, filters, inner and
cross joins, UNION ALL, nested views and subqueries in FROM.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from sfml_local.core.engine import Run
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.services.streams.changes import quoted

ID = "__sfml_id"
"""The column with the ids of rows."""

UNCHANGED = "u"
"""The id of a row that no table gives, and the beginning of the ids of rows that have not changed."""

_TABLE = "SELECT database_name, schema_name, table_name FROM duckdb_tables()"
_VIEW = "SELECT database_name, schema_name, view_name, sql FROM duckdb_views()"
_WHERE = " WHERE lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower({}) = lower(?)"

_CHANGING = frozenset(
    {
        *("now", "today", "current_date", "current_time", "current_timestamp", "get_current_timestamp"),
        *("transaction_timestamp", "localtime", "localtimestamp", "current_localtime", "nextval", "currval"),
        *("current_localtimestamp", "random", "rand", "sf_random", "uuid", "gen_random_uuid", "uuidv7"),
    }
)


def unsupported(what: str) -> SqlError:
    """The account's sentence; its number is not known."""
    return SqlError(
        f"SQL compilation error:\nChange tracking is not supported on queries with {what}.", 2, "0A000"
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where the names of a query are looked up: its view's schema, and the common tables that it sees."""

    view: ObjectName
    common: frozenset[str] = frozenset()


def relation_of(number: int) -> str:
    """The relation that stands in a woven query for its table of this number."""
    return f"__sfml_table_{number}"


class Weaver:
    """Weaves ids into the query of a view; knows afterwards its tables and the views below it, as they were met."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.tables: list[ObjectName] = []
        self.views: list[ObjectName] = []
        self.unnamed = 0

    def of_view(self, view: ObjectName) -> Expr:
        """The view's query; tables are `relation_of` their places in `tables`."""
        rows = self.run(_VIEW + _WHERE.format("view_name"), list(view.parts))
        if not rows:
            raise _broken(view, view)
        return self._query(_defining(str(rows[0][3])), _Scope(view))

    def _query(self, query: Expr, scope: _Scope) -> Expr:
        scope = self._common_tables(query, scope)
        if isinstance(query, exp.Subquery):
            _refuse_others(query, frozenset({"this"}))
            return self._query(query.this, scope)
        if isinstance(query, exp.Union):
            return self._union(query, scope)
        if isinstance(query, exp.SetOperation):
            raise unsupported(f"the '{query.key.upper()}' set operator")
        if not isinstance(query, exp.Select):
            raise _unknown(query)
        return self._select(query, scope)

    def _common_tables(self, query: Expr, scope: _Scope) -> _Scope:
        common = query.args.get("with_")
        if common is None:
            return scope
        if common.args.get("recursive"):
            raise unsupported("recursive common table expressions")
        for table in common.expressions:
            table.set("this", self._query(table.this, scope))
            scope = _Scope(scope.view, scope.common | {table.alias.lower()})
        return scope

    def _union(self, query: exp.Union, scope: _Scope) -> Expr:
        if query.args.get("distinct"):
            raise unsupported("the 'UNION' set operator")
        _refuse_others(query, _UNION)
        for number, side in enumerate(("this", "expression")):
            query.set(side, _branch(self._query(query.args[side], scope), number))
        return query

    def _select(self, query: exp.Select, scope: _Scope) -> Expr:
        _refuse_others(query, _SELECT)
        _refuse_expressions(query)
        ids = list(self._sources(query, scope))
        for star in _stars(query.expressions):
            star.set("except_", [*(star.args.get("except_") or ()), exp.to_identifier(ID, quoted=True)])
        return query.select(_joined(ids), copy=False)

    def _sources(self, query: Expr, scope: _Scope) -> Iterator[exp.Column]:
        """Weave what a query reads; the ids of its rows."""
        start = query.args.get("from_")
        nodes = [] if start is None else [start.this]
        for join in query.args.get("joins") or ():
            _refuse_join(join)
            nodes.append(join.this)
        for node in nodes:
            yield from self._source(node, scope)

    def _source(self, node: Expr, scope: _Scope) -> Iterator[exp.Column]:
        """Weave one relation, and, in parentheses, what is joined to it."""
        if not isinstance(node, exp.Subquery | exp.Table) or isinstance(node.this, exp.Func):
            raise unsupported("'Table Function'")
        _refuse_others(node, _RELATION)
        joins = node.args.get("joins") or ()
        if isinstance(node, exp.Table):
            yield from self._table(node, scope)
        elif isinstance(node.this, exp.Table | exp.Subquery) and not node.alias:
            yield from self._source(node.this, scope)
        else:
            node.set("this", self._query(node.this, scope))
            yield _id_of(self._alias(node))
        for join in joins:
            _refuse_join(join)
            yield from self._source(join.this, scope)

    def _alias(self, node: exp.Subquery) -> Expr:
        if not node.alias:
            self.unnamed += 1
            node.set("alias", exp.TableAlias(this=exp.to_identifier(f"__sfml_unnamed_{self.unnamed}")))
        alias: Expr = node.args["alias"].this
        return alias

    def _table(self, node: exp.Table, scope: _Scope) -> Iterator[exp.Column]:
        alias = node.args.get("alias") or exp.TableAlias(this=node.this.copy())
        yield _id_of(alias.this)
        if not node.args.get("db") and node.name.lower() in scope.common:
            return
        name = ObjectName(node.catalog or scope.view.database, node.db or scope.view.schema, node.name)
        joins = node.args.get("joins")
        if tables := self.run(_TABLE + _WHERE.format("table_name"), list(name.parts)):
            new: Expr = exp.to_table(relation_of(self._number(ObjectName(*tables[0]))))
        elif views := self.run(_VIEW + _WHERE.format("view_name"), list(name.parts)):
            view = ObjectName(*views[0][:3])
            self.views += [view] if view not in self.views else []
            new = exp.Subquery(this=self._query(_defining(str(views[0][3])), _Scope(view)))
        elif name.database == "temp":
            raise not_emulated("a stream on a view that reads something else than tables and views")
        else:
            raise _broken(scope.view, name)
        new.set("alias", alias.copy())
        new.set("joins", joins)
        node.replace(new)

    def _number(self, table: ObjectName) -> int:
        if table not in self.tables:
            self.tables.append(table)
        return self.tables.index(table)


def _defining(sql: str) -> Expr:
    """The query of a CREATE VIEW of DuckDB's."""
    try:
        query: Expr = _parsed(sql).copy().expression
    except SqlglotError as cause:
        raise not_emulated("a stream on a view with this query", str(cause).splitlines()[0]) from None
    return query


@functools.lru_cache(maxsize=64)
def _parsed(sql: str) -> Expr:
    """A statement of DuckDB's; a stream's view is read with each statement that reads the stream."""
    return sqlglot.parse_one(sql, read="duckdb")


def _branch(query: Expr, number: int) -> Expr:
    """One side of a UNION ALL, whose rows are others than those of the other side."""
    column = exp.column(exp.to_identifier(ID, quoted=True))
    told = exp.alias_(exp.DPipe(this=exp.Literal.string(f"b{number}:"), expression=column), ID, quoted=True)
    star = exp.Star(except_=[exp.to_identifier(ID, quoted=True)])
    side = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("__sfml_side")))
    return exp.Subquery(this=exp.select(star, told).from_(side))


def _id_of(alias: Expr) -> exp.Column:
    return exp.Column(this=exp.to_identifier(ID, quoted=True), table=alias.copy())


def _joined(ids: list[exp.Column]) -> Expr:
    whole: Expr = ids[0] if ids else exp.Literal.string(UNCHANGED)
    for other in ids[1:]:
        whole = exp.DPipe(this=exp.DPipe(this=whole, expression=exp.Literal.string(":")), expression=other)
    return exp.alias_(whole, ID, quoted=True)


def _stars(projections: list[Expr]) -> Iterator[exp.Star]:
    for one in projections:
        star = one.this if isinstance(one, exp.Column) else one
        if isinstance(star, exp.Star):
            yield star


# -- what has no streams

_CLAUSES = {
    "distinct": "DISTINCT",
    "group": "GROUP BY",
    "having": "HAVING",
    "qualify": "QUALIFY",
    "limit": "LIMIT",
    "offset": "LIMIT",
    "sample": "SAMPLE",
    "pivots": "PIVOT",
}


def _refuse_clauses(query: Expr) -> None:
    for clause, name in _CLAUSES.items():
        if query.args.get(clause):
            raise unsupported(name)


_SELECT = frozenset({"with_", "expressions", "from_", "joins", "where", "order"})
_UNION = frozenset({"with_", "this", "expression", "order"})
_RELATION = frozenset({"this", "alias", "db", "catalog", "joins"})


def _refuse_others(node: Expr, known: frozenset[str]) -> None:
    """Refuse clauses that would get lost."""
    _refuse_clauses(node)
    if clause := next((name for name, value in node.args.items() if value and name not in known), None):
        raise not_emulated(f"a stream on a view with this clause: {clause.strip('_').upper()}")


def _refuse_join(join: exp.Join) -> None:
    side, kind, method = (str(join.args.get(part) or "").upper() for part in ("side", "kind", "method"))
    if side:
        raise unsupported(f"joins of type '[{side}_OUTER_JOIN]'")
    if kind not in ("", "INNER", "CROSS") or method:
        raise unsupported(f"joins of type '[{method or kind}_JOIN]'")
    _refuse_in(join.args.get("on"))


def _refuse_expressions(query: exp.Select) -> None:
    for part in (*query.expressions, query.args.get("where")):
        _refuse_in(part)


def _refuse_in(part: Expr | None) -> None:
    for node in () if part is None else part.walk():
        if isinstance(node, exp.Query):
            told = "correlated subquery expressions" if _is_correlated(node) else "subqueries outside of FROM"
            raise unsupported(told)
        if isinstance(node, exp.Window):
            raise unsupported("window functions")
        if isinstance(node, exp.AggFunc) or _called(node) == "count_star":
            raise unsupported("aggregate functions")
        if _is_changing(node):
            raise unsupported("non-deterministic functions")


def _is_correlated(query: exp.Query) -> bool:
    """Whether a subquery names a relation that it does not read itself."""
    own = {source.alias_or_name.lower() for source in query.find_all(exp.Table, exp.Subquery)}
    return any(column.table and column.table.lower() not in own for column in query.find_all(exp.Column))


def _called(node: Expr) -> str | None:
    """The name of a function that sqlglot does not know."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else None


def _is_changing(node: Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return _called(node) in _CHANGING
    return isinstance(node, exp.Func) and not _CHANGING.isdisjoint(name.lower() for name in node.sql_names())


def _unknown(query: Expr) -> SqlError:
    return not_emulated(f"a stream on a view that is made of {query.key.upper()}")


def _broken(view: ObjectName, missing: ObjectName) -> SqlError:
    return SqlError(
        f"SQL compilation error:\nFailure during expansion of view '{view.name}': SQL compilation error:\n"
        f"Object '{missing.fqn()}' does not exist or not authorized.",
        2037,
        "42601",
    )


def shown_columns(run: Run, view: ObjectName) -> list[tuple[str, str]]:
    """(name, DuckDB type) of the view's columns."""
    return [
        (str(row[0]), str(row[1]))
        for row in run(f"DESCRIBE SELECT * FROM {'.'.join(map(quoted, view.parts))}")
    ]
