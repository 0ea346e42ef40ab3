"""Snowflake's joins, pivots, table functions and aggregates that have another form in DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.expressions.lowered_aggregates import demand_share
from sfml_local.core.left_columns import left_columns
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Pass, Rewriting, dotted
from sfml_local.core.temporaries import full_name

_REFUSED = (exp.DynamicProperty, exp.ExternalProperty, exp.IcebergProperty, exp.MaterializedProperty)
_CREATED = frozenset({"TABLE", "VIEW", "SEQUENCE", "SCHEMA", "DATABASE"})


@looks_for(exp.Undrop, exp.Create)
def refused_objects(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuses CREATE of objects that would become others here: dynamic or external tables ordinary ones."""
    if isinstance(tree, exp.Undrop):
        raise not_emulated(f"UNDROP {tree.args.get('kind') or ''} {tree.this.sql()}")
    if not isinstance(tree, exp.Create):
        return tree
    properties = tree.args.get("properties")
    is_other = properties is not None and properties.find(*_REFUSED) is not None
    if is_other or str(tree.kind).upper() not in _CREATED:
        raise not_emulated(tree.sql(dialect="snowflake"))
    return tree


@looks_for(exp.Create)
def views_of_themselves(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuses OR REPLACE of a view by a query that reads it, which DuckDB takes, and cannot read from then on."""
    if not isinstance(tree, exp.Create) or str(tree.kind).upper() != "VIEW" or tree.expression is None:
        return tree
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(target, rewriting.session)
    common = {dotted(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)}
    for table in tree.expression.find_all(exp.Table):
        is_common = not table.db and isinstance(table.this, exp.Identifier) and dotted(table.this) in common
        if name is not None and not is_common and full_name(table, rewriting.session) == name:
            words = "View definition refers to view being defined"
            raise SqlError(f"SQL compilation error:\n{words}", 2037, "42601")
    return tree


@looks_for(exp.Create, exp.Update, exp.Insert, exp.Merge)
def repeated_columns(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuses two columns of one name in what a statement makes, sets or inserts into."""
    for names in _made_or_written(tree, rewriting):
        for name in names:
            if names.count(name) > 1:
                raise SqlError(f"SQL compilation error:\nduplicate column name '{name}'", 2025, "42S21")
    return tree


@looks_for(exp.Subquery, exp.CTE)
def repeated_names(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuses to read one of a subquery's two columns of one name by it, and notes the names that a star shows.

    DuckDB takes the first of them, and adds a number to the name of the second.
    """
    for select in tree.find_all(exp.Select):
        names = _names_read(select, tree)
        repeated = {name for name in names if names.count(name) > 1}
        for column in select.find_all(exp.Column) if repeated else ():
            if column.name and dotted(column.this) in repeated and _reads(column, select):
                words = f"ambiguous column name '{dotted(column.this)}'"
                raise SqlError(f"SQL compilation error:\n{words}", 2028, "42601")
        if (
            repeated
            and select is tree
            and len(select.expressions) == 1
            and _is_whole_star(select.expressions[0])
        ):
            rewriting.note(ShownNames).names = tuple(names)
    return tree


class ShownNames:
    """The names of an answer's columns, where DuckDB would number some."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()


def _names_read(select: exp.Select, tree: Expr) -> list[str]:
    """The columns of the one subquery that a SELECT reads; none for other relations."""
    seen: set[int] = set()
    inner = select
    while (relation := _subquery_of(inner, tree)) is not None and id(relation) not in seen:
        seen.add(id(relation))  # a name of WITH may be that of a table which its query reads
        query = relation.this.unnest()
        if not isinstance(query, exp.Select):
            return []
        inner = query
        if len(inner.expressions) != 1 or not _is_whole_star(inner.expressions[0]):
            return [] if inner.is_star else [dotted(one) for one in map(_name_node, inner.expressions) if one]
    return []


def _subquery_of(select: exp.Select, tree: Expr) -> Expr | None:
    """The subquery that a SELECT reads, or that of WITH which a table names, if nothing renames its columns."""
    source = select.args.get("from_")
    if not isinstance(source, exp.From) or select.args.get("joins") or select.args.get("laterals"):
        return None
    relation = source.this
    if isinstance(relation, exp.Table) and not relation.db:
        name = relation.name.upper()
        relation = next((one for one in tree.find_all(exp.CTE) if one.alias.upper() == name), relation)
    alias = relation.args.get("alias")
    is_renamed = isinstance(alias, exp.TableAlias) and alias.args.get("columns")
    is_plain = isinstance(relation, exp.Subquery | exp.CTE) and not relation.args.get("pivots")
    return relation if is_plain and not is_renamed else None


def _is_whole_star(projection: Expr) -> bool:
    star = projection.this if isinstance(projection, exp.Column) else projection
    return isinstance(star, exp.Star) and not any(star.args.values())


def _reads(column: exp.Column, select: exp.Select) -> bool:
    """Whether a column is read by the SELECT itself, and is no name in a star or alias in an order."""
    around = column.find_ancestor(exp.Select, exp.Star, exp.Order, exp.Group)
    return around is select


def _made_or_written(tree: Expr, rewriting: Rewriting) -> Iterator[list[str]]:
    match tree:
        case exp.Create() if isinstance(tree.expression, exp.Query) and not isinstance(tree.this, exp.Schema):
            yield _names_of(tree.expression, rewriting)  # DuckDB would rename the second one
        case exp.Update():
            yield [dotted(one.this.this) for one in tree.expressions if _is_assignment(one)]
        case exp.Insert() if isinstance(tree.this, exp.Schema | exp.Tuple):
            yield [
                dotted(one) for one in tree.this.expressions if isinstance(one, exp.Identifier | exp.Column)
            ]
        case exp.Merge():
            for when in tree.args["whens"].expressions:
                yield from _made_or_written(when.args["then"], rewriting)


def _is_assignment(node: Expr) -> bool:
    return isinstance(node, exp.EQ) and isinstance(node.this, exp.Column)


def _names_of(query: exp.Query, rewriting: Rewriting) -> list[str]:
    """The columns of a query; none where a star takes the columns of one relation, which has no name twice."""
    if not query.is_star:
        return [dotted(one) for one in map(_name_node, query.selects) if one is not None]
    if not isinstance(query, exp.Select) or rewriting.relations:
        return []
    if not query.args.get("joins"):
        source = query.args.get("from_")
        inner = source.this.unnest() if isinstance(source, exp.From) else None
        is_whole = len(query.expressions) == 1 and not query.expressions[0].args.get("except_")
        if is_whole and isinstance(inner, exp.Select | exp.SetOperation):
            return _names_of(inner, rewriting)
        return []
    return list(rewriting.account.run_tree(rewriting.session, query.copy(), describe_only=True).names())


def _name_node(projection: Expr) -> exp.Identifier | None:
    name = projection.args.get("alias") if isinstance(projection, exp.Alias) else projection.this
    return name if isinstance(name, exp.Identifier) else None


@looks_for(exp.Subquery)
def bracketed_tables(tree: Expr, rewriting: Rewriting) -> Expr:
    """`FROM (t) x` and `FROM (TABLE(f())) x` without parentheses, which DuckDB allows around queries and joins only."""
    for brackets in reversed(list(tree.find_all(exp.Subquery))):
        inner = brackets.this
        if not isinstance(inner, exp.Table | exp.TableFromRows) or inner.args.get("joins"):
            continue
        alias, own = brackets.args.get("alias"), inner.args.get("alias")
        others = [name for name, value in brackets.args.items() if value and name not in ("this", "alias")]
        if others or (alias is not None and own is not None):
            brackets.set("this", exp.select("*").from_(inner.copy()))
            continue
        if alias is not None:
            inner.set("alias", alias.copy())
        brackets.replace(inner.pop())
    return tree


@looks_for(exp.Join)
def bracketed_joins(tree: Expr, rewriting: Rewriting) -> Expr:
    """`FROM (a INNER JOIN b)` without a condition, which sqlglot writes with a comma, and DuckDB not in parentheses."""
    for join in tree.find_all(exp.Join):
        has_condition = any(
            join.args.get(name) for name in ("on", "using", "side", "method", "match_condition")
        )
        if not has_condition and join.kind in ("", "INNER") and not isinstance(join.parent, exp.Select):
            join.set("kind", "CROSS")
    return tree


@looks_for(exp.Join)
def asof_joins(tree: Expr, rewriting: Rewriting) -> Expr:
    """`ASOF JOIN b MATCH_CONDITION (…) ON …`: DuckDB allows one condition; rows without a match are kept.

    https://docs.snowflake.com/en/sql-reference/constructs/asof-join
    """
    for join in tree.find_all(exp.Join):
        condition = join.args.get("match_condition")
        if condition is None:
            continue
        keys = _keys(join)
        join.set("on", exp.and_(keys, condition) if keys is not None else condition)
        join.set("match_condition", None)
        join.set("side", "LEFT")
    return tree


def _keys(join: exp.Join) -> Expr | None:
    """The equality condition of two tables, from ON or USING."""
    columns = join.args.get("using")
    if not columns:
        return join.args.get("on")
    left = _left_of(join).alias_or_name
    right = join.this.alias_or_name
    join.set("using", None)
    return exp.and_(*(exp.column(c.copy(), left).eq(exp.column(c.copy(), right)) for c in columns))


def _left_of(join: exp.Join) -> Expr:
    """The first relation of the joins of a SELECT, or of joins in parentheses."""
    holder = join.parent
    assert holder is not None
    first: Expr = holder.args["from_"].this if isinstance(holder, exp.Select) else holder
    return first


@looks_for(exp.Join)
def natural_joins(tree: Expr, rewriting: Rewriting) -> Expr:
    """NATURAL JOIN as a JOIN with USING of the columns that both sides have.

    https://docs.snowflake.com/en/sql-reference/constructs/join
    """
    for join in list(tree.find_all(exp.Join)):
        if str(join.method).upper() != "NATURAL":
            continue
        queries = _common_queries(join)
        left = _column_names([_left_of(join), *_joins_before(join)], queries, rewriting)
        right = set(_column_names([join], queries, rewriting))
        shared = [name for name in left if name in right]
        join.set("method", None)
        if shared:
            join.set("using", [exp.to_identifier(name, quoted=True) for name in shared])
        else:
            join.set("kind", "CROSS")
    return tree


def _joins_before(join: exp.Join) -> list[exp.Join]:
    assert join.parent is not None
    joins = join.parent.args["joins"]
    found: list[exp.Join] = joins[: joins.index(join)]
    return found


def _common_queries(node: Expr) -> list[Expr]:
    """The queries in WITH that a relation may name, outer ones first."""
    found: list[Expr] = []
    at: Expr | None = node
    while at is not None:
        clause = at.args.get("with_")
        found[:0] = clause.expressions if clause is not None else []
        at = at.parent
    return found


def _column_names(relations: list[Expr], queries: list[Expr], rewriting: Rewriting) -> list[str]:
    """The columns that `SELECT *` of a relation and its joins has, in their order and each once."""
    first, *joins = [one.copy() for one in relations]
    source = first.this if isinstance(first, exp.Join) else first
    source.set("joins", None)
    query = exp.select("*").from_(source)
    query.set("joins", joins)
    if queries:
        query.set("with_", exp.With(expressions=[one.copy() for one in queries]))
    found = rewriting.account.run_tree(rewriting.session, query, describe_only=True)
    return list(dict.fromkeys(found.names()))


@looks_for(exp.Join)
def shared_columns_first(tree: Expr, rewriting: Rewriting) -> Expr:
    """`SELECT * FROM a JOIN b USING (k)` with k before all others; DuckDB has it in its place in a.

    https://docs.snowflake.com/en/sql-reference/constructs/join
    """
    for select in list(tree.find_all(exp.Select)):
        stars = [one for one in select.expressions if isinstance(one, exp.Star)]
        source = select.args.get("from_")
        if not stars or not isinstance(source, exp.From):
            continue
        shared = _shared(source.this, select.args.get("joins") or ())
        if shared:
            parts = [_with_shared(one, shared) if one in stars else [one] for one in select.expressions]
            select.set("expressions", [one for part in parts for one in part])
    return tree


def _shared(first: Expr, joins: Iterable[exp.Join]) -> list[exp.Column]:
    """The columns in USING of these joins, those of the last join first."""
    shared = _inside(first)
    for join in joins:
        own = [_shared_column(join, name) for name in join.args.get("using") or ()]
        shared = own + _without([*shared, *_inside(join.this)], own)
    return shared


def _inside(relation: Expr) -> list[exp.Column]:
    """The columns in USING of joins in parentheses, and of those that belong to a relation."""
    if not isinstance(relation, exp.Subquery) or not isinstance(relation.this, exp.Table | exp.Subquery):
        return []
    return _shared(relation.this, relation.this.args.get("joins") or ())


def _shared_column(join: exp.Join, name: exp.Identifier) -> exp.Column:
    # An ASOF join gets a condition in place of USING, so that both tables keep the column.
    table = _left_of(join).alias_or_name if join.args.get("match_condition") is not None else None
    return exp.column(name.copy(), table and exp.to_identifier(table, quoted=True))


def _without(columns: list[exp.Column], others: Iterable[Expr]) -> list[exp.Column]:
    taken = {dotted(one.this) for one in others}
    return [column for column in columns if dotted(column.this) not in taken]


def _with_shared(star: exp.Star, shared: list[exp.Column]) -> list[Expr]:
    excluded = star.args.get("except_") or []
    if star.args.get("replace") or star.args.get("rename") or star.args.get("ilike"):
        raise not_emulated("SELECT * REPLACE, RENAME or ILIKE of a JOIN with USING: name the columns")
    rest = star.copy()
    hidden = _without([exp.column(one.this.copy()) for one in shared], excluded)
    rest.set("except_", [*(one.copy() for one in excluded), *hidden])
    return [*(one.copy() for one in _without(shared, excluded)), rest]


@looks_for(exp.Pivot)
def pivots(tree: Expr, rewriting: Rewriting) -> Expr:
    """`PIVOT (… FOR column IN (ANY))` and `IN (SELECT …)`, whose values are queried first; columns named after values.

    https://docs.snowflake.com/en/sql-reference/constructs/pivot
    """
    fields = [field for pivot in tree.find_all(exp.Pivot) for field in pivot.args.get("fields") or ()]
    changed = [_with_values(field, rewriting) for field in fields if isinstance(field, exp.In)]
    # The names of a pivot's columns are determined when it is read.
    return parse_one(tree.sql(dialect="snowflake")) if any(changed) else tree


def _with_values(field: exp.In, rewriting: Rewriting) -> bool:
    """Write the values of a pivot as an account names its columns after them; whether that changes anything."""
    if (query := _query_of_values(field)) is not None:
        found = rewriting.account.run_tree(rewriting.session, query)
        values = [exp.convert(value) for value in dict.fromkeys(row[0] for row in found.rows)]
        if not values:
            raise not_emulated(f"PIVOT … IN (ANY) or IN (SELECT …) over no values of {field.this.sql()}")
        field.set("query", None)
        field.set("expressions", values)
        return True
    named = [_named_value(one) for one in field.expressions]
    is_changed = any(new is not old for new, old in zip(named, field.expressions, strict=True))
    field.set("expressions", named)
    return is_changed


def _query_of_values(field: exp.In) -> exp.Query | None:
    first = field.args.get("query") or next(iter(field.expressions), None)
    if isinstance(first, exp.Query):
        found = first.unnest().copy()
        assert isinstance(found, exp.Query)
        return found
    pivot = field.parent
    if (
        pivot is None
        or pivot.parent is None
        or not any(isinstance(e, exp.PivotAny) for e in field.expressions)
    ):
        return None
    source, column = pivot.parent.copy(), field.this.copy()
    source.set("pivots", None)
    query = exp.select(column).distinct().from_(source).where(column.is_(exp.null()).not_())
    return query.order_by(column)


def _named_value(value: Expr) -> Expr:
    """`1::INT` in the list of a pivot, with the name that an account gives its column."""
    if not isinstance(value, exp.Cast) or not isinstance(value.this, exp.Literal) or value.this.is_string:
        return value
    if not value.to.is_type(*exp.DataType.INTEGER_TYPES):
        return value
    name = exp.to_identifier(f"CAST({value.this.name} AS NUMBER(38,0))", quoted=True)
    return exp.PivotAlias(this=value.copy(), alias=name)


@looks_for(exp.SplitToTable)
def split_to_table(tree: Expr, rewriting: Rewriting) -> Expr:
    """TABLE(SPLIT_TO_TABLE(text, delimiter)), or LATERAL of it: SEQ, INDEX and VALUE of each part, also beside others.

    https://docs.snowflake.com/en/sql-reference/functions/split_to_table
    """
    for node in list(tree.find_all(exp.TableFromRows, exp.Lateral)):
        call = node.this
        if not isinstance(call, exp.SplitToTable):
            continue
        parts = exp.Anonymous(this="string_split", expressions=[call.this.copy(), call.expression.copy()])
        numbers = exp.Anonymous(
            this="range", expressions=[exp.Literal.number(0), exp.Anonymous(this="len", expressions=[parts])]
        )
        index = exp.Anonymous(this="unnest", expressions=[numbers])
        value = exp.Anonymous(this="unnest", expressions=[parts.copy()])
        join = node.parent
        # Beside a table, each text has a number, which an account counts.
        sequence = _hashed(call.this) if isinstance(join, exp.Join) else exp.Literal.number(1)
        query = exp.select(
            exp.alias_(sequence, "SEQ", quoted=True),
            exp.alias_(exp.paren(index + 1), "INDEX", quoted=True),
            exp.alias_(value, "VALUE", quoted=True),
        )
        alias = node.args.get("alias")
        named = alias.copy() if alias is not None else exp.TableAlias(this=exp.to_identifier("_split"))
        # Beside a table, the arguments may be that table's columns.
        node.replace(exp.Lateral(this=exp.Subquery(this=query), alias=named))
        if isinstance(join, exp.Join) and join.args.get("on") is None:
            join.set("kind", "CROSS")
    return tree


def _hashed(text: Expr) -> Expr:
    """A number of a text, as FLATTEN gives it to a value."""
    value = exp.Anonymous(this="hash", expressions=[text.copy()])
    return exp.cast(exp.Mod(this=value, expression=exp.Literal.number(2**62)), "BIGINT")


SEEDS = 2**31 - 1


@looks_for(exp.Rand)
def seeds(tree: Expr, rewriting: Rewriting) -> Expr:
    """RANDOM(seed) with any 64-bit seed, wherever it stands: the first one seeds DuckDB's numbers for the statement.

    fakesnow attaches a seed to the statement as well, but only that of its outermost SELECT.
    """
    for node in tree.find_all(exp.Rand):
        if (seed := _seed(node.this)) is not None:
            tree.args.setdefault("seed", f"{seed % SEEDS}/{SEEDS}-0.5")
            node.set("this", None)
    return tree


def _seed(written: Expr | None) -> int | None:
    """The seed that is written down; None for no seed."""
    is_negative = isinstance(written, exp.Neg)
    number = written.this if isinstance(written, exp.Neg) else written
    if not isinstance(number, exp.Literal) or not number.is_int:
        return None
    return -int(number.name) if is_negative else int(number.name)


@looks_for(exp.ApproxPercentileAccumulate, exp.ApproxPercentileEstimate)
def other_names(tree: Expr, rewriting: Rewriting) -> Expr:
    """Aggregates in two steps, which Snowpark uses for quantiles; the state is the list of values."""
    for node in list(tree.find_all(exp.ApproxPercentileAccumulate)):
        value = exp.Anonymous(this="TO_DOUBLE", expressions=[node.this.copy()])
        node.replace(exp.Anonymous(this="list", expressions=[value]))
    for estimate in list(tree.find_all(exp.ApproxPercentileEstimate)):
        demand_share(estimate.args["percentile"], "APPROX_PERCENTILE_ESTIMATE")
        given = [estimate.this, exp.Literal.string("quantile_cont"), estimate.args["percentile"]]
        estimate.replace(exp.Anonymous(this="list_aggregate", expressions=[one.copy() for one in given]))
    return tree


PASSES: tuple[Pass, ...] = (
    refused_objects,
    views_of_themselves,
    repeated_columns,
    repeated_names,
    bracketed_tables,
    bracketed_joins,
    natural_joins,
    left_columns,
    shared_columns_first,
    asof_joins,
    pivots,
    split_to_table,
    seeds,
    other_names,
)
