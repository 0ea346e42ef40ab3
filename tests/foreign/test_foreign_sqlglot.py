"""The shapes of sqlglot's trees that the local server reads, each with the rule that rests on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlglot import Expr, exp, parse_one
from sqlglot.parsers.snowflake import SnowflakeParser

from sfml_local.core.expressions.dialect import WRITTEN, spaced
from sfml_local.core.expressions.dialect import parse_one as own_parse_one
from sfml_local.core.expressions.strict_parsing import StrictParser

Look = Callable[[Any], Any]

SHAPES: tuple[tuple[str, str, Look, Any], ...] = (
    (
        "comments.comments takes a column's comment out of CREATE TABLE",
        "CREATE TABLE t (a INT COMMENT 'x')",
        lambda tree: [
            (type(note.parent), type(note.parent.parent), note.this.name)
            for note in tree.find_all(exp.CommentColumnConstraint)
        ],
        [(exp.ColumnConstraint, exp.ColumnDef, "x")],
    ),
    (
        "comments.comments takes a table's comment out of CREATE TABLE",
        "CREATE TABLE t (a INT) COMMENT = 'x'",
        lambda tree: [note.this.name for note in tree.args["properties"].find_all(exp.SchemaCommentProperty)],
        ["x"],
    ),
    (
        "definitions.define refuses columns that are there, and adds several at once",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT, b INT",
        lambda tree: [(type(a), a.this.name, bool(a.args.get("exists"))) for a in tree.args["actions"]],
        [(exp.ColumnDef, "a", True), (exp.ColumnDef, "b", False)],
    ),
    (
        "definitions.is_definition takes CREATE, ALTER and DROP of tables and views",
        "DROP TABLE IF EXISTS a.b.t",
        lambda tree: (tree.args["kind"], tree.args["exists"], [t.name for t in tree.find_all(exp.Table)]),
        ("TABLE", True, ["t"]),
    ),
    (
        "definitions.define looks whether the table of ALTER is there",
        "ALTER TABLE IF EXISTS t ADD COLUMN a INT",
        lambda tree: (tree.args["kind"], tree.args["exists"], type(tree.this)),
        ("TABLE", True, exp.Table),
    ),
    (
        "temporaries.renames and table_notes.move follow ALTER TABLE … RENAME TO",
        "ALTER TABLE t RENAME TO u",
        lambda tree: [(type(action), type(action.this), action.this.name) for action in tree.args["actions"]],
        [(exp.AlterRename, exp.Table, "u")],
    ),
    (
        "definitions.define refuses SWAP WITH, which has a handler of its own before it is parsed",
        "ALTER TABLE t SWAP WITH u",
        lambda tree: [(type(action), action.this.name) for action in tree.args["actions"]],
        [(exp.SwapTable, "u")],
    ),
    (
        "temporaries.created_temporary knows a temporary table",
        "CREATE OR REPLACE TEMPORARY TABLE t (a INT)",
        lambda tree: (
            tree.kind,
            tree.args["replace"],
            type(tree.this),
            type(tree.this.this),
            tree.args["properties"].find(exp.TemporaryProperty) is not None,
        ),
        ("TABLE", True, exp.Schema, exp.Table, True),
    ),
    (
        "semi_structured follows CREATE TABLE … CLONE",
        "CREATE TABLE t CLONE u",
        lambda tree: type(tree.args["clone"].this),
        exp.Table,
    ),
    (
        "merging.merge reads target, source, condition and clauses of MERGE",
        "MERGE INTO t USING s ON t.k = s.k WHEN MATCHED AND s.v > 1 THEN UPDATE SET v = s.v"
        " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k)",
        lambda tree: (
            tree.this.name,
            tree.args["using"].name,
            type(tree.args["on"]),
            [
                (bool(when.args["matched"]), when.args.get("condition") is not None, type(when.args["then"]))
                for when in tree.args["whens"].expressions
            ],
        ),
        (
            "t",
            "s",
            exp.EQ,
            [(True, True, exp.Update), (True, False, exp.Var), (False, False, exp.Insert)],
        ),
    ),
    (
        "merging._bare takes the target's name off the columns that are filled",
        "MERGE INTO t USING s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k, v) VALUES (1, 2)",
        lambda tree: type(tree.args["whens"].expressions[0].args["then"].this),
        exp.Tuple,
    ),
    (
        "relational.bracketed_tables takes the brackets off a table",
        "SELECT * FROM (t) x",
        lambda tree: (type(tree.args["from_"].this), type(tree.args["from_"].this.this)),
        (exp.Subquery, exp.Table),
    ),
    (
        "relational.bracketed_tables takes the brackets off a table function, as session.range() writes them",
        "SELECT * FROM (TABLE(SPLIT_TO_TABLE('a b', ' '))) x",
        lambda tree: [
            type(node) for node in (tree.args["from_"].this.this, tree.args["from_"].this.this.this)
        ],
        [exp.TableFromRows, exp.SplitToTable],
    ),
    (
        "rewrites.table_functions knows the account's own table functions",
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 3)) h",
        lambda tree: (
            type(tree.args["from_"].this),
            type(tree.args["from_"].this.this),
            type(tree.args["from_"].this.this.expression),
            type(tree.args["from_"].this.this.expression.expressions[0]),
        ),
        (exp.TableFromRows, exp.Dot, exp.Anonymous, exp.Kwarg),
    ),
    (
        "models.table_functions reads the partitions of TABLE(f() OVER (PARTITION BY …))",
        "SELECT * FROM t, TABLE(m!predict(a) OVER (PARTITION BY b ORDER BY c))",
        lambda tree: [
            (len(w.args["partition_by"]), type(w.args["order"])) for w in tree.find_all(exp.Window)
        ],
        [(1, exp.Order)],
    ),
    (
        "relational.asof_joins joins the conditions of ASOF JOIN",
        "SELECT * FROM a ASOF JOIN b MATCH_CONDITION (a.t >= b.t) ON a.k = b.k",
        lambda tree: [
            (type(j.args["match_condition"].find(exp.GTE)), type(j.args["on"])) for j in tree.args["joins"]
        ],
        [(exp.GTE, exp.EQ)],
    ),
    (
        "relational.pivots_of_any asks for the values of PIVOT … IN (ANY)",
        "SELECT * FROM t PIVOT (SUM(v) FOR k IN (ANY))",
        lambda tree: [
            (type(field), [type(e) for e in field.expressions])
            for pivot in tree.find_all(exp.Pivot)
            for field in pivot.args["fields"]
        ],
        [(exp.In, [exp.PivotAny])],
    ),
    (
        "positional_columns names the columns of VALUES, which bound rows come as",
        "SELECT $1 FROM VALUES (1, 'a') AS v",
        lambda tree: (
            [type(e) for v in tree.find_all(exp.Values) for e in v.expressions],
            [type(p.this) for p in tree.find_all(exp.Parameter)],
        ),
        ([exp.Tuple], [exp.Literal]),
    ),
    (
        "relational.other_names reads the percentile of APPROX_PERCENTILE_ESTIMATE",
        "SELECT APPROX_PERCENTILE_ESTIMATE(s, 0.5) FROM t",
        lambda tree: [node.args["percentile"].name for node in tree.find_all(exp.ApproxPercentileEstimate)],
        ["0.5"],
    ),
    (
        "semi_structured follows types through WITH, CASE, IF and joins",
        "WITH w AS (SELECT 1) SELECT CASE WHEN a THEN b ELSE c END, IFF(a, b, c) FROM w JOIN t ON TRUE",
        lambda tree: (
            [cte.alias for cte in tree.args["with_"].expressions],
            [type(i.args["true"]) for i in tree.find_all(exp.If)],
            [c.args["default"].name for c in tree.find_all(exp.Case)],
            len(tree.args["joins"]),
        ),
        (["w"], [exp.Column, exp.Column], ["c"], 1),
    ),
    (
        "staged_queries reads the format and pattern of a staged file",
        "SELECT $1 FROM @s/f (FILE_FORMAT => 'f', PATTERN => 'p')",
        lambda tree: [
            (t.args["format"] is not None, t.args["pattern"] is not None) for t in tree.find_all(exp.Table)
        ],
        [(True, True)],
    ),
    (
        "events.filtered reads WHERE of a query of the event table",
        "SELECT * FROM t WHERE a = 1",
        lambda tree: type(tree.args["where"].this),
        exp.EQ,
    ),
    (
        "expressions.statements.lowered_flatten takes FLATTEN's arguments",
        "SELECT * FROM t, LATERAL FLATTEN(INPUT => a, OUTER => TRUE) f, TABLE(FLATTEN(b)) g",
        lambda tree: [
            (type(node.this), type(node.this.this), [one.this.name for one in node.this.expressions])
            for node in tree.find_all(exp.Lateral, exp.TableFromRows)
        ],
        [(exp.Explode, exp.Kwarg, ["OUTER"]), (exp.Explode, exp.Column, [])],
    ),
    (
        "multi_inserts.insert takes the tables, conditions and rows of INSERT FIRST",
        "INSERT FIRST WHEN n > 1 THEN INTO a (x) VALUES (n) INTO b ELSE INTO c SELECT n FROM t",
        lambda tree: (
            tree.args["kind"],
            type(tree.args["source"]),
            [(type(b.this), b.args.get("expression") is not None, b.args["else_"]) for b in tree.expressions],
        ),
        (
            "FIRST",
            exp.Select,
            [(exp.Insert, True, False), (exp.Insert, False, False), (exp.Insert, False, True)],
        ),
    ),
    (
        "expressions.statements.lowered_update and comparisons know assignments",
        "UPDATE t SET t.a = 'x', b = 1 WHERE c = 'y'",
        lambda tree: [(type(e), e.arg_key, e.this.table) for e in tree.expressions],
        [(exp.EQ, "expressions", "t"), (exp.EQ, "expressions", "")],
    ),
    (
        "comparisons know the assignments of MERGE",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET t.b = 'x'",
        lambda tree: [type(e.parent) for e in tree.find_all(exp.EQ)],
        [exp.Merge, exp.Update],
    ),
    (
        "expressions.statements.lowered_insert takes the table, columns and source of INSERT",
        "INSERT INTO t (a, b) SELECT 1, 2",
        lambda tree: (
            type(tree.this),
            type(tree.this.this),
            [one.name for one in tree.this.expressions],
            type(tree.expression),
        ),
        (exp.Schema, exp.Table, ["a", "b"], exp.Select),
    ),
    (
        "expressions.statements.lowered_insert takes rows of VALUES",
        "INSERT INTO t VALUES (1, DEFAULT)",
        lambda tree: [[one.name for one in row.expressions] for row in tree.expression.expressions],
        [["1", "DEFAULT"]],
    ),
    (
        "expressions.lowered_dates.interval_of reads intervals",
        "SELECT INTERVAL '1 year, 2 days', INTERVAL '3 months'",
        lambda tree: [
            (one.this.name, None if one.args.get("unit") is None else one.args["unit"].name)
            for one in tree.find_all(exp.Interval)
        ],
        [("1 year, 2 days", None), ("3", "MONTHS")],
    ),
    (
        "expressions.lowered_dates.lowered_extract reads EXTRACT",
        "SELECT EXTRACT(dow FROM d)",
        lambda tree: [(one.this.name.upper(), type(one.expression)) for one in tree.find_all(exp.Extract)],
        [("DOW", exp.Column)],
    ),
    (
        "expressions.statements.lowered_counts casts what DuckDB takes as 64 bits",
        "SELECT LEFT(a, n), RIGHT(a, n), SUBSTR(a, n, m), REPEAT(a, n), ROUND(a, n), SPACE(n)",
        lambda tree: [
            [k for k in ("expression", "start", "length", "times", "decimals") if one.args.get(k) is not None]
            for one in tree.expressions
        ],
        [["expression"], ["expression"], ["start", "length"], ["times"], ["decimals"], []],
    ),
    (
        "expressions.statements.lowered_order reads ORDER BY ALL as a column",
        "SELECT a FROM t ORDER BY ALL",
        lambda tree: [(type(one.this), one.this.name) for one in tree.find_all(exp.Ordered)],
        [(exp.Column, "ALL")],
    ),
    (
        "expressions.lowered_aggregates finds lists below WITHIN GROUP and OVER",
        "SELECT LISTAGG(a, ',') WITHIN GROUP (ORDER BY a), ARRAY_AGG(a) OVER (PARTITION BY b), ARRAY_AGG(a)",
        lambda tree: [(type(one), type(one.this)) for one in tree.expressions],
        [(exp.GroupConcat, exp.Order), (exp.Window, exp.ArrayAgg), (exp.ArrayAgg, exp.Column)],
    ),
    (
        "expressions.comparisons reads IN, BETWEEN and CASE",
        "SELECT a IN ('x', 'y'), a BETWEEN 1 AND 2, CASE a WHEN 'x' THEN b ELSE c END, IFF(a, b, c)",
        lambda tree: (
            len(tree.expressions[0].expressions),
            sorted(key for key, value in tree.expressions[1].args.items() if value),
            [(one.this.name, one.args["true"].name) for one in tree.expressions[2].args["ifs"]],
            [tree.expressions[3].args[key].name for key in ("true", "false")],
        ),
        (2, ["high", "low", "this"], [("x", "b")], ["b", "c"]),
    ),
    (
        "expressions.lowered_variants reads literals of objects and arrays",
        "SELECT {'a': 1}, [1, 'x']",
        lambda tree: [
            [(type(pair), pair.this.name, pair.expression.name) for pair in tree.expressions[0].expressions],
            [one.name for one in tree.expressions[1].expressions],
        ],
        [[(exp.PropertyEQ, "a", "1")], ["1", "x"]],
    ),
    (
        "streams.following takes the table that TRUNCATE empties",
        "TRUNCATE TABLE t",
        lambda tree: [type(table) for table in tree.expressions],
        [exp.Table],
    ),
)


@pytest.mark.parametrize(("rule", "sql", "look", "expected"), SHAPES, ids=[rule for rule, *_ in SHAPES])
def test_a_shape_is_where_a_rule_looks_for_it(rule: str, sql: str, look: Look, expected: Any) -> None:
    tree: Expr = parse_one(sql, dialect="snowflake")
    try:
        seen = look(tree)
    except (AttributeError, KeyError, IndexError, TypeError) as cause:
        pytest.fail(f"sqlglot moved what this rests on: {rule} ({type(cause).__name__}: {cause})\n{tree!r}")
    assert seen == expected, f"sqlglot changed what this rests on: {rule}\n{tree!r}"


def test_functions_stay_calls_where_the_table_of_the_parser_says_so() -> None:
    tree = own_parse_one("SELECT  To_Char(d , 'Mon') , a+1 x, OBJECT_CONSTRUCT(*) FROM t")
    call = tree.expressions[0]
    assert (type(call), call.this, [type(one) for one in call.expressions]) == (
        exp.Anonymous,
        "TO_CHAR",
        [exp.Column, exp.Literal],
    ), "expressions.dialect builds calls of its own"
    written = [one.meta.get(WRITTEN) for one in tree.expressions]
    assert written[0] == "To_Char(d , 'Mon')", "expressions.dialect names columns by their tokens' places"


def test_a_placeholder_is_told_from_a_cast() -> None:
    assert spaced("SELECT ?::INT, '?::'") == "SELECT ? ::INT, '?::'", "expressions.dialect.spaced"


def test_all_that_the_strict_parser_replaces_is_there() -> None:
    added = {name for name in vars(StrictParser) if not name.startswith("__")} - {
        *("_closed", "_level", "_first", "_refuse_after", "_demand", "_defined", "_demand_content"),
        *("_refuse_two_kinds", "_demand_sample_size"),
    }
    assert [name for name in sorted(added) if not hasattr(SnowflakeParser, name)] == []
