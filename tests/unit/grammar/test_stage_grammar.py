"""Stages, files and loading, read from text."""

from __future__ import annotations

import pytest

from sfml_local.grammar.copying import CopyIntoLocation, CopyIntoTable, CreateFileFormat, DropFileFormat
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.stages import (
    CopyFiles,
    CreateStage,
    DescribeStage,
    DropStage,
    Get,
    ListFiles,
    Put,
    Remove,
    ShowStages,
)
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import Name, SqlSyntaxError

CASES = {
    "CREATE STAGE IF NOT EXISTS d.s.st ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE') COMMENT = 'c'": CreateStage(
        Name(("D", "S", "ST")),
        if_not_exists=True,
        options={"ENCRYPTION": {"TYPE": "SNOWFLAKE_SSE"}, "COMMENT": "c"},
    ),
    "create or replace temp stage x directory = (enable = true)": CreateStage(
        Name(("X",)), or_replace=True, temporary=True, options={"DIRECTORY": {"ENABLE": True}}
    ),
    "DROP STAGE IF EXISTS x": DropStage(Name(("X",)), True),
    "describe stage identifier('a.b')": DescribeStage(Name(("A", "B"))),
    "SHOW STAGES LIKE 'x%' IN SCHEMA d.s": ShowStages(
        Listing(like="x%", scope="SCHEMA", within=Name(("D", "S")))
    ),
    "SHOW STAGES IN ACCOUNT": ShowStages(Listing(scope="ACCOUNT")),
    "PUT 'file:///tmp/it\\'s a.txt' '@\"d\".s.st/x y' AUTO_COMPRESS=FALSE parallel=4": Put(
        "file:///tmp/it's a.txt", '@"d".s.st/x y', {"AUTO_COMPRESS": False, "PARALLEL": 4}
    ),
    "PUT file:///tmp/a-b.c* @~/in/x OVERWRITE = TRUE": Put(
        "file:///tmp/a-b.c*", "@~/in/x", {"OVERWRITE": True}
    ),
    "GET @st/a/b.txt 'file:///tmp/'": Get("@st/a/b.txt", "file:///tmp/"),
    "LIST @a.b.c/d-e=1/": ListFiles("@a.b.c/d-e=1/"),
    "ls '@st' pattern = '.*[.]csv'": ListFiles("@st", ".*[.]csv"),
    "RM @%t/x": Remove("@%t/x"),
    "List 'snow://model/D.S.M/versions/V/model/'": ListFiles("snow://model/D.S.M/versions/V/model/"),
    "COPY FILES INTO @a/b/ FROM @c FILES = ('x', 'y/z')": CopyFiles("@a/b/", "@c", ("x", "y/z")),
    'COPY INTO t /* hint */ ("A", b) FROM (SELECT $1:"A"::NUMBER(38, 0), $1:"B" FROM \'@st\')'
    " FILE_FORMAT = (TYPE=PARQUET COMPRESSION=auto) PURGE=TRUE": CopyIntoTable(
        Name(("T",)),
        "@st",
        ("A", "B"),
        '$1:"A"::NUMBER(38, 0), $1:"B"',
        {"FILE_FORMAT": {"TYPE": "PARQUET", "COMPRESSION": "AUTO"}, "PURGE": True},
    ),
    "COPY INTO d.t FROM (SELECT t.$1 FROM @st/x t)": CopyIntoTable(Name(("D", "T")), "@st/x", (), "t.$1"),
    "COPY INTO t FROM @st FILE_FORMAT = (FORMAT_NAME = f)": CopyIntoTable(
        Name(("T",)), "@st", options={"FILE_FORMAT": {"FORMAT_NAME": "F"}}
    ),
    "CREATE TEMP FILE FORMAT f TYPE = PARQUET": CreateFileFormat(
        Name(("F",)), temporary=True, options={"TYPE": "PARQUET"}
    ),
    "DROP FILE FORMAT IF EXISTS f": DropFileFormat(Name(("F",)), True),
}


@pytest.mark.parametrize("sql", CASES)
def test_statements_are_read(sql: str) -> None:
    assert parse_statement(sql) == CASES[sql]


@pytest.mark.parametrize(
    ("source", "query"), [("t", "SELECT * FROM t"), ("(SELECT f(a) FROM t)", "SELECT f(a) FROM t")]
)
def test_unloading_is_read_as_a_query(source: str, query: str) -> None:
    assert parse_statement(f"COPY INTO @st/x FROM {source} SINGLE = TRUE") == CopyIntoLocation(
        "@st/x", query, {"SINGLE": True}
    )


@pytest.mark.parametrize("sql", ["PUT 'file:///x'", "CREATE STAGE x ENCRYPTION = (TYPE", "LIST @st now"])
def test_statements_that_go_on_wrongly_are_refused(sql: str) -> None:
    with pytest.raises(SqlSyntaxError):
        parse_statement(sql)
