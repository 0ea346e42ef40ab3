"""Columns that come, go and are renamed; comments with any text; and never an error after the effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sfml.base.quoting import dollar_quoted, literal
from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer

TEXTS = (
    "it's",
    "''",
    "'; DROP TABLE t; --",
    'a "quoted" word',
    "cost in $$ and $1",
    "$$",
    "ends in $",
    "C:\\new\\table\\",
    "\\'",
    "two\nlines\r\nand\ta tab",
    "Größe 数量 😀",
    "-- no comment /* nor this */",
    "?, %s, :1, {x}",
)


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    """A session in a schema of its own."""
    session = server.account.sessions.open(database="SFML")
    run(server, session, "CREATE OR REPLACE SCHEMA changes")
    yield session
    server.account.sessions.close(session)


def run(server: LocalServer, session: Session, sql: str) -> list[dict[str, Any]]:
    return server.account.execute(session, sql).dicts()


def columns(server: LocalServer, session: Session, table: str = "t") -> list[str]:
    return [row["name"] for row in run(server, session, f"DESCRIBE TABLE {table}")]


@pytest.mark.parametrize("kind", ["TABLE", "TEMPORARY TABLE"])
@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("DROP COLUMN b", "ACD"),
        ("DROP b", "ACD"),
        ("DROP b, c", "AD"),
        ("DROP COLUMN b, c", "AD"),
        ("DROP COLUMN b, COLUMN c", "AD"),
        ('DROP COLUMN "B"', "ACD"),
        ("DROP COLUMN IF EXISTS b", "ACD"),
        ("DROP COLUMN IF EXISTS nothing", "ABCD"),
        ("DROP COLUMN IF EXISTS b, nothing, c", "AD"),
        ("RENAME COLUMN b TO x", "AXCD"),
        ("ADD COLUMN x INT", "ABCDX"),
        ("ADD x INT, y VARCHAR(3) DEFAULT 'q' NOT NULL", "ABCDXY"),
        ("ADD COLUMN IF NOT EXISTS b INT", "ABCD"),
        ("ADD COLUMN IF NOT EXISTS b INT, x INT", "ABCDX"),
    ],
)
def test_columns_change(server: LocalServer, session: Session, kind: str, change: str, left: str) -> None:
    run(server, session, f"CREATE {kind} t (a INT, b INT, c ARRAY, d VARCHAR(5))")
    run(server, session, "INSERT INTO t (a) VALUES (1)")
    run(server, session, f"ALTER TABLE t {change}")
    assert "".join(columns(server, session)) == left
    assert run(server, session, "SELECT COUNT(*) AS n FROM t") == [{"N": 1}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("DROP COLUMN nothing", 904),
        ("DROP COLUMN b, nothing", 904),
        ("DROP COLUMN b, b", 904),
        ("DROP COLUMN a, b, c", 1003),
        ("RENAME COLUMN nothing TO x", 2003),
        ("RENAME COLUMN b TO c", 2002),
        ('RENAME COLUMN "b" TO x', 2003),
        ("ADD COLUMN x INT, b INT", 1430),
        ("ADD COLUMN x INT, x INT", 1430),
        ("MODIFY COLUMN a COMMENT 'x', COLUMN nothing COMMENT 'y'", 904),
        ("SWAP WITH t", 2),
    ],
)
def test_a_refused_change_changes_nothing(
    server: LocalServer, session: Session, change: str, code: int
) -> None:
    run(server, session, "CREATE TABLE t (a INT COMMENT 'kept', b INT, c INT)")
    before = run(server, session, "DESCRIBE TABLE t")
    with pytest.raises(SqlError) as refused:
        run(server, session, f"ALTER TABLE t {change}")
    assert refused.value.errno == code
    assert run(server, session, "DESCRIBE TABLE t") == before


def test_tables_that_are_not_there_are_told_or_passed_over(server: LocalServer, session: Session) -> None:
    for change in ("DROP COLUMN a", "RENAME COLUMN a TO b", "ADD COLUMN a INT", "SET COMMENT = 'x'"):
        with pytest.raises(SqlError, match=r"Table 'SFML.CHANGES.NOTHING' does not exist") as refused:
            run(server, session, f"ALTER TABLE nothing {change}")
        assert refused.value.errno == 2003
        run(server, session, f"ALTER TABLE IF EXISTS nothing {change}")


def test_types_and_lengths_go_along_with_a_column(server: LocalServer, session: Session) -> None:
    run(server, session, "CREATE TABLE t (a ARRAY, b VARCHAR(3), c OBJECT)")
    run(server, session, "ALTER TABLE t RENAME COLUMN a TO x")
    run(server, session, "ALTER TABLE t RENAME COLUMN b TO y")
    run(server, session, "ALTER TABLE t DROP COLUMN c")
    run(server, session, "ALTER TABLE t ADD COLUMN c VARCHAR")
    rows = run(server, session, "DESCRIBE TABLE t")
    assert [(row["name"], row["type"]) for row in rows] == [
        ("X", "ARRAY"),
        ("Y", "VARCHAR(3)"),
        ("C", "VARCHAR(16777216)"),
    ]


def test_a_change_commits_the_open_transaction(server: LocalServer, session: Session) -> None:
    run(server, session, "CREATE TABLE t (a INT, b INT)")
    for begin in ("BEGIN", "ALTER SESSION SET AUTOCOMMIT = FALSE"):
        run(server, session, begin)
        run(server, session, "INSERT INTO t (a) VALUES (1)")
        run(server, session, "ALTER TABLE t ADD COLUMN x INT")
        run(server, session, "ALTER TABLE t DROP COLUMN x")
        run(server, session, "ROLLBACK")
    assert run(server, session, "SELECT COUNT(*) AS n FROM t") == [{"N": 2}]


# -- comments


def comment_of(server: LocalServer, session: Session, kind: str, name: str = "T") -> str:
    (row,) = [row for row in run(server, session, f"SHOW {kind}S") if row["name"] == name]
    return str(row["comment"])


@pytest.mark.parametrize("write", [literal, dollar_quoted])
@pytest.mark.parametrize("text", TEXTS)
def test_comments_hold_any_text(server: LocalServer, session: Session, text: str, write: Any) -> None:
    written = write(text)

    def column() -> str:
        return str(run(server, session, "DESCRIBE TABLE t")[0]["comment"])

    run(server, session, f"CREATE TABLE t (a INT COMMENT {written}) COMMENT = {written}")
    assert (comment_of(server, session, "TABLE"), column()) == (text, text)
    run(server, session, "ALTER TABLE t UNSET COMMENT")
    run(server, session, "ALTER TABLE t MODIFY COLUMN a UNSET COMMENT")
    assert (comment_of(server, session, "TABLE"), column()) == ("", "None")
    run(server, session, f"ALTER TABLE t SET COMMENT = {written}")
    run(server, session, f"ALTER TABLE t ALTER a COMMENT {written}")
    assert (comment_of(server, session, "TABLE"), column()) == (text, text)
    run(server, session, f"CREATE OR REPLACE TABLE t COMMENT = {written} AS SELECT 1 AS a")
    run(server, session, f"COMMENT ON COLUMN t.a IS {written}")
    assert (comment_of(server, session, "TABLE"), column()) == (text, text)
    run(server, session, f"ALTER TABLE t ADD COLUMN b INT COMMENT {written}, c INT")
    assert run(server, session, "DESCRIBE TABLE t")[1]["comment"] == text
    run(server, session, f"CREATE VIEW v (a COMMENT {written}) COMMENT = {written} AS SELECT a FROM t")
    assert comment_of(server, session, "VIEW", "V") == text
    assert run(server, session, "DESCRIBE VIEW v")[0]["comment"] == text
    for kind, name in (("TABLE", "t"), ("VIEW", "v"), ("SCHEMA", "changes"), ("DATABASE", "sfml")):
        run(server, session, f"COMMENT ON {kind} {name} IS 'another'")
        run(server, session, f"ALTER {kind} {name} SET COMMENT = {written}")
        assert comment_of(server, session, kind, name.upper()) == text
        run(server, session, f"COMMENT ON {kind} {name} IS {written}")
        assert comment_of(server, session, kind, name.upper()) == text


def test_comments_live_and_go_with_their_table(server: LocalServer, session: Session) -> None:
    run(server, session, "CREATE TABLE t (a INT) COMMENT = 'of t'")
    run(server, session, "ALTER TABLE t RENAME TO u")
    assert comment_of(server, session, "TABLE", "U") == "of t"
    run(server, session, "CREATE OR REPLACE TABLE u (a INT)")
    assert comment_of(server, session, "TABLE", "U") == ""
    run(server, session, "COMMENT ON TABLE u IS 'of u'")
    run(server, session, "DROP TABLE u")
    run(server, session, "CREATE TABLE u (a INT) CLUSTER BY (a)")
    assert comment_of(server, session, "TABLE", "U") == ""
    run(server, session, "COMMENT ON TABLE u IS 'of u'")
    run(server, session, "CREATE OR REPLACE SCHEMA changes")
    run(server, session, "CREATE TABLE u (a INT)")
    assert comment_of(server, session, "TABLE", "U") == ""


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("COMMENT ON TABLE nothing IS 'x'", 2003),
        ("COMMENT ON VIEW t IS 'x'", 2203),
        ("COMMENT ON COLUMN t.nothing IS 'x'", 904),
        ("COMMENT ON SCHEMA nothing IS 'x'", 2003),
        ("COMMENT ON DATABASE nothing IS 'x'", 2003),
        ("COMMENT ON WAREHOUSE w IS 'x'", 2003),
        ("COMMENT ON ROLE r IS 'x'", 2),
    ],
)
def test_comments_on_nothing_are_refused(
    server: LocalServer, session: Session, statement: str, code: int
) -> None:
    run(server, session, "CREATE TABLE t (a INT)")
    with pytest.raises(SqlError) as refused:
        run(server, session, statement)
    assert refused.value.errno == code


# -- whole or not at all

NAMES = ("it's", 'a "b"', "$$", "x'); DROP TABLE t; --", "Größe", "back\\slash")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_created_changed_and_dropped(server: LocalServer, session: Session, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    run(server, session, f"CREATE TABLE {quoted} ({quoted} VARCHAR(3), b INT) COMMENT = 'x'")
    assert columns(server, session, quoted) == [name, "B"]
    assert run(server, session, f"DESCRIBE TABLE {quoted}")[0]["type"] == "VARCHAR(3)"
    run(server, session, f"COMMENT ON COLUMN {quoted}.{quoted} IS 'y'")
    run(server, session, f"ALTER TABLE {quoted} RENAME COLUMN {quoted} TO c")
    run(server, session, f"ALTER TABLE {quoted} ADD COLUMN {quoted} VARCHAR(4)")
    run(server, session, f"ALTER TABLE {quoted} DROP COLUMN {quoted}")
    assert columns(server, session, quoted) == ["C", "B"]
    (row,) = run(server, session, f"DROP TABLE {quoted}")
    assert row["status"] == f"{name} successfully dropped."


def test_a_refused_create_leaves_nothing(server: LocalServer, session: Session) -> None:
    for statement in (
        "CREATE TABLE t (a INT) COMMENT = 'x' AS SELECT 'no number' AS a",
        "CREATE TABLE t (a INT AUTOINCREMENT, a INT)",
        "CREATE TABLE t COMMENT = 'x' AS SELECT nothing FROM nowhere",
        "CREATE VIEW t COMMENT = 'x' AS SELECT * FROM nowhere",
    ):
        with pytest.raises(SqlError):
            run(server, session, statement)
        assert run(server, session, "SHOW OBJECTS IN SCHEMA changes") == [], statement
        assert run(server, session, "SHOW SEQUENCES IN SCHEMA changes") == [], statement
    run(server, session, "CREATE TABLE t (a INT)")
    assert comment_of(server, session, "TABLE") == ""
