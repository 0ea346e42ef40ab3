"""What COPY INTO a table tells of rows that do not fit, as accounts were recorded to tell it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

Copy = Callable[..., dict[str, Any]]

MISMATCH = (
    "Number of columns in file ({}) does not match that of the corresponding table ({}), use file format option "
    "error_on_column_count_mismatch=false to ignore this error"
)
LATE = "Field delimiter ',' found while expecting record delimiter '\\n'"
EARLY = 'End of record reached while expected to parse column \'"T"["NAME":2]\''
LONG, AT_C = "User character length limit (3) exceeded by string", '"T"["C":3]'
HINT = (
    "  If you would like to continue loading when an error is encountered, use other values such as 'SKIP_FILE' or "
    "'CONTINUE' for the ON_ERROR option. For more information on loading options, please run 'info loading_data' in a "
    "SQL client."
)


@pytest.fixture
def copy(session: Session) -> Copy:
    """Loads a text into a new table T, and answers the row of its file; `columns` are those of the table."""

    def load(
        content: str,
        options: str = "ON_ERROR = CONTINUE",
        *,
        columns: str = "id INT, name VARCHAR",
        form: str = "",
    ) -> dict[str, Any]:
        session.sql(f"CREATE OR REPLACE TABLE t ({columns})").collect()
        session.sql("REMOVE @%t").collect()
        session.file.put_stream(io.BytesIO(content.encode()), "@%t/f.csv", auto_compress=False)
        (row,) = session.sql(
            f"COPY INTO t FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 {form}) {options}"
        ).collect()
        return {name.lower(): value for name, value in row.as_dict().items()}

    return load


def _first(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[f"first_error{end}"] for end in ("", "_line", "_character", "_column_name"))


@pytest.mark.parametrize(
    ("content", "status", "first"),
    [
        ("h\n1,a\n", "LOADED", (None, None, None, None)),
        ("h\n", "LOADED", (None, None, None, None)),
        ("", "LOADED", (None, None, None, None)),
        (
            "h\n1,a\nBAD,b\n",
            "PARTIALLY_LOADED",
            ("Numeric value 'BAD' is not recognized", 3, 1, '"T"["ID":1]'),
        ),
        ("h\nBAD,b\n", "LOAD_FAILED", ("Numeric value 'BAD' is not recognized", 2, 1, '"T"["ID":1]')),
        ("h\n1,a,x\n2,b\n", "PARTIALLY_LOADED", (MISMATCH.format(3, 2), 3, 1, '"T"[3]')),
        ("h\n1\n2,b\n", "PARTIALLY_LOADED", (MISMATCH.format(1, 2), 3, 1, '"T"["ID":1]')),
        ("h\n1,a,extra\n", "LOAD_FAILED", (MISMATCH.format(3, 2), 2, 10, '"T"[3]')),
        ("h\n1\n", "LOAD_FAILED", (MISMATCH.format(1, 2), 2, 2, '"T"["ID":1]')),
        ("h\n1,a\n2,b,x\n", "PARTIALLY_LOADED", (LATE, 3, 4, '"T"["NAME":2]')),
        ("h\n1,a\n2\n", "PARTIALLY_LOADED", (EARLY, 3, 2, '"T"["NAME":2]')),
        ("h\n1,a\n\n2,b\n", "PARTIALLY_LOADED", (EARLY, 3, 1, '"T"["NAME":2]')),
        ("h\n1,a\n2,b\n\n", "PARTIALLY_LOADED", (EARLY, 4, 1, '"T"["NAME":2]')),
    ],
)
def test_the_first_error_of_a_file(copy: Copy, content: str, status: str, first: tuple[Any, ...]) -> None:
    row = copy(content)
    assert (row["status"], _first(row)) == (status, first)


@pytest.mark.parametrize(
    ("columns", "content", "first"),
    [
        ("a INT, b VARCHAR, c INT", 'h\n2,"b,ob",BAD\n3,x,1\n', ("Numeric value 'BAD' is not recognized", 2, 10, AT_C)),
        ("a INT, b VARCHAR(3)", "h\n1,ab\n2,abcdefgh\n", (f"{LONG} 'abcdefgh'", 3, 3, '"T"["B":2]')),
        ("a INT, b VARCHAR NOT NULL", "h\n1,\n2,x\n", ("NULL result in a non-nullable column", 2, 3, '"T"["B":2]')),
        ("a DATE, b INT", "h\nx,1\n2024-01-01,2\n", ("Date 'x' is not recognized", 2, 1, '"T"["A":1]')),
        ("a BOOLEAN, b INT", "h\nx,1\ntrue,2\n", ("Boolean value 'x' is not recognized", 2, 1, '"T"["A":1]')),
        ("a INT, b TIMESTAMP_NTZ", "h\n1,x\n2,2024-01-01\n", ("Timestamp 'x' is not recognized", 2, 3, '"T"["B":2]')),
        ("a INT, b INT", 'h\n1,"2\n3"\n4,5\n', ("Numeric value '2\n3' is not recognized", 2, 3, '"T"["B":2]')),
    ],
)  # fmt: skip
def test_a_value_is_refused_with_the_words_of_its_column(
    copy: Copy, columns: str, content: str, first: tuple[Any, ...]
) -> None:
    row = copy(content, columns=columns, form="FIELD_OPTIONALLY_ENCLOSED_BY = '\"'")
    assert (row["status"], row["errors_seen"], _first(row)) == ("PARTIALLY_LOADED", 1, first)


@pytest.mark.parametrize(
    ("on_error", "status", "loaded", "limit"),
    [
        ("CONTINUE", "PARTIALLY_LOADED", 2, 4),
        ("SKIP_FILE", "LOAD_FAILED", 0, 1),
        ("SKIP_FILE_2", "LOAD_FAILED", 0, 2),
        ("SKIP_FILE_3", "PARTIALLY_LOADED", 2, 3),
        ("'SKIP_FILE_50%'", "LOAD_FAILED", 0, 2),
        ("'SKIP_FILE_70%'", "LOAD_FAILED", 0, 2),
        ("'SKIP_FILE_75%'", "PARTIALLY_LOADED", 2, 3),
    ],
)
def test_how_many_errors_a_file_may_have(
    copy: Copy, on_error: str, status: str, loaded: int, limit: int
) -> None:
    row = copy("h\n20,a\nBADY,b\n22,c\nBADZ,d\n", f"ON_ERROR = {on_error}")
    told = (row["status"], row["rows_parsed"], row["rows_loaded"], row["errors_seen"], row["error_limit"])
    assert told == (status, 4, loaded, 2, limit)


def test_no_errors_allowed_drops_a_clean_file_too(copy: Copy) -> None:
    row = copy("h\n1,a\n", "ON_ERROR = SKIP_FILE_0")
    assert (row["status"], row["rows_loaded"], row["error_limit"], row["errors_seen"]) == (
        "LOAD_FAILED",
        0,
        0,
        0,
    )


def test_the_statement_ends_at_the_first_error(session: Session, copy: Copy) -> None:
    with pytest.raises(SnowparkSQLException) as refused:
        copy("h\n1,x\nNOPE,y\n3,z\n", "")
    sentence = "Numeric value 'NOPE' is not recognized\n  File 'f.csv', line 3, character 1\n"
    assert f'{sentence}  Row 2, column "T"["ID":1]\n{HINT}' in str(refused.value)
    with pytest.raises(
        SnowparkSQLException, match=r'line 3, character 1\n  Row 1 starts at line 2, column "T"\[3\]'
    ):
        copy("h\n1,a,x\n2,b\n", "")
    assert session.table("t").count() == 0


@pytest.mark.parametrize(
    ("form", "target", "content"),
    [
        ("ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE", "t", "h\n1,a\n2,b,x\n3\n"),
        ("", "t (id, name)", "h\n1,a\n2,b,x\n3\n"),
        ("SKIP_BLANK_LINES = TRUE", "t", "h\n1,a\n\n2,b\n3,c\n"),
    ],
)
def test_records_of_other_lengths_are_loaded_if_told(
    session: Session, copy: Copy, form: str, target: str, content: str
) -> None:
    copy("h\n0,z\n")
    session.file.put_stream(io.BytesIO(content.encode()), "@%t/g.csv", auto_compress=False)
    (row,) = session.sql(
        f"COPY INTO {target} FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 {form}) FILES = ('g.csv')"
    ).collect()
    assert (row.status, row.rows_loaded, row.errors_seen) == ("LOADED", 3, 0)


def test_files_that_are_named_are_told_of_in_any_case(session: Session, copy: Copy) -> None:
    copy("h\n1,a\n")
    form = "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1)"
    (again,) = session.sql(f"COPY INTO t FILES = ('f.csv') {form}").collect()
    assert tuple(again)[1:] == ("LOAD_SKIPPED", 0, 0, None, 1, "File was loaded before.", None, None, None)
    (skipped, gone) = session.sql(
        f"COPY INTO t FILES = ('gone.csv', 'f.csv') {form} ON_ERROR = CONTINUE"
    ).collect()
    assert (skipped.status, gone.file, gone.status) == ("LOAD_SKIPPED", "gone.csv", "LOAD_FAILED")
    assert gone.first_error.startswith(
        "Remote file '@%T/gone.csv' was not found. There are several potential"
    )
    with pytest.raises(
        SnowparkSQLException, match=r"gone\.csv' was not found\. If you are running a copy command"
    ):
        session.sql(f"COPY INTO t FILES = ('gone.csv') {form}").collect()


def test_a_file_of_which_nothing_was_loaded_is_read_again_and_not_purged(
    session: Session, copy: Copy
) -> None:
    assert copy("h\nBAD,a\n", "ON_ERROR = CONTINUE PURGE = TRUE")["status"] == "LOAD_FAILED"
    copies = "COPY INTO t FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1) ON_ERROR = CONTINUE"
    assert [row.status for row in session.sql(copies).collect()] == ["LOAD_FAILED"]
    assert copy("h\nBAD,a\n1,b\n", "ON_ERROR = CONTINUE PURGE = TRUE")["status"] == "PARTIALLY_LOADED"
    assert session.sql("LIST @%t").collect() == []


def test_validation_shows_all_errors_and_loads_nothing(session: Session, copy: Copy) -> None:
    copy("h\n")
    session.file.put_stream(io.BytesIO(b"h\n1,x\nNOPE,y\n3\n"), "@%t/bad.csv", auto_compress=False)
    form = "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1) PURGE = TRUE VALIDATION_MODE ="
    found = session.sql(f"COPY INTO t {form} RETURN_ERRORS").collect()
    assert found[0].as_dict() == {
        "ERROR": "Numeric value 'NOPE' is not recognized",
        "FILE": "bad.csv",
        "LINE": 3,
        "CHARACTER": 1,
        "BYTE_OFFSET": 6,
        "CATEGORY": "conversion",
        "CODE": 100038,
        "SQL_STATE": "22018",
        "COLUMN_NAME": '"T"["ID":1]',
        "ROW_NUMBER": 2,
        "ROW_START_LINE": 3,
        "REJECTED_RECORD": "NOPE,y\n",
    }
    assert (found[1].CATEGORY, found[1].CODE, found[1].REJECTED_RECORD) == ("parsing", 100068, "3")
    named = f"COPY INTO t FILES = ('gone.csv') {form} RETURN_ERRORS"
    assert tuple(session.sql(named).collect()[0])[1:] == (
        *("gone.csv", None, None, None, "other", 100112, "22000", None, 0, 0, None),
    )
    assert (session.table("t").count(), len(session.sql("LIST @%t").collect())) == (0, 2)


def test_validation_shows_the_first_rows_as_they_would_be_loaded(session: Session, copy: Copy) -> None:
    copy("h\n")
    session.file.put_stream(io.BytesIO(b"h\n1,x\n2,y\nNOPE,z\n"), "@%t/bad.csv", auto_compress=False)
    validated = "COPY INTO t FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1) VALIDATION_MODE ="
    assert [row.as_dict() for row in session.sql(f"{validated} RETURN_2_ROWS").collect()] == [
        {"ID": 1, "NAME": "x"},
        {"ID": 2, "NAME": "y"},
    ]
    with pytest.raises(SnowparkSQLException, match="Numeric value 'NOPE'"):
        session.sql(f"{validated} RETURN_3_ROWS").collect()
    assert session.table("t").count() == 0


def test_errors_of_loaded_files_are_shown_on_request(session: Session, copy: Copy) -> None:
    copy("h\n1,x\nNOPE,y\n")
    validated = "COPY INTO t FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1) VALIDATION_MODE ="
    assert session.sql(f"{validated} RETURN_ERRORS").collect() == []
    assert [row.LINE for row in session.sql(f"{validated} RETURN_ALL_ERRORS").collect()] == [3]


def test_a_document_has_a_number_and_no_column(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE jt (id INT, name VARCHAR)").collect()
    session.sql("CREATE OR REPLACE STAGE js").collect()
    content = b'{"id": 1, "name": "a"}\n{"id": "ZZ", "name": "b"}\n{"id": null, "name": "c"}\n'
    session.file.put_stream(io.BytesIO(content), "@js/m.json", auto_compress=False)
    copies = (
        "COPY INTO jt FROM (SELECT $1:id, $1:name FROM @js)",
        "COPY INTO jt FROM (SELECT $1:id::INT, $1:name FROM @js)",
        "COPY INTO jt FROM @js MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
    )
    for statement in copies:
        (row,) = session.sql(
            f"{statement} FILE_FORMAT = (TYPE = JSON) ON_ERROR = CONTINUE FORCE = TRUE"
        ).collect()
        assert tuple(row)[1:6] == ("PARTIALLY_LOADED", 3, 2, 3, 1), statement
        assert tuple(row)[6:] == ('Failed to cast variant value "ZZ" to FIXED', 2, None, None)
    assert session.table("jt").count() == 6


def test_what_was_told_of_files_is_kept(session: Session, copy: Copy) -> None:
    copy("h\n1,x\nNOPE,y\n")
    (row,) = session.sql(
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 't', START_TIME => "
        "DATEADD(minute, -5, CURRENT_TIMESTAMP()))) ORDER BY last_load_time DESC LIMIT 1"
    ).collect()
    told = (row.FILE_NAME, row.STAGE_LOCATION, row.ROW_COUNT, row.ROW_PARSED, row.FILE_SIZE, row.STATUS)
    assert told == ("f.csv", "@%T/", 1, 2, 13, "Partially loaded")
    assert (*("Numeric value 'NOPE' is not recognized", 3, '"T"["ID":1]'),) == (
        row.FIRST_ERROR_MESSAGE,
        row.FIRST_ERROR_LINE_NUMBER,
        row.FIRST_ERROR_COLUMN_NAME,
    )
    (kept,) = session.sql(
        "SELECT * FROM INFORMATION_SCHEMA.LOAD_HISTORY WHERE table_name = 'T' ORDER BY last_load_time DESC LIMIT 1"
    ).collect()
    assert (*("PUBLIC", "@%T/f.csv", "PARTIALLY LOADED", 1),) == (
        kept.SCHEMA_NAME,
        kept.FILE_NAME,
        kept.STATUS,
        kept.ERROR_COUNT,
    )
    later = "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY('t', DATEADD(hour, 1, CURRENT_TIMESTAMP())))"
    assert session.sql(later).collect() == []
    with pytest.raises(SnowparkSQLException, match="START_TIME is missing"):
        session.sql("SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 't'))").collect()
