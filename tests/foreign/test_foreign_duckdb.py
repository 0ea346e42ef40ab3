"""What the local server reads in DuckDB's words and counts on in its behaviour, each with the rule that rests on it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from sfml_local.core.errors import SqlError
from sfml_local.core.reserved_words import ANSWERED
from sfml_local.core.rounding_plans import is_refused, plan_of, rounds
from sfml_local.core.translating import translating


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE t (a INT, b VARCHAR)")
        yield duck


@pytest.mark.parametrize(
    ("sql", "errno", "words"),
    [
        ("SELECT nothing FROM t", 904, "invalid identifier '\"nothing\"'"),
        ("SELECT NOTHING FROM t", 904, "invalid identifier 'NOTHING'"),
        ("SELECT t.NOTHING FROM t", 904, "invalid identifier 'NOTHING'"),
        ("SELECT NOTHING.a FROM t", 904, "invalid identifier 'NOTHING'"),
        ("SELECT a FROM t QUALIFY NOTHING = 1", 904, "invalid identifier 'NOTHING'"),
        ("SELECT x.NOTHING FROM (VALUES (1)) AS x", 904, "invalid identifier 'NOTHING'"),
        ("SELECT * EXCLUDE (NOTHING) FROM t", 904, "invalid identifier 'NOTHING'"),
        ("SELECT 1 FROM t JOIN t AS u USING (NOTHING)", 904, "invalid identifier 'NOTHING'"),
        ("INSERT INTO t (NOTHING) VALUES (1)", 904, "invalid identifier 'NOTHING'"),
        ("UPDATE t SET NOTHING = 1", 904, "invalid identifier 'NOTHING'"),
        ("SELECT * FROM nowhere", 2003, "Object 'nowhere' does not exist or not authorized."),
        ("SELECT no_such_function(1)", 2140, "Unknown function NO_SUCH_FUNCTION"),
        ("SELECT st_point(1, 2)", 2, "not emulated by the local server: function ST_POINT"),
        (
            "SELECT a FROM (SELECT 1 AS a) AS x JOIN (SELECT 1 AS a) AS y ON x.a = y.a",
            2028,
            "ambiguous column name 'A'",
        ),
        ("SELECT FROM WHERE", 2, "not emulated by the local server"),
        ("SELECT CAST('x' AS INT)", 100038, "Numeric value 'x' is not recognized"),
        ("SELECT CAST('x' AS DECIMAL(5, 2))", 100038, "Numeric value 'x' is not recognized"),
        ("SELECT CAST('x' AS DOUBLE)", 100038, "Numeric value 'x' is not recognized"),
        ("SELECT TRUE + 1", 1044, "function '+': (BOOLEAN, NUMBER(1,0))"),
        ("SELECT ceil(b) FROM t", 1044, "function 'CEIL': (VARCHAR(16777216))"),
        ("SELECT ceil('2.5')", 1044, "function 'CEIL': (VARCHAR(3))"),
        ("SELECT 1.25 + DATE '2024-01-01'", 1044, "function '+': (NUMBER(3,2), DATE)"),
        ("SELECT -(DATE '2024-01-01')", 1044, "function 'NEGATE': (DATE)"),
        ("SELECT strftime(5, 'x') AS MONTHNAME", 1044, "function 'MONTHNAME': (NUMBER(1,0))"),
        ("SELECT 1.5 LIKE 1.5", 1044, "function 'LIKE': (NUMBER(2,1), NUMBER(2,1))"),
        ("SELECT DATE '2024-01-01' > 5", 1038, "parameter of type [DATE] into expected type [NUMBER(1,0)]"),
        (
            "SELECT coalesce(a, DATE '2024-01-01') FROM t",
            1038,
            "of type [NUMBER(38,0)] into expected type [DATE]",
        ),
        (
            "SELECT greatest(a, DATE '2024-01-01') FROM t",
            1038,
            "of type [NUMBER(38,0)] into expected type [DATE]",
        ),
        ("SELECT CAST(5 AS DATE)", 1038, "parameter of type [NUMBER(38,0)] into expected type [DATE]"),
        ("SELECT NOT 'a'", 100037, "Boolean value 'a' is not recognized"),
        ("SELECT 5 + INTERVAL 1 DAY", 1044, "function 'DATEADD': (NUMBER(1,0))"),
        ("SELECT ST_X(1)", 2, "not emulated by the local server: function ST_X"),
        (
            "SELECT 99999999999999999999999999999999999999::DECIMAL(38, 0) + 1::DECIMAL(38, 0)",
            100046,
            "Number out of representable range",
        ),
        (
            "SELECT -99999999999999999999999999999999999999::DECIMAL(38, 0) - 1::DECIMAL(38, 0)",
            100046,
            "Number out of representable range",
        ),
        (
            "SELECT 99999999999999999999999999999999999999::DECIMAL(38, 0) * 2::DECIMAL(38, 0)",
            100046,
            "Number out of representable range",
        ),
        ("SELECT 1::DECIMAL(38, 20) * 1::DECIMAL(38, 20)", 100046, "Number out of representable range"),
        (
            "SELECT sum(99999999999999999999999999999999999999::DECIMAL(38, 0)) FROM range(2)",
            100058,
            "Value overflow in a SUM aggregate",
        ),
        (
            "SELECT sum(x) FROM (VALUES (99999999999999999999999999999999999999::DECIMAL(38, 0)), (1)) AS t(x)",
            100058,
            "Value overflow in a SUM aggregate",
        ),
    ],
)
def test_refusals_are_said_in_snowflakes_words(
    duck: duckdb.DuckDBPyConnection, sql: str, errno: int, words: str
) -> None:
    with pytest.raises(SqlError) as refused, translating(sql):
        duck.execute(sql).fetchall()
    message = "translating: DuckDB says this in other words or by another exception now"
    assert (refused.value.errno, words in refused.value.message) == (errno, True), (
        f"{message}: {refused.value}"
    )


def test_a_sum_of_texts_is_refused_when_it_is_bound(duck: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.BinderException):  # number_types.run_typed
        duck.execute("SELECT SUM(b) FROM t")


def test_a_value_takes_the_type_of_an_example_that_is_not_evaluated(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("SELECT cast_to_type(1 / 3, round(error('evaluated')::DECIMAL(38, 14), 12))")
    assert [str(column[1]) for column in duck.description or ()] == ["DECIMAL(38,12)"], "number_types"


def test_typeof_is_a_constant_when_a_statement_is_bound(duck: duckdb.DuckDBPyConnection) -> None:
    rows = duck.execute("SELECT CASE typeof(1.5) WHEN 'DOUBLE' THEN error('reached') ELSE 'a' END").fetchall()
    assert rows == [("a",)], "float_text"


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        *(
            ("'a'", "text"),
            ("b", "text"),
            ("NULL", "text"),
            ("'1'::JSON", "text"),
            ("a", "other"),
            ("1", "other"),
        ),
        *(
            ("1.5", "other"),
            ("1::DOUBLE", "other"),
            ("TRUE", "other"),
            ("DATE '2024-01-01'", "other"),
            ("[1]", "other"),
        ),
        *(("now()", "other"), ("TIME '10:00:00'", "other"), ("'a'::BLOB", "other"), ("{'a': 1}", "other")),
    ],
)
def test_a_macro_with_a_text_takes_texts_json_and_null(
    duck: duckdb.DuckDBPyConnection, value: str, chosen: str
) -> None:
    duck.execute("INSERT INTO t VALUES (1, 'x')")
    duck.execute("CREATE MACRO memory.main.chosen(x, t VARCHAR) AS 'text', (x, t) AS 'other'")
    rows = duck.execute(f"SELECT memory.main.chosen(0, {value}) FROM t").fetchall()
    assert rows == [(chosen,)], "expressions.macros chooses by what stands in for a value"


def test_a_macro_does_not_bind_what_is_in_no_body(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("CREATE MACRO memory.main.chosen(x, t VARCHAR) AS 'text', (x, t) AS x")
    rows = duck.execute("SELECT memory.main.chosen(max(a), a) FROM t GROUP BY b").fetchall()
    assert rows == [], "expressions.calls.stand_in names columns that are in no GROUP BY"


def test_a_function_of_any_arguments_knows_their_arrow_types(duck: duckdb.DuckDBPyConnection) -> None:
    def types(*columns: pa.Array) -> pa.Array:
        return pa.array([" ".join(str(column.type) for column in columns)] * len(columns[0]))

    whole: Any = duck
    whole.create_function("types", types, None, "VARCHAR", type="arrow", null_handling="special")
    rows = duck.execute(
        "SELECT types(1.5, 'a', NULL, 1::HUGEINT, DATE '2024-01-01', TIME '10:00:00')"
    ).fetchall()
    kinds = "decimal128(2, 1) string null decimal128(38, 0) date32[day] time64[us]"
    assert rows == [(kinds,)], "expressions.library works values out by them"


def test_the_time_zone_is_a_sessions_own(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("SET GLOBAL TimeZone = 'UTC'")
    with duck.cursor() as other:
        other.execute("SET SESSION TimeZone = 'Asia/Tokyo'")
        told = "SELECT current_setting('TimeZone')"
        rows = [one.execute(told).fetchall() for one in (duck, other)]
    assert rows == [[("UTC",)], [("Asia/Tokyo",)]], "engine.run_tree works in the session's zone"


def test_ids_tell_whether_a_transaction_is_open(duck: duckdb.DuckDBPyConnection) -> None:
    def id_of() -> object:
        return duck.execute("SELECT txid_current()").fetchone()

    assert id_of() != id_of(), "definitions.in_transaction"
    duck.begin()
    assert id_of() == id_of(), "definitions.in_transaction"
    duck.rollback()


def test_a_refused_statement_ends_its_transaction(duck: duckdb.DuckDBPyConnection) -> None:
    """definitions.define opens none around a single statement, of which the sums are tried twice."""
    duck.begin()
    with pytest.raises(duckdb.BinderException):
        duck.execute("SELECT nothing FROM t")
    with pytest.raises(duckdb.TransactionException):
        duck.execute("SELECT 1")


@pytest.mark.parametrize(
    ("sql", "is_rounded"),
    [
        ("SELECT COALESCE(NULL::DECIMAL(38, 0), 1.5)", True),
        ("SELECT 1::DECIMAL(38, 0) UNION ALL SELECT 1.5", True),
        ("SELECT * FROM (VALUES (1::DECIMAL(38, 0)), (1.5)) AS v", True),
        ("SELECT 1::DECIMAL(38, 0) IN (SELECT 1.5)", True),
        ("SELECT COALESCE(NULL::DECIMAL(20, 0), 1.5)", False),
        ("SELECT COALESCE(NULL::HUGEINT, 1.5)", False),
        ("SELECT 1::DECIMAL(38, 0) = 1.5", False),
    ],
)
def test_a_plan_tells_the_casts_that_duckdb_inserts(
    duck: duckdb.DuckDBPyConnection, sql: str, is_rounded: bool
) -> None:
    assert rounds(exp.maybe_parse(sql, dialect="duckdb"), duck) is is_rounded, "rounding_plans reads them"


def test_a_refused_plan_does_not_end_its_transaction(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("BEGIN TRANSACTION")
    assert is_refused(plan_of(exp.maybe_parse("SELECT nothing FROM t", dialect="duckdb"), duck))
    assert duck.execute("SELECT COUNT(*) FROM t").fetchall() == [(0,)], "mixed_queries describes parts"


def test_a_type_that_is_worked_out_of_types_is_known_when_it_is_bound(
    duck: duckdb.DuckDBPyConnection,
) -> None:
    type = "from_json('null', '\"' || replace(typeof(a), 'INTEGER', 'DECIMAL(38,2)') || '\"')"
    found = duck.sql(f"SELECT cast_to_type(a, {type}) FROM t").types
    assert [str(one) for one in found] == ["DECIMAL(38,2)"], "mixed_choices.in_common_type"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT cast_to_type(1, from_json('null', type_of('q', typeof(a)))) FROM t",
        "SELECT cast_to_type(1, from_json('null', type_of('q', typeof(MAX(a))))) FROM t",
        "SELECT list_transform([a], LAMBDA x: cast_to_type(1, from_json('null', type_of('q', typeof(x)))))[1] FROM t",
    ],
)
def test_a_function_of_types_is_called_when_a_statement_is_bound(
    duck: duckdb.DuckDBPyConnection, query: str
) -> None:
    def type_of(operation: str, kind: str) -> str:
        return '"DOUBLE"' if kind == "VARCHAR" else '"DECIMAL(7,2)"'

    whole: Any = duck
    whole.create_function("type_of", type_of, ["VARCHAR"] * 2, "VARCHAR", null_handling="special")
    found = duck.sql(query).types
    assert [str(one) for one in found] == ["DECIMAL(7,2)"], "number_types._type_of"


def test_a_decimal_column_is_two_words_in_one_chunk_or_several(duck: duckdb.DuckDBPyConnection) -> None:
    seen: list[pa.ChunkedArray] = []

    def words(column: pa.ChunkedArray) -> pa.Array:
        seen.append(column)
        return pa.array(["0"] * len(column))

    whole: Any = duck
    whole.create_function("words", words, None, "VARCHAR", type="arrow", null_handling="special")
    duck.execute("SELECT words(x) FROM (VALUES (1.5::DECIMAL(4, 1)), (NULL), (-1)) AS t(x)").fetchall()
    [column] = [one for one in seen if len(one) == 3]
    assert isinstance(column, pa.ChunkedArray), "exact_numbers._column"
    assert column.type.byte_width == 16, "exact_numbers._column"


def test_duckdbs_exact_division_does_not_do(duck: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.OutOfRangeException, match="Needed width 46"):
        duck.execute("SELECT decimal_division(1::DECIMAL(38, 0), 3::DECIMAL(38, 2), 6)")
    rows = duck.execute("SELECT decimal_division(5::DECIMAL(9, 0), 10::DECIMAL(9, 0), 0)").fetchall()
    assert rows == [(0,)], "exact_numbers: it rounds halves to even"


def test_columns_change_within_a_transaction(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("BEGIN; ALTER TABLE t ADD COLUMN c INT; ALTER TABLE t DROP COLUMN b; ROLLBACK")
    columns = [
        row[0]
        for row in duck.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 't'").fetchall()
    ]
    assert columns == ["a", "b"], "tables.drop_columns, definitions.define: all columns or none"


def test_comments_of_columns_hold_any_text(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("COMMENT ON COLUMN t.a IS 'it''s \\ $$ \n 😀'")
    (row,) = duck.execute(
        "SELECT comment FROM duckdb_columns() WHERE column_name = 'a' AND table_name = 't'"
    ).fetchall()
    assert row == ("it's \\ $$ \n 😀",), "table_notes.column_comment_sql"


def test_a_merge_tells_its_actions_and_joins_by_row(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    actions = duck.execute(
        "MERGE INTO t USING (SELECT rowid AS r FROM t UNION ALL SELECT NULL) s ON t.rowid = s.r"
        " WHEN MATCHED AND t.a = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET b = 'z'"
        " WHEN NOT MATCHED THEN INSERT (a) VALUES (3) RETURNING merge_action"
    ).fetchall()
    assert sorted(actions) == [("DELETE",), ("INSERT",), ("UPDATE",)], (
        "merging.merge: the counts that it answers"
    )


def test_row_ids_hold_still_within_a_transaction(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    duck.begin()
    duck.execute("DELETE FROM t WHERE a = 1; UPDATE t SET b = 'z'")
    assert duck.execute("SELECT rowid, b FROM t").fetchall() == [(1, "z")], (
        "streams.changes: rows before and after"
    )
    duck.rollback()


def test_the_catalogue_has_the_columns_that_are_read(duck: duckdb.DuckDBPyConnection) -> None:
    for rule, sql in (
        (
            "Engine.columns",
            "column_name, data_type, is_nullable, column_default, comment, column_index FROM duckdb_columns()",
        ),
        ("Engine.kind_of", "database_name, schema_name, table_name FROM duckdb_tables()"),
        ("Engine.kind_of", "database_name, schema_name, view_name FROM duckdb_views()"),
        ("Engine.databases", "database_name, internal, path FROM duckdb_databases()"),
        ("Engine.schemas", "schema_name, database_name, internal FROM duckdb_schemas()"),
    ):
        try:
            duck.execute(f"SELECT {sql}")
        except duckdb.Error as cause:
            pytest.fail(f"DuckDB's catalogue changed: {rule} ({cause})")


def test_a_name_is_looked_up_without_a_query(duck: duckdb.DuckDBPyConnection) -> None:
    duck.execute("CREATE TABLE gone (a INT); CREATE VIEW v AS FROM gone; DROP TABLE gone")
    duck.execute('CREATE TEMP TABLE "a.b" (a INT)')
    duck.begin()
    duck.execute("CREATE TABLE new (a INT)")
    looked_up: Any = duck
    places = [
        *(("memory", "main", name) for name in ("t", "T", "v", "new", "gone")),
        *(("temp", "main", "a.b"), ("memory", "no", "t"), ("no", "main", "t")),
    ]
    kinds = [looked_up._table_kind(place) for place in places]
    assert kinds == ["table", "table", "view", "table", "none", "table", "none", "none"], "Engine.kind_of"


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("value", [b"", b"x", b"\0\1\xff", "é😀".encode(), bytes(range(256)) * 40, None])
def test_hashes_are_those_of_python(duck: duckdb.DuckDBPyConnection, name: str, value: bytes | None) -> None:
    hashed = None if value is None else hashlib.new(name, value).hexdigest()
    assert duck.execute(f"SELECT {name}(?::BLOB)", [value]).fetchone() == (hashed,), "lowered_texts._hashed"


TYPES = (
    *("VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "BLOB", "JSON", "DATE", "TIME", "TIMESTAMP"),
    *("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "DECIMAL(38,0)", "DECIMAL(10,2)", "HUGEINT", "INTERVAL"),
    *("VARCHAR[]", 'STRUCT(a INTEGER, "b c" VARCHAR)', "MAP(VARCHAR, INTEGER)", "ENUM('a', 'b')", "UUID"),
)


def test_a_bound_query_tells_the_columns_of_a_table_as_the_catalogue_does(
    duck: duckdb.DuckDBPyConnection,
) -> None:
    columns = ", ".join(f'"c {number}" {type} NOT NULL' for number, type in enumerate(TYPES))
    duck.begin()
    duck.execute(f"CREATE TEMP TABLE typed ({columns}, extra INT DEFAULT 3)")
    binding: Any = duck
    names, types, *_ = binding._bind("SELECT * FROM temp.main.typed")
    expected = [(row[1], row[2]) for row in duck.execute("PRAGMA table_info('temp.main.typed')").fetchall()]
    assert list(zip(names, map(str, types), strict=True)) == expected, "Engine.held_types"
    with pytest.raises(duckdb.CatalogException):
        binding._bind("SELECT * FROM temp.main.nothing")


def test_rows_are_submitted_to_arrow_as_they_are_kept(duck: duckdb.DuckDBPyConnection) -> None:
    """fakesnow_port.BoundedRows.execute: an answer has the same types and names, in one statement."""
    made = ", ".join(f"NULL::{type} AS c{number}" for number, type in enumerate(TYPES))
    query = (
        f"SELECT 1 AS a, 2 AS a, ? AS b, '[1]'::JSON AS j, {made} FROM range(300000) AS r(i) WHERE i % 2 = 0"
    )
    submitting: Any = duck
    submitted = submitting._submit(query, ["x"], "stream", 131_072)
    described = submitted.description
    table = submitted.arrow_reader().read_all()
    kept = duck.execute(query, ["x"])
    assert [column[:2] for column in described] == [column[:2] for column in kept.description or ()]
    assert table.equals(kept.to_arrow_reader().read_all(), check_metadata=True)


def test_a_submitted_query_is_refused_as_one_that_is_executed(duck: duckdb.DuckDBPyConnection) -> None:
    submitting: Any = duck
    for query in ("SELECT 'a'::INT", "SELECT * FROM nothing", "SELECT nothing", "SELECT FROM", "SELECT ?"):
        with pytest.raises(duckdb.Error) as executed:
            duck.execute(query)
        with pytest.raises(duckdb.Error) as submitted:
            submitting._submit(query, None, "stream", 131_072)
        assert type(submitted.value) is type(executed.value), query
        assert str(submitted.value) == str(executed.value), query


LEFT_BY_A_KILL = """
import duckdb, os, sys
duck = duckdb.connect(sys.argv[1])
duck.execute("CREATE TABLE t AS SELECT 1 AS a")
os._exit(0)
"""


@pytest.mark.parametrize(("is_damaged", "tables"), [(False, [("t",)]), (True, [])])
def test_what_duckdb_says_of_a_log_from_which_it_reads_nothing(
    tmp_path: Path, is_damaged: bool, tables: list[tuple[str]]
) -> None:
    """`database_files.has_damaged_log` rests on it: else what a killed server left would be lost without a word."""
    file = tmp_path / "a.db"
    subprocess.run((sys.executable, "-c", LEFT_BY_A_KILL, str(file)), check=True)
    log = file.with_name("a.db.wal")
    content = log.read_bytes()
    log.write_bytes((b"damaged!" + content[8:]) if is_damaged else content)
    with duckdb.connect() as duck:
        duck.execute(f"ATTACH '{file}' AS x (READ_ONLY)")
        [(found,)] = duck.execute(
            "SELECT wal_size FROM pragma_database_size() WHERE database_name = 'x'"
        ).fetchall()
        assert (found == "0 bytes") is is_damaged
        assert (
            duck.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'x'").fetchall()
            == tables
        )
    assert log.exists()


def test_a_log_of_duckdb_is_a_row_of_records(tmp_path: Path) -> None:
    """`log_records` rests on it: the length and the checksum of a record, 8 bytes each, and then its bytes."""
    file = tmp_path / "a.db"
    subprocess.run((sys.executable, "-c", LEFT_BY_A_KILL, str(file)), check=True)
    content = file.with_name("a.db.wal").read_bytes()
    ends = set()
    for start in range(64):
        at = start
        while at + 16 < len(content):
            at += 16 + int.from_bytes(content[at : at + 8], "little")
        ends |= {at} if at > start else set()
    assert len(content) in ends


def test_a_table_made_from_a_query_tells_its_rows(duck: duckdb.DuckDBPyConnection) -> None:
    """So it is known whether a statement changed what a stream follows (`services/streams/changes.py`)."""
    assert duck.execute("CREATE OR REPLACE TEMP TABLE d AS SELECT * FROM range(3)").fetchall() == [(3,)]
    assert duck.execute("CREATE OR REPLACE TEMP TABLE d AS SELECT 1 WHERE FALSE").fetchall() == [(0,)]


def test_a_query_can_be_read_from_a_text(duck: duckdb.DuckDBPyConnection) -> None:
    """A stream on a view stands as this in the statement that reads it (`services/streams/following.py`)."""
    duck.execute("INSERT INTO t VALUES (1, 'it''s')")
    read = "SELECT * FROM system.main.query('WITH c AS (SELECT b FROM t) SELECT b FROM c')"
    assert duck.execute(read).fetchall() == [("it's",)]


@pytest.mark.parametrize("name", sorted(ANSWERED))
def test_these_names_are_answered_where_no_column_has_them(
    duck: duckdb.DuckDBPyConnection, name: str
) -> None:
    """So they are refused before (`core/reserved_words.py`)."""
    assert duck.execute(f"SELECT {name} IS NOT NULL").fetchall() == [(True,)]
    assert duck.execute(f"SELECT {name} FROM (SELECT 5 AS {name})").fetchall() == [(5,)]
