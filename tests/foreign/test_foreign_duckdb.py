"""What the local server reads in DuckDB's words and counts on in its behaviour, each with the rule that rests on it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from sfml.local.errors import SqlError
from sfml.local.translating import translating


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as duck:
        duck.execute("CREATE TABLE t (a INT, b VARCHAR)")
        yield duck


@pytest.mark.parametrize(
    ("sql", "errno", "words"),
    [
        ("SELECT nothing FROM t", 904, "invalid identifier 'nothing'"),
        ("SELECT t.nothing FROM t", 904, "invalid identifier 'nothing'"),
        ("SELECT * FROM nowhere", 2003, "Object 'nowhere' does not exist or not authorized."),
        ("SELECT no_such_function(1)", 2, "not emulated by the local server: function NO_SUCH_FUNCTION"),
        ("SELECT FROM WHERE", 2, "not emulated by the local server"),
        ("SELECT CAST('x' AS INT)", 100038, "x"),
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
