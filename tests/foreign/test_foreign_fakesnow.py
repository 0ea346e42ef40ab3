"""The private names of fakesnow that the local server reads, each with the rule that rests on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fakesnow.conn
import pyarrow as pa
import pytest
from fakesnow import cursor, info_schema
from fakesnow.cursor import DESCRIBE_RESULT_SQL
from fakesnow.dialect import parse_one
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from sqlglot import exp

from sfml_local.core import fakesnow_port


@pytest.fixture(scope="module")
def connection() -> Iterator[fakesnow.conn.FakeSnowflakeConnection]:
    connection = FakeSnow().connect(database="D", schema="S")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("_duck_conn", "fakesnow_port.duck_of: every statement of a session runs on it"),
        (
            "_autocommit",
            "fakesnow_port.is_autocommit: what a stream and a load write commits with its statement",
        ),
        ("_in_transaction", "fakesnow_port.mark_transaction: a session without AUTOCOMMIT can roll back"),
        ("_schema", "fakesnow_port.set_place: USE SCHEMA"),
        ("database", "fakesnow_port.set_place: USE DATABASE"),
        ("database_set", "fakesnow_port.set_place: USE DATABASE"),
        ("schema_set", "fakesnow_port.set_place: USE SCHEMA"),
        ("results_cache", "what a session remembers of results is bounded"),
    ],
)
def test_a_connection_has(connection: fakesnow.conn.FakeSnowflakeConnection, name: str, rule: str) -> None:
    assert hasattr(connection, name), f"fakesnow's connection lost `{name}`: {rule}"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("_transform", "fakesnow_port.transform: statements of Snowflake's as DuckDB's"),
        ("_transform_explode", "fakesnow_port.statements_of: ADD COLUMN a, b"),
        ("_execute", "fakesnow_port.execute: queries and DML"),
        ("_arrow_table", "fakesnow_port.answer: the rows of every answer"),
        ("_duck_conn", "fakesnow_port.description: the types of every answer"),
        ("_conn", "fakesnow_port.check_place: whether a statement can lack a current database or schema"),
        ("check_db_and_schema", "Engine: statements without a current database are refused"),
    ],
)
def test_a_cursor_has(connection: fakesnow.conn.FakeSnowflakeConnection, name: str, rule: str) -> None:
    assert hasattr(connection.cursor(), name), f"fakesnow's cursor lost `{name}`: {rule}"


def test_a_statement_runs_through_the_private_names(
    connection: fakesnow.conn.FakeSnowflakeConnection,
) -> None:
    cursor = connection.cursor()
    transformed = fakesnow_port.transform(cursor, parse_one("SELECT 'a' AS a, 1::INT AS b"), [])
    fakesnow_port.execute(cursor, transformed, None)
    table = fakesnow_port.answer(cursor)
    assert table is not None, "fakesnow_port.answer: the rows of every answer"
    assert table.to_pydict() == {"A": ["a"], "B": [1]}
    assert [str(column[1]) for column in fakesnow_port.description(cursor)] == ["VARCHAR", "BIGINT"]
    assert isinstance(fakesnow_port.duck_of(connection), duckdb.DuckDBPyConnection)
    fakesnow_port.bound_rows(cursor, 10)
    with pytest.raises(MemoryError, match="more than 0 MB"):  # what a server sends at most
        fakesnow_port.execute(cursor, transformed, None)
    assert cursor.execute("SELECT 1 WHERE FALSE").fetchall() == []


SAID = [
    cursor.SQL_SUCCESS,
    *DESCRIBE_RESULT_SQL.values(),
    cursor.SQL_INSERTED_ROWS.substitute(count=123_456_789),
    cursor.SQL_UPDATED_ROWS.substitute(count=2),
    cursor.SQL_DELETED_ROWS.substitute(count=0),
    *(one.substitute(name="Any 1") for one in (cursor.SQL_DROPPED, cursor.SQL_CREATED_VIEW)),
]


@pytest.mark.parametrize("said", SAID)
def test_what_a_change_says_is_answered_as_duckdb_would(said: str) -> None:
    with duckdb.connect() as duck:
        bounded = fakesnow_port.BoundedRows(duck, 1_000).execute(said)
        duck.execute("SELECT 1 AS other")
        assert duck.fetchall() == [(1,)], "it does without DuckDB"
        table, described = bounded.to_arrow_table(), bounded.description
        duck.execute(said)
        assert [(name, str(kind)) for name, kind, *_ in duck.description or ()] == described
        assert duck.to_arrow_table().equals(table, check_metadata=True)


@pytest.mark.parametrize(
    "sql", ["SELECT 5000000000 as 'number of rows inserted'", "SELECT 'it''s' as 'status'", "SELECT a as b"]
)
def test_what_else_is_said_is_left_to_duckdb(sql: str) -> None:
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE t (a INT)")
        bounded = fakesnow_port.BoundedRows(duck, 1_000)
        with pytest.raises(duckdb.BinderException) if " a " in sql else contextlib.nullcontext():
            bounded.execute(sql)
            assert bounded.to_arrow_table().equals(duck.execute(sql).to_arrow_table())


def test_a_script_is_executed_whole() -> None:
    """A query with a seed becomes two statements."""
    with duckdb.connect() as duck:
        bounded = fakesnow_port.BoundedRows(duck, 1_000)
        bounded.is_query = True
        assert bounded.execute("SELECT setseed(0.5); SELECT 7 AS a").to_arrow_table().to_pydict() == {
            "a": [7]
        }
        assert [name for name, *_ in bounded.description or ()] == ["a"]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("INTERRUPT Error: Interrupted!", duckdb.InterruptException),
        ("Conversion Error: Could not convert string 'a' to INT32", duckdb.ConversionException),
        ("Out of Range Error: Overflow", duckdb.OutOfRangeException),
        ("Something new", duckdb.Error),
    ],
)
def test_what_arrow_reports_is_an_error_of_duckdb(sentence: str, kind: type[duckdb.Error]) -> None:
    """translating: an account's codes; Arrow would report a failure of the server."""

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([pa.array([1])], schema)
        raise OSError(sentence)

    schema = pa.schema([("A", pa.int64())])

    class Answered:
        def to_arrow_reader(self) -> pa.RecordBatchReader:
            return pa.RecordBatchReader.from_batches(schema, batches())

    answered: Any = Answered()
    with pytest.raises(duckdb.Error) as raised:
        fakesnow_port.BoundedRows(answered, 1_000).to_arrow_table()
    assert type(raised.value) is kind


def test_duckdb_still_works_rows_out_while_arrow_reads_them() -> None:
    rows = duckdb.sql("SELECT CASE WHEN I > 3000000 THEN 'a' ELSE '1' END::INT FROM range(4000000) T(I)")
    reader = rows.to_arrow_reader()
    with pytest.raises(OSError, match=r"^Conversion Error: "):
        list(reader)


def test_notes_of_a_transformed_statement_keep_their_names(
    connection: fakesnow.conn.FakeSnowflakeConnection,
) -> None:
    """definitions.define writes what fakesnow would paste into SQL after the effect."""
    tree = parse_one("CREATE TABLE t (a VARCHAR(3)) COMMENT = 'x'")
    transformed = fakesnow_port.transform(connection.cursor(), tree, [])
    assert transformed.args.get("text_lengths") == [("A", 3)], "definitions.define: lengths of text columns"
    assert transformed.args.get("table_comment"), "fakesnow_port.NOTES: a comment is written once"
    altered = parse_one("ALTER TABLE t ALTER a COMMENT 'x'")
    assert "col_comments" in fakesnow_port.transform(connection.cursor(), altered, []).args


def test_a_seed_is_noted(connection: fakesnow.conn.FakeSnowflakeConnection) -> None:
    transformed = fakesnow_port.transform(connection.cursor(), parse_one("SELECT RANDOM(42)"), [])
    assert transformed.args.get("seed"), "definitions.define: CREATE TABLE AS SELECT RANDOM(seed)"


def test_added_columns_become_statements(connection: fakesnow.conn.FakeSnowflakeConnection) -> None:
    tree = parse_one("ALTER TABLE t ADD COLUMN a INT, b INT")
    statements = fakesnow_port.statements_of(connection.cursor(), tree)
    assert len(statements) == 2, "definitions.define: several columns are one transaction"


def test_sums_are_sums_of_tried_doubles(connection: fakesnow.conn.FakeSnowflakeConnection) -> None:
    transformed = fakesnow_port.transform(connection.cursor(), parse_one("SELECT SUM(a) FROM t"), [])
    node = transformed.find(exp.Sum)
    assert node is not None
    assert isinstance(node.this, exp.TryCast), "number_types.attempts: a NUMBER's sum is a NUMBER"


def test_tables_beside_the_databases_keep_their_columns() -> None:
    """table_notes writes rows into them, and fakesnow's SHOW and INFORMATION_SCHEMA read them."""
    with duckdb.connect() as duck:
        duck.execute(f"ATTACH ':memory:' AS {GLOBAL_DATABASE_NAME}")
        duck.execute(info_schema.fs_global_creation_sql())
        place = "_fs_global._fs_information_schema"
        duck.execute(f"INSERT INTO {place}._fs_tables_ext VALUES ('D', 'S', 'T', 'comment')")
        duck.execute(f"INSERT INTO {place}._fs_columns_ext VALUES ('D', 'S', 'T', 'C', 3, 12)")
        (comment,) = duck.execute(f"SELECT * FROM {place}._fs_tables_ext").fetchall()
        assert comment == ("D", "S", "T", "comment"), "table_notes.set_comment"
        lengths = duck.execute(
            "SELECT ext_table_catalog, ext_table_schema, ext_table_name, ext_column_name,"
            f" ext_character_maximum_length FROM {place}._fs_columns_ext"
        ).fetchall()
        assert lengths == [("D", "S", "T", "C", 3)], "table_notes.set_lengths, Engine.columns"
    assert "_FS_INFORMATION_SCHEMA" in info_schema.per_db_creation_sql("D").upper(), (
        "Engine.use: INFORMATION_SCHEMA"
    )


def test_statements_can_be_described_without_running() -> None:
    assert {exp.Insert, exp.Update, exp.Delete, exp.Create} <= DESCRIBE_RESULT_SQL.keys(), (
        "Engine: describe_only"
    )


def test_results_go_where_the_connection_says() -> None:
    """fakesnow_port.ForgottenResults: what a session remembers of results is bounded."""
    left = {}
    for forgets in (False, True):
        instance = FakeSnow()
        if forgets:
            instance.results_cache = fakesnow_port.ForgottenResults()
        with instance.connect(database="D", schema="S") as connection:
            assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]
            left[forgets] = len(connection.results_cache)
    assert left == {False: 1, True: 0}


def test_an_instance_of_ours_is_one_of_fakesnow(tmp_path: Path) -> None:
    """fakesnow_port.instance makes it without the database that fakesnow would make in memory."""
    own = fakesnow_port.instance(tmp_path)
    theirs = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False, db_path=tmp_path)
    with own.duck_conn as ours, theirs.duck_conn as other:
        assert {**vars(own), "duck_conn": other} == vars(theirs)
        settings = "SELECT name, value FROM duckdb_settings() ORDER BY ALL"
        assert ours.execute(settings).fetchall() == other.execute(settings).fetchall()
        databases = "SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY ALL"
        assert ours.execute(databases).fetchall() == [("memory",)]
        assert other.execute(databases).fetchall() == [(GLOBAL_DATABASE_NAME,), ("memory",)]
    assert isinstance(own.results_cache, fakesnow_port.ForgottenResults)


def test_a_type_that_fakesnow_does_not_know_stays_as_it_is(
    connection: fakesnow.conn.FakeSnowflakeConnection,
) -> None:
    kept = exp.cast(exp.null(), exp.DataType(this=exp.DataType.Type.USERDEFINED, kind="DECIMAL(38, 0)"))
    changed = exp.cast(exp.null(), "DECIMAL(38, 0)")
    cursor = connection.cursor()
    found = [
        fakesnow_port.transform(cursor, exp.select(one), []).sql(dialect="duckdb") for one in (kept, changed)
    ]
    assert found == ["SELECT CAST(NULL AS DECIMAL(38, 0))", "SELECT CAST(NULL AS BIGINT)"], (
        "expressions.calls.raw_type"
    )


def test_sequences_of_autoincrement_columns_begin_with_fs_seq() -> None:
    """SHOW SEQUENCES leaves out what is called `_FS_SEQ_…`, because an account shows none of them."""
    connection = FakeSnow().connect(database="D", schema="S")
    connection.cursor().execute("CREATE TABLE NUMBERED (N INT AUTOINCREMENT)")
    rows = connection._duck_conn.execute("SELECT sequence_name FROM duckdb_sequences()").fetchall()
    connection.close()
    assert rows and all(str(name).upper().startswith("_FS_SEQ_") for (name,) in rows), rows


def test_haversine_is_a_macro_of_floats(connection: fakesnow.conn.FakeSnowflakeConnection) -> None:
    call = parse_one("SELECT HAVERSINE(1, 2, 3, 4)")
    found = fakesnow_port.transform(connection.cursor(), call, []).find(exp.Anonymous)
    assert found is not None and str(found.this).lower() == "_fs_haversine", (
        "coercions: texts as its arguments"
    )
