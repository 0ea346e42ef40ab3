"""Parts of statements that are not expressions: types of columns, orders, assignments, and inserted values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions import lowered_numbers
from sfml_local.core.expressions.calls import (
    SIZE,
    bound,
    call,
    cast,
    chosen,
    demand_zone,
    json,
    kind,
    known_type,
    macro,
    raw_type,
    typed,
    whole,
    with_kinds,
)
from sfml_local.core.expressions.comparisons import TEXTUAL, lowered_pattern
from sfml_local.core.expressions.lowered_conversions import (
    INTEGERS,
    LARGEST,
    bytes_within,
    demand_type,
    digits_of,
    lowered_cast,
    mapped,
    number_of,
    within,
)
from sfml_local.core.expressions.lowered_dates import invalid_part, part_of
from sfml_local.core.expressions.shown_values import has_own_formats, shown
from sfml_local.core.result import Column
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import full_name

HeldType = tuple[str, int | None]
"""DuckDB's type of a column, and the length of texts or bytes, or the places of times, if it has one."""
LONGEST = 16777216
_ZONED = {"ntz": exp.DType.TIMESTAMPNTZ, "ltz": exp.DType.TIMESTAMPTZ}


def lowered_column(node: exp.ColumnDef, rewriting: Rewriting) -> Expr:
    """The types of columns: NUMBER has 38 digits; the session's TIMESTAMP_TYPE_MAPPING decides on TIMESTAMP."""
    type = node.args.get("kind")
    if not isinstance(type, exp.DataType):
        return node
    demand_type(type)
    if type.this in INTEGERS or (type.this == exp.DType.DECIMAL and digits_of(type) == (LARGEST, 0)):
        node.set("kind", raw_type(f"DECIMAL({LARGEST}, 0)"))
    elif type.this == exp.DType.TIMESTAMP:
        node.set("kind", exp.DataType(this=_ZONED[mapped(rewriting)]))
    elif type.this in (exp.DType.BINARY, exp.DType.VARBINARY):
        type.meta[SIZE] = type.expressions
        type.set("expressions", [])  # DuckDB has no lengths of bytes
    return node


_OPTIONS = ("INPUT", "PATH", "OUTER", "RECURSIVE", "MODE")


def lowered_flatten(node: exp.Lateral | exp.TableFromRows, rewriting: Rewriting) -> Expr:
    """FLATTEN of a value, with its options."""
    explode = node.this
    if not isinstance(explode, exp.Explode):
        return node
    given: dict[str, Expr] = {}
    for position, one in enumerate((explode.this, *explode.expressions)):
        is_named = isinstance(one, exp.Kwarg)
        given[one.this.name.upper() if is_named else _OPTIONS[position]] = one.expression if is_named else one
    if (value := given.pop("INPUT", None)) is None or not given.keys() <= set(_OPTIONS):
        raise not_emulated(node.sql(dialect="snowflake"))
    options = {"PATH": exp.null(), "OUTER": exp.false(), "RECURSIVE": exp.false(), "MODE": exp.null()} | given
    rows = macro("flatten", value, kind(value), *(options[name] for name in _OPTIONS[1:]))
    return exp.Table(this=rows, alias=node.args.get("alias"))


_COUNTS: Mapping[type[Expr], tuple[str, ...]] = {
    exp.Left: ("expression",),
    exp.Right: ("expression",),
    exp.Substring: ("start", "length"),
    exp.Repeat: ("times",),
    exp.Round: ("decimals",),
    exp.Trunc: ("decimals",),
    exp.Space: ("this",),
    exp.StrPosition: ("position",),
    exp.SplitPart: ("part_index",),
    exp.Stuff: ("start", "length"),
    exp.NthValue: ("offset",),
    exp.Ntile: ("this",),
    **dict.fromkeys((exp.BitmapBitPosition, exp.BitmapBucketNumber), ("this",)),
    **dict.fromkeys((exp.Lead, exp.Lag), ("offset",)),
    exp.BitwiseNot: ("this",),
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor), ("this", "expression")),
    **dict.fromkeys((exp.BitwiseLeftShift, exp.BitwiseRightShift), ("this", "expression")),
    **dict.fromkeys((exp.BitwiseAndAgg, exp.BitwiseOrAgg, exp.BitwiseXorAgg), ("this",)),
}
"""Arguments that must be 64-bit integers for DuckDB, although a NUMBER may have more digits."""


def lowered_counts(node: Expr, rewriting: Rewriting) -> Expr:
    places = node.args.get("decimals")
    if isinstance(node, exp.Round | exp.Trunc) and exp.Null in (type(node.this), type(places)):
        return exp.null()
    if isinstance(node, exp.Round | exp.Trunc) and places is not None and lowered_numbers.varies(places):
        return lowered_numbers.rounded(node)
    for name in _COUNTS[type(node)]:
        count = node.args.get(name)
        if isinstance(count, Expr) and not isinstance(count, exp.Literal | exp.Null | exp.Neg):
            node.set(name, whole(count))
    return lowered_pattern(node, rewriting) if isinstance(node, TEXTUAL) else node


def lowered_small(node: Expr, rewriting: Rewriting) -> Expr:
    """Functions of DuckDB whose numbers have 32 bits."""
    if isinstance(node, exp.Chr):
        node.set("expressions", [cast(one, "INTEGER") for one in node.expressions])
    else:
        node.set("this", cast(node.this, "INTEGER"))
    return node


def lowered_element(node: exp.Bracket, rewriting: Rewriting) -> Expr:
    """`array[n]` with a computed position."""
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Literal | exp.Slice | exp.Neg):
        return node
    return json(call("sf_get", *with_kinds([node.this, node.expressions[0]])))


SOURCE = "_source"
"""The alias of an inserted query, whose columns are converted."""


class InsertedColumns:
    """The columns of an inserted query as DuckDB describes them; None where it is not asked."""

    described: Sequence[Column] | None = None


_OF_OTHER_TEXT = frozenset(
    {"variant", "array", "object", "real", "binary", "timestamp_ntz", "timestamp_ltz", "timestamp_tz"}
)
"""Types whose text is not DuckDB's; a session may have its own formats for the others."""


def lowered_insert(node: exp.Insert, rewriting: Rewriting) -> Expr:
    """Inserted values in the types of their columns: texts as dates, numbers and booleans; too long texts are refused.

    DuckDB reads dates in one format only, and has no lengths of columns.
    """
    schema = node.this
    target = schema.this if isinstance(schema, exp.Schema) else schema
    full = full_name(target, rewriting.session)
    source = node.expression
    if full is None or not isinstance(source, exp.Values | exp.Query):
        return node
    known = rewriting.account.engine.held_types(rewriting.session, full)
    names = [dotted(one) for one in schema.expressions] if isinstance(schema, exp.Schema) else list(known)
    columns = [known.get(one) for one in names]
    if not columns or None in columns:
        return node
    held = [column for column in columns if column is not None]
    for count in _counts_of(source, rewriting):
        demand_as_many(len(held), count)
    if isinstance(source, exp.Values):
        for row in source.expressions:
            if isinstance(row, exp.Tuple) and len(row.expressions) == len(held):
                row.set(
                    "expressions",
                    [stored(v, *c, rewriting) for v, c in zip(row.expressions, held, strict=True)],
                )
    elif not source.find(exp.Placeholder):
        _store_query(node, held, rewriting)
    return node


def _store_query(node: exp.Insert, held: Sequence[HeldType], rewriting: Rewriting) -> None:
    """Convert the columns of an inserted query, unless it has all of them as they are stored."""
    described = rewriting.note(InsertedColumns).described
    columns = [None] * len(held) if described is None else _measured(described, rewriting.lengths)
    if all(map(_is_stored, columns, held)):
        return
    given = [exp.to_identifier(f"c{number}", quoted=True) for number in range(len(held))]
    values = [
        _stored_column(exp.column(name.copy()), column, one, rewriting)
        for name, column, one in zip(given, columns, held, strict=True)
    ]
    alias = exp.TableAlias(this=exp.to_identifier(SOURCE, quoted=True), columns=given)
    query = exp.Subquery(this=node.expression.copy(), alias=alias)
    node.set("expression", exp.select(*values).from_(query))


def _measured(columns: Sequence[Column], lengths: Mapping[str, int]) -> list[Column]:
    """The columns with the lengths that they are known to have now."""
    counts = Counter(column.name for column in columns)
    return [replace(one, length=lengths.get(one.name) if counts[one.name] == 1 else None) for one in columns]


def _stored_column(value: Expr, column: Column | None, held: HeldType, rewriting: Rewriting) -> Expr:
    """A column of an inserted query in the type of the table's column."""
    if _is_stored(column, held):
        return value
    if held[0] == "VARCHAR" and column is not None and not has_own_formats(rewriting):
        value = value if column.type in _OF_OTHER_TEXT else typed(value, "VARCHAR")
    return stored(value, *held, rewriting)


_STORED_AS = {
    "VARCHAR": ("text",),
    "DOUBLE": ("real",),
    "BOOLEAN": ("boolean",),
    "DATE": ("date",),
    "TIME": ("time",),
    "TIMESTAMP": ("timestamp_ntz",),
    "TIMESTAMP WITH TIME ZONE": ("timestamp_ltz", "timestamp_tz"),
}
"""DuckDB's type of a column → the types of the values that it stores as they are."""


def _is_stored(column: Column | None, held: HeldType) -> bool:
    """Whether each value of a described column is one of the table's column, no longer than that."""
    type, length = held
    if column is None:
        return False
    if column.type == "fixed" and type.startswith("DECIMAL"):
        precision, scale = (int(digits) for digits in type[8:-1].split(","))
        places = column.scale or 0
        return places <= scale and (column.precision or LARGEST) - places <= precision - scale
    if column.type not in _STORED_AS.get(type, ()):
        return False
    return length is None or (column.length or LONGEST) <= length


def _counts_of(source: Expr, rewriting: Rewriting) -> Iterator[int]:
    """How many values each row of inserted VALUES has, or the rows of a query, where that is known."""
    if isinstance(source, exp.Values):
        yield from (len(row.expressions) for row in source.expressions if isinstance(row, exp.Tuple))
    elif (described := rewriting.note(InsertedColumns).described) is not None:
        yield len(described)
    elif isinstance(source, exp.Select) and not source.is_star:
        yield len(source.selects)


def demand_as_many(wanted: int, count: int) -> None:
    """Refuse to insert more or fewer values than there are columns."""
    if count != wanted:
        words = f"Insert value list does not match column list expecting {wanted} but got {count}"
        raise SqlError(f"SQL compilation error:\n{words}", 2020, "21S01")


def stored(value: Expr, type: str, length: int | None, rewriting: Rewriting) -> Expr:
    """A value in the type of a column."""
    is_text = isinstance(value, exp.Literal) and value.is_string
    if isinstance(value, exp.Null | exp.Placeholder) or value.name.upper() == "DEFAULT":
        return value
    if isinstance(value, exp.Literal) and not is_text and (type == WHOLE or not type.startswith("DECIMAL")):
        return cast(value, WHOLE) if type == WHOLE and not value.is_int else value
    if type == "VARCHAR":
        words = _words(value, rewriting)
        is_short = length is None or length >= LONGEST or (is_text and len(value.name) <= length)
        return words if is_short else within(words, int(length or LONGEST))
    if type in _WORDS:
        places = "" if length is None or type in _WITHOUT_PLACES else f"({length})"
        return lowered_cast(exp.cast(value.copy(), f"{_WORDS[type]}{places}"), rewriting)
    if type == "BLOB" and length is not None:
        return bytes_within(value, length)
    if type.startswith("DECIMAL"):
        precision, scale = (int(digits) for digits in type[8:-1].split(","))
        return number_of(value, exp.null(), precision, scale, is_try=False)
    if type in ("BIGINT", "HUGEINT"):
        return chosen("number", value, exp.null(), LARGEST, 0)
    return chosen("double", value, exp.null()) if type == "DOUBLE" else value


def _words(value: Expr, rewriting: Rewriting) -> Expr:
    """A value as the text that a cast makes of it. Only DuckDB knows most types, when it binds the statement."""
    if isinstance(value, exp.Literal | exp.Boolean) or known_type(value) == "VARCHAR":
        return value
    if has_own_formats(rewriting):
        return shown(value, rewriting)
    return typed(chosen("words", demand_zone(value)), "VARCHAR")


WHOLE = f"DECIMAL({LARGEST},0)"
_WORDS = {
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMPNTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "BOOLEAN": "BOOLEAN",
}
_WITHOUT_PLACES = ("DATE", "BOOLEAN")


def lowered_order(node: exp.Ordered, rewriting: Rewriting) -> Expr:
    """ORDER BY ALL."""
    column = node.this
    if (
        isinstance(column, exp.Column)
        and not column.table
        and column.name.upper() == "ALL"
        and not column.this.quoted
    ):
        node.set("this", exp.var("ALL"))
    return node


def lowered_update(node: exp.Update, rewriting: Rewriting) -> Expr:
    """`UPDATE t SET t.a = …`: DuckDB accepts only the column's name, and dates in one format."""
    name = full_name(node.this, rewriting.session) if isinstance(node.this, exp.Table) else None
    known = {} if name is None else rewriting.account.engine.held_types(rewriting.session, name)
    for assignment in node.expressions:
        column = assignment.this
        if not isinstance(assignment, exp.EQ) or not isinstance(column, exp.Column):
            continue
        if is_default(assignment.expression):
            assignment.set("expression", exp.var("DEFAULT"))
        elif (held := known.get(dotted(column.this))) is not None:
            assignment.set("expression", stored(assignment.expression, *held, rewriting))
        if column.table:
            assignment.set("this", exp.Column(this=column.this.copy()))
    return node


def lowered_merge(node: exp.Merge, rewriting: Rewriting) -> Expr:
    """What MERGE sets and inserts in the types of the target's columns, as UPDATE and INSERT do."""
    held = _held_types(node.this, rewriting)
    source = node.args["using"]
    known = _held_types(source, rewriting) if held else {}
    for then in (when.args["then"] for when in node.args["whens"].expressions if held):
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                if isinstance(assignment, exp.EQ) and is_default(assignment.expression):
                    assignment.set("expression", exp.var("DEFAULT"))
                elif (
                    isinstance(assignment, exp.EQ) and (type := held.get(_last(assignment.this))) is not None
                ):
                    assignment.set("expression", _merged(assignment.expression, type, source, known))
        elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
            names = then.this.expressions if isinstance(then.this, exp.Tuple) else ()
            types = [held.get(_last(one)) for one in names] or list(held.values())
            values = then.expression.expressions
            demand_as_many(len(types), len(values))
            inserted = [_merged(v, t, source, known) for v, t in zip(values, types, strict=True)]
            then.expression.set("expressions", inserted)
    return node


def is_default(value: Expr) -> bool:
    """Whether a value is the word DEFAULT alone, which stands for that of the column."""
    if isinstance(value, exp.Var):
        return value.name.upper() == "DEFAULT"
    is_name = isinstance(value, exp.Column) and not value.table and not value.this.quoted
    return is_name and value.name.upper() == "DEFAULT"


_STORED = "stored"
"""The key under which a value that MERGE stores has the type of its column."""


def _held_types(table: Expr, rewriting: Rewriting) -> dict[str, HeldType]:
    name = full_name(table, rewriting.session) if isinstance(table, exp.Table) else None
    return {} if name is None else rewriting.account.engine.held_types(rewriting.session, name)


def _merged(value: Expr, type: HeldType | None, source: Expr, known: Mapping[str, HeldType]) -> Expr:
    """A value that will be converted by `with_conversions`; as it is where it is a column of the same type.

    fakesnow passes over a statement several times a node, and conversions have many of them.
    """
    if type is None or isinstance(value, exp.Null | exp.Placeholder) or value.name.upper() == "DEFAULT":
        return value
    if _is_of(value, source) and known.get(_last(value)) == type:
        return value
    marked = call("sfml_stored", value)
    marked.meta[_STORED] = type
    return marked


def _is_of(value: Expr, source: Expr) -> bool:
    """Whether a value is a column of the source, by its name."""
    alias = exp.to_identifier(source.alias_or_name)
    return (
        isinstance(value, exp.Column) and bool(value.table) and dotted(value.args["table"]) == dotted(alias)
    )


def with_conversions(node: exp.Merge, rewriting: Rewriting) -> None:
    """Convert the values that `lowered_merge` has marked, unless the source has them in the type of their column."""
    all_marked = [one for one in node.find_all(exp.Anonymous) if _STORED in one.meta]
    source = node.args["using"]
    has_texts = any(one.meta[_STORED][0] == "VARCHAR" for one in all_marked)
    is_asked = bool(all_marked) and (has_texts or not isinstance(source, exp.Table))
    known = _described(source, rewriting) if is_asked else {}
    for marked in all_marked:
        value = marked.expressions[0]
        type, length = marked.meta[_STORED]
        is_same = length is None and _is_of(value, source) and known.get(_last(value)) == type
        if type == "VARCHAR" and _is_of(value, source) and known.get(_last(value)) == type:
            value = typed(value, type)
        marked.replace(value if is_same else stored(value, type, length, rewriting))


def _described(source: Expr, rewriting: Rewriting) -> dict[str, str]:
    """The columns of a source of rows with DuckDB's types."""
    sql = exp.select("*").from_(source.copy()).sql(dialect="duckdb")
    return {str(row[0]): str(row[1]) for row in rewriting.session.duck.execute(f"DESCRIBE {sql}").fetchall()}


def _last(column: Expr) -> str:
    """The name of a column that may be qualified."""
    return dotted(column.this if isinstance(column, exp.Column) else column)


def lowered_slice(node: exp.TimeSlice, rewriting: Rewriting) -> Expr:
    """TIME_SLICE of a DATE is a DATE."""
    unit = node.args["unit"]
    if part_of(unit, "TIME_SLICE") not in _SLICED:
        raise invalid_part(unit, "TIME_SLICE")

    def build(value: Expr) -> Expr:
        new = node.copy()
        new.set("this", value)
        return call("cast_to_type", new, value)

    return bound(build, node.this)


_SLICED = frozenset({"year", "quarter", "month", "week", "day", "hour", "minute", "second"})
"""The parts that TIME_SLICE takes: https://docs.snowflake.com/en/sql-reference/functions/time_slice"""

MOST_SAMPLED = 1_000_000
"""The most rows of a sample: https://docs.snowflake.com/en/sql-reference/constructs/sample"""


_SAMPLING = {"BLOCK": "SYSTEM", "ROW": "BERNOULLI"}


def lowered_sample(node: exp.TableSample, rewriting: Rewriting) -> Expr:
    """Methods of samples have two names each, of which DuckDB knows one; a sample has at most a million rows."""
    method = node.args.get("method")
    if method is not None and (known := _SAMPLING.get(method.name.upper())) is not None:
        node.set("method", exp.var(known))
    size = node.args.get("size")
    if isinstance(size, exp.Literal) and size.is_int and int(size.name) > MOST_SAMPLED:
        words = f"sampling size '{size.name}' is not between 0 and {MOST_SAMPLED}"
        raise SqlError(f"SQL compilation error:\n{words}", 1015, "22023")
    return node


def lowered_table(node: exp.Table, rewriting: Rewriting) -> Expr:
    """Refuses a table as it was at another time."""
    demand_now(node)
    return node


def demand_now(table: exp.Table) -> None:
    """Refuses AT, BEFORE and CHANGES of a table."""
    if any(table.args.get(key) is not None for key in ("when", "changes")) and not isinstance(
        table.parent, exp.Clone
    ):
        raise not_emulated("AT, BEFORE and CHANGES of a table in a query")


def lowered_select(node: exp.Select, rewriting: Rewriting) -> Expr:
    """Refuses columns that DuckDB would take for one; an aggregate of all rows is one row, which needs no order."""
    if node.args.get("connect") is not None:
        raise not_emulated("CONNECT BY: use WITH RECURSIVE")
    _refuse_names_of_one_spelling(node)
    if (
        node.args.get("order") is not None
        and not node.args.get("group")
        and any(map(_sums_up, node.expressions))
    ):
        node.set("order", None)
    return node


def _refuse_names_of_one_spelling(node: exp.Select) -> None:
    """Columns that a query reads, or that another reads of it, may not differ in case only."""
    read = [one.unalias() for one in node.expressions]
    _demand_one_spelling([one for one in read if isinstance(one, exp.Column) and not one.table])
    if isinstance(node.parent, exp.Subquery | exp.CTE | exp.SetOperation | exp.Table):
        _demand_one_spelling(node.expressions)


def _demand_one_spelling(columns: list[Expr]) -> None:
    spelled: dict[str, str] = {}
    for one in columns:
        name = one.args.get("alias") if isinstance(one, exp.Alias) else getattr(one, "this", None)
        if not isinstance(name, exp.Identifier):
            continue
        shown = dotted(name)
        if spelled.setdefault(shown.upper(), shown) != shown:
            raise not_emulated(
                f"columns {spelled[shown.upper()]} and {shown} of one query, which differ in case only"
            )


def _sums_up(projection: Expr) -> bool:
    """Whether a projection is an aggregate of all rows, and not over windows."""
    found = projection.find(exp.AggFunc, exp.Window, exp.Query)
    return isinstance(found, exp.AggFunc)


NODES: Mapping[type[Expr], Callable[[Any, Rewriting], Expr]] = {
    exp.Select: lowered_select,
    exp.Table: lowered_table,
    exp.TableSample: lowered_sample,
    exp.ColumnDef: lowered_column,
    exp.Ordered: lowered_order,
    exp.Update: lowered_update,
    exp.Merge: lowered_merge,
    exp.Insert: lowered_insert,
    exp.TimeSlice: lowered_slice,
    exp.Lateral: lowered_flatten,
    exp.TableFromRows: lowered_flatten,
    exp.Bracket: lowered_element,
    **dict.fromkeys(_COUNTS, lowered_counts),
    **dict.fromkeys((exp.Chr, exp.Factorial), lowered_small),
}
