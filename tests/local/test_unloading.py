"""COPY INTO a location: what it tells, what it writes and what it refuses, as accounts were recorded to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

PLAIN = "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE)"


@pytest.fixture
def rows(session: Session) -> Callable[[str], list[tuple[Any, ...]]]:
    session.sql("CREATE OR REPLACE STAGE ust").collect()
    session.sql("CREATE OR REPLACE TABLE ut AS SELECT 1::INT a, 'x' b UNION ALL SELECT 2, 'y'").collect()
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


def test_what_unloading_tells(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    ((count, unpacked, packed),) = rows("COPY INTO @ust/u1/ FROM ut")
    assert (count, unpacked) == (2, 8)
    assert [row[:2] for row in rows("LIST @ust/u1")] == [("ust/u1/data_0_0_0.csv.gz", packed)]
    assert rows("COPY INTO @ust/u1/ FROM ut OVERWRITE = TRUE DETAILED_OUTPUT = TRUE") == [
        ("data_0_0_0.csv.gz", packed, 2)
    ]
    assert rows(f"COPY INTO @ust/u2/ FROM ut {PLAIN} HEADER = TRUE") == [(2, 12, 12)]
    assert rows("COPY INTO @ust/u3/ FROM (SELECT * FROM ut WHERE a > 5)") == [(0, 0, 0)]
    assert rows("LIST @ust/u3") == []
    rows("COPY INTO @ust/u4/ FROM ut FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE FILE_EXTENSION = 'dat')")
    assert [row[0] for row in rows("LIST @ust/u4")] == ["ust/u4/data_0_0_0.dat"]


def test_a_single_file_has_the_given_name_and_is_read_as_it_is(
    rows: Callable[[str], list[tuple[Any, ...]]],
) -> None:
    rows("COPY INTO @ust/u7/out.csv FROM ut SINGLE = TRUE")
    assert [row[0] for row in rows("LIST @ust/u7")] == ["ust/u7/out.csv"]
    assert rows("SELECT $1, $2 FROM @ust/u7/out.csv") == [("1", "x"), ("2", "y")]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("FROM ut OVERWRITE = 'TRUE'", r"invalid value \['TRUE'\] for parameter 'OVERWRITE'"),
        ("FROM ut SINGLE = MAYBE", r"invalid value \[MAYBE\] for parameter 'SINGLE'"),
        ("FROM ut MAX_FILE_SIZE = -1", r"invalid value \[-1\] for parameter 'MAX_FILE_SIZE'"),
        ("FROM ut NO_SUCH_OPT = 1", "invalid parameter 'NO_SUCH_OPT'"),
        (
            "FROM ut VALIDATION_MODE = RETURN_ERRORS",
            r"invalid value \[RETURN_ERRORS\] for parameter 'VALIDATION_MODE'",
        ),
        ("FROM ut FILE_FORMAT = (TYPE = JSON)", "unloading of more than one column or non-json values"),
        ("FROM (SELECT a FROM ut) FILE_FORMAT = (TYPE = JSON)", "more than one column or non-json values"),
        ("FROM ut SINGLE = TRUE PARTITION BY ('p')", "syntax error"),
        ("FROM ut PARTITION BY ('p') OVERWRITE = TRUE", "cannot be used with PARTITION BY"),
        ("FROM ut PARTITION BY ('../../p')", "leaves the stage"),
    ],
)
def test_what_is_refused(rows: Callable[[str], list[tuple[Any, ...]]], statement: str, error: str) -> None:
    with pytest.raises(SnowparkSQLException, match=error):
        rows(f"COPY INTO @ust/u20/ {statement}")
    assert rows("LIST @ust") == []


def test_partitions_are_folders(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    query = "(SELECT a, NULLIF(b, 'x') AS b FROM ut)"
    assert rows(f"COPY INTO @ust/u14/ FROM {query} PARTITION BY ('b=' || b) {PLAIN}") == [(2, 9, 9)]
    names = [row[0].rpartition("/data_") for row in rows("LIST @ust/u14")]
    assert [name[0] for name in names] == ["ust/u14/__NULL__", "ust/u14/b=y"]
    assert all(name[2].endswith("_001_0_0.csv") and len(name[2]) == 48 for name in names)
    assert rows("SELECT $1, $2 FROM @ust/u14/b=y") == [("2", "y")]


def test_the_rows_are_shown_and_not_written(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    assert rows("COPY INTO @ust FROM ut VALIDATION_MODE = RETURN_ROWS") == [(1, "x"), (2, "y")]
    assert rows("LIST @ust") == []
