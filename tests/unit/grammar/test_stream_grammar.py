"""CREATE STREAM and its kin, read from text."""

from __future__ import annotations

import pytest

from sfml_local.grammar.shows import Listing
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.streams import (
    AlterStream,
    CloneStream,
    CreateStream,
    DescribeStream,
    DropStream,
    ShowStreams,
)
from sfml_local.grammar.tokens import Name, SqlSyntaxError

S, T = Name(("S",)), Name(("T",))
CASES = {
    "create stream s on table t": CreateStream(S, "TABLE", T),
    "CREATE OR REPLACE STREAM d.p.\"s\" ON TABLE d.p.t APPEND_ONLY = TRUE COMMENT = 'it''s';": CreateStream(
        Name(("D", "P", "s")),
        "TABLE",
        Name(("D", "P", "T")),
        or_replace=True,
        append_only=True,
        comment="it's",
        options={"APPEND_ONLY": True, "COMMENT": "it's"},
    ),
    "CREATE STREAM IF NOT EXISTS s COPY GRANTS ON TABLE t SHOW_INITIAL_ROWS = TRUE APPEND_ONLY = FALSE": CreateStream(
        S,
        "TABLE",
        T,
        if_not_exists=True,
        show_initial_rows=True,
        options={"SHOW_INITIAL_ROWS": True, "APPEND_ONLY": False},
        copy_grants=True,
    ),
    "CREATE STREAM s ON VIEW t": CreateStream(S, "VIEW", T),
    "CREATE STREAM s ON EXTERNAL TABLE t INSERT_ONLY = TRUE": CreateStream(
        S, "EXTERNAL TABLE", T, unsupported="INSERT_ONLY = TRUE", options={"INSERT_ONLY": True}
    ),
    "CREATE STREAM s ON TABLE t AT (OFFSET => -60)": CreateStream(
        S, "TABLE", T, unsupported="AT (OFFSET => -60)"
    ),
    "CREATE STREAM s CLONE t": CloneStream(S, T),
    "CREATE OR REPLACE STREAM s CLONE t COPY GRANTS": CloneStream(S, T, or_replace=True, copy_grants=True),
    "ALTER STREAM IF EXISTS s SET COMMENT = 'c'": AlterStream(S, "c", if_exists=True),
    "ALTER STREAM s UNSET COMMENT": AlterStream(S),
    "DROP STREAM IF EXISTS s": DropStream(S, if_exists=True),
    "DESC STREAM s": DescribeStream(S),
    "DESCRIBE STREAM s;": DescribeStream(S),
    "SHOW STREAMS": ShowStreams(Listing()),
    "SHOW TERSE STREAMS LIKE 's%' IN SCHEMA d.p STARTS WITH 'S' LIMIT 5 FROM 'A'": ShowStreams(
        Listing(True, False, "s%", "SCHEMA", Name(("D", "P")), "S", 5, "A")
    ),
    "SHOW STREAMS IN DATABASE LIMIT 1": ShowStreams(Listing(scope="DATABASE", limit=1)),
}


@pytest.mark.parametrize("sql", CASES)
def test_statements(sql: str) -> None:
    assert parse_statement(sql) == CASES[sql]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE STREAM s",
        "CREATE STREAM s ON t",
        "CREATE STREAM s ON TABLE",
        "CREATE STREAM s ON TABLE t APPEND_ONLY",
        "DROP STREAM s t",
        "SHOW STREAMS LIMIT many",
    ],
)
def test_what_cannot_be_read_is_refused(sql: str) -> None:
    with pytest.raises(SqlSyntaxError):
        parse_statement(sql)
