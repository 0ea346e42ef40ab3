"""Macros that choose by the types of their arguments when DuckDB binds a statement.

An overload with a VARCHAR parameter takes texts, JSON and NULL, the one without a type takes all else. DuckDB does not
know the type of an aggregate while it chooses, so it chooses by a stand-in for the value, which no body uses. With a
second overload that has a type it would call a column that does not exist ambiguous.

`sf_cut` is for views that an earlier version made.
"""

from __future__ import annotations

import functools

import duckdb

from sfml_local.core.expressions.refusals import MARK, marked
from sfml_local.core.stored_types import TYPES

PLACE = "memory.main"
"""Their database: DuckDB's own, which every session sees."""

_MOMENTS = "('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE')"

NO_FLOAT_OF_BOOLEAN = marked(
    1044, "42P13", "SQL compilation error:\nInvalid argument types for function ''TO_DOUBLE'': (BOOLEAN)"
)

_NO_TRY = (
    f"{MARK}1065|22023|SQL compilation error:\nFunction TRY_CAST cannot be used with arguments of types "
)
_NAMED_TYPES = " ".join(f"WHEN k = '{stored}' THEN '{shown}'" for stored, shown in TYPES.items())

MACROS = f"""
CREATE OR REPLACE MACRO {PLACE}.sf_number
    (x, t VARCHAR, f, p, s) AS sf_to_number(x, typeof(x), f, p, s),
    (x, t, f, p, s) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_try_number
    (x, t VARCHAR, f, p, s) AS sf_try_to_number(x, typeof(x), f, p, s),
    (x, t, f, p, s) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_double
    (x, t VARCHAR, f) AS sf_to_double(x, typeof(x), f),
    (x, t, f) AS CASE WHEN typeof(x) = 'BOOLEAN' AND x IS NOT NULL
        THEN CAST(error('{NO_FLOAT_OF_BOOLEAN}') AS DOUBLE) ELSE CAST(x AS DOUBLE) END;
CREATE OR REPLACE MACRO {PLACE}.sf_try_double
    (x, t VARCHAR, f) AS sf_try_to_double(x, typeof(x), f),
    (x, t, f) AS TRY_CAST(x AS DOUBLE);
CREATE OR REPLACE MACRO {PLACE}.sf_boolean
    (x, t VARCHAR) AS sf_to_boolean(x, typeof(x)),
    (x, t) AS CAST(x AS BOOLEAN);
CREATE OR REPLACE MACRO {PLACE}.sf_try_boolean
    (x, t VARCHAR) AS sf_try_to_boolean(x, typeof(x)),
    (x, t) AS TRY_CAST(x AS BOOLEAN);
CREATE OR REPLACE MACRO {PLACE}.sf_date
    (x, t VARCHAR, f, c) AS sf_to_date(x, typeof(x), f, c),
    (x, t, f, c) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS DATE)
        ELSE sf_to_date(x, typeof(x), f, c) END;
CREATE OR REPLACE MACRO {PLACE}.sf_try_date
    (x, t VARCHAR, f, c) AS sf_try_to_date(x, typeof(x), f, c),
    (x, t, f, c) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS DATE)
        ELSE sf_try_to_date(x, typeof(x), f, c) END;
CREATE OR REPLACE MACRO {PLACE}.sf_ntz
    (x, t VARCHAR, f, c, z) AS sf_to_ntz(x, typeof(x), f, c, z),
    (x, t, f, c, z) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS TIMESTAMP)
        ELSE sf_to_ntz(x, typeof(x), f, c, z) END;
CREATE OR REPLACE MACRO {PLACE}.sf_try_ntz
    (x, t VARCHAR, f, c, z) AS sf_try_to_ntz(x, typeof(x), f, c, z),
    (x, t, f, c, z) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS TIMESTAMP)
        ELSE sf_try_to_ntz(x, typeof(x), f, c, z) END;
CREATE OR REPLACE MACRO {PLACE}.sf_ltz
    (x, t VARCHAR, f, c, z) AS sf_to_ltz(x, typeof(x), f, c, z),
    (x, t, f, c, z) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS TIMESTAMPTZ)
        ELSE sf_to_ltz(x, typeof(x), f, c, z) END;
CREATE OR REPLACE MACRO {PLACE}.sf_try_ltz
    (x, t VARCHAR, f, c, z) AS sf_try_to_ltz(x, typeof(x), f, c, z),
    (x, t, f, c, z) AS CASE WHEN typeof(x) IN {_MOMENTS} THEN TRY_CAST(x AS TIMESTAMPTZ)
        ELSE sf_try_to_ltz(x, typeof(x), f, c, z) END;
CREATE OR REPLACE MACRO {PLACE}.sf_moment
    (x, t VARCHAR, f, c, z) AS sf_to_ntz(x, typeof(x), f, c, z),
    (x, t, f, c, z) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_moment_type
    (t VARCHAR) AS CAST(NULL AS TIMESTAMP),
    (t) AS t;
CREATE OR REPLACE MACRO {PLACE}.sf_operand
    (x, t VARCHAR) AS CAST(sf_to_number(x, typeof(x), NULL, 18, 5) AS DECIMAL(18, 5)),
    (x, t) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_operand_type
    (t VARCHAR) AS CAST(NULL AS DECIMAL(18, 5)),
    (t) AS t;
CREATE OR REPLACE MACRO {PLACE}.sf_comparable
    (x, t VARCHAR) AS CASE WHEN typeof(x) = 'JSON' THEN sf_variant_text(x, typeof(x))
        ELSE CAST(x AS VARCHAR) END,
    (x, t) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_words
    (x, t VARCHAR) AS CASE WHEN typeof(x) = 'JSON'
        THEN CASE WHEN json_type(CAST(x AS JSON)) = 'VARCHAR' THEN (CAST(x AS JSON)) ->> '$'
            ELSE sf_variant_text(x, typeof(x)) END
        ELSE CAST(x AS VARCHAR) END,
    (x, t) AS CASE typeof(x)
        WHEN 'DOUBLE' THEN regexp_replace(CAST(x AS VARCHAR), '\\.0$', '')
        WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
        WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(TRY_CAST(x AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g ')
            || rpad(replace(strftime(TRY_CAST(x AS TIMESTAMPTZ), '%z'), ':', ''), 5, '0')
        WHEN 'TIME' THEN substr(CAST(x AS VARCHAR), 1, 8)
        WHEN 'BLOB' THEN sf_variant_text(x, 'BLOB')
        ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE MACRO {PLACE}.sf_liked
    (x, t BOOLEAN) AS x,
    (x, t VARCHAR) AS CAST(x AS VARCHAR),
    (x, t) AS {PLACE}.sf_words(x, t);
CREATE OR REPLACE MACRO {PLACE}.sf_measured
    (x, t BLOB) AS x,
    (x, t VARCHAR) AS {PLACE}.sf_words(x, t),
    (x, t) AS {PLACE}.sf_words(x, t);
CREATE OR REPLACE MACRO {PLACE}.sf_beside
    (x, u VARCHAR) AS sf_variant_text(x, typeof(x)),
    (x, u DATE) AS sf_to_date(x, typeof(x), 'AUTO', 1970),
    (x, u TIMESTAMP) AS sf_to_ntz(x, typeof(x), 'AUTO', 1970, 'UTC'),
    (x, u TIMESTAMPTZ) AS sf_to_ltz(x, typeof(x), 'AUTO', 1970, 'UTC'),
    (x, u BOOLEAN) AS sf_to_boolean(x, typeof(x)),
    (x, u) AS CAST(sf_to_number(x, typeof(x), NULL, 38, 9) AS DECIMAL(38, 9));
CREATE OR REPLACE MACRO {PLACE}.sf_numeric
    (x, t VARCHAR) AS CAST(sf_to_number(x, typeof(x), NULL, 38, 9) AS DECIMAL(38, 9)),
    (x, t) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_compared
    (x, t VARCHAR, u VARCHAR, f, c, z) AS x,
    (x, t VARCHAR, u DATE, f, c, z) AS sf_to_date(x, typeof(x), f, c),
    (x, t VARCHAR, u TIMESTAMP, f, c, z) AS sf_to_ntz(x, typeof(x), f, c, z),
    (x, t VARCHAR, u TIMESTAMPTZ, f, c, z) AS sf_to_ltz(x, typeof(x), f, c, z),
    (x, t VARCHAR, u TIME, f, c, z) AS sf_to_time(x, typeof(x), f),
    (x, t VARCHAR, u BOOLEAN, f, c, z) AS sf_to_boolean(x, typeof(x)),
    (x, t VARCHAR, u BLOB, f, c, z) AS sf_to_binary(x, typeof(x), 'HEX'),
    (x, t VARCHAR, u DOUBLE, f, c, z) AS sf_to_double(x, typeof(x), NULL),
    (x, t VARCHAR, u, f, c, z) AS CAST(sf_to_number(x, typeof(x), NULL, 38, 9) AS DECIMAL(38, 9)),
    (x, t, u, f, c, z) AS x;
CREATE OR REPLACE MACRO {PLACE}.sf_top(counts, k) AS to_json(list_transform(
    list_slice(list_reverse_sort(list_transform(
        map_entries(counts), lambda one: {{'n': one.value, 'v': one.key}}
    )), 1, k),
    lambda one: [CAST(one.v AS JSON), to_json(one.n)]
));
CREATE OR REPLACE MACRO {PLACE}.sf_flatten(input, k, path, outer_, recursive_, mode) AS TABLE
    SELECT _sf_seq AS SEQ, _sf_row.k AS KEY, _sf_row.p AS PATH, _sf_row.i AS INDEX,
        CAST(_sf_row.v AS JSON) AS VALUE, CAST(_sf_row.t AS JSON) AS THIS
    FROM (SELECT CAST(hash(CAST(input AS VARCHAR)) % 4611686018427387904 AS BIGINT) AS _sf_seq, UNNEST(from_json(
        sf_flat_rows(input, k, path, 'VARCHAR', outer_, 'BOOLEAN', recursive_, 'BOOLEAN', mode, 'VARCHAR'),
        '[{{"k": "VARCHAR", "p": "VARCHAR", "i": "BIGINT", "v": "VARCHAR", "t": "VARCHAR"}}]'
    )) AS _sf_row);
CREATE OR REPLACE MACRO {PLACE}.sf_add
    (x, y, t DATE, u) AS x + CAST(round(y) AS INTEGER),
    (x, y, t, u DATE) AS y + CAST(round(x) AS INTEGER),
    (x, y, t, u) AS x + y;
CREATE OR REPLACE MACRO {PLACE}.sf_subtract
    (x, y, t DATE, u DATE) AS x - y,
    (x, y, t DATE, u) AS x - CAST(round(y) AS INTEGER),
    (x, y, t, u) AS x - y;
CREATE OR REPLACE MACRO {PLACE}.sf_shifted
    (x, i, t TIME, e) AS CAST(error(e) AS TIME),
    (x, i, t, e) AS cast_to_type(x + i, x);
CREATE OR REPLACE MACRO {PLACE}.sf_add_months(x, n) AS cast_to_type(
    CASE WHEN last_day(CAST(x AS DATE)) = CAST(x AS DATE)
        THEN CAST(last_day(CAST(CAST(x AS TIMESTAMP) + to_months(n) AS DATE)) AS TIMESTAMP)
            + (CAST(x AS TIMESTAMP) - date_trunc('day', CAST(x AS TIMESTAMP)))
        ELSE CAST(x AS TIMESTAMP) + to_months(n) END, x);
CREATE OR REPLACE MACRO {PLACE}.sf_difference
    (p, a, b, t TIME) AS date_diff(p, a, b),
    (p, a, b, t) AS date_diff(p, CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP));
CREATE OR REPLACE MACRO {PLACE}.sf_day_of
    (x, t TIME, e) AS CAST(error(e) AS DATE),
    (x, t, e) AS CAST(x AS DATE);
CREATE OR REPLACE MACRO {PLACE}.sf_days_between
    (p, a, b, t TIME, e) AS CAST(error(e) AS BIGINT),
    (p, a, b, t, e) AS date_diff(p, CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP));
CREATE OR REPLACE MACRO {PLACE}.sf_truncated
    (p, x, t TIME, e) AS CASE WHEN e <> '' THEN CAST(error(e) AS TIME)
        ELSE CAST(date_trunc(p, DATE '1970-01-01' + x) AS TIME) END,
    (p, x, t, e) AS cast_to_type(date_trunc(p, x), x);
CREATE OR REPLACE MACRO {PLACE}.sf_plain(x) AS
    CASE WHEN contains(x, '.') THEN rtrim(rtrim(x, '0'), '.') ELSE x END;
CREATE OR REPLACE MACRO {PLACE}.sf_hashed
    (x, t VARCHAR) AS CAST(x AS VARCHAR),
    (x, t DATE) AS x,
    (x, t TIMESTAMP) AS x,
    (x, t TIMESTAMPTZ) AS epoch_us(x),
    (x, t) AS CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN chr(1) || CASE
            WHEN TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE) = trunc(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
            THEN coalesce(CAST(TRY_CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 0)) AS VARCHAR), CAST(x AS VARCHAR))
            ELSE CAST(x AS VARCHAR) END
        WHEN typeof(x) LIKE '%INT%' OR typeof(x) LIKE 'DECIMAL%'
        THEN chr(1) || {PLACE}.sf_plain(CAST(x AS VARCHAR))
        ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE MACRO {PLACE}.sf_cut(x, kind) AS CASE
    WHEN kind LIKE 'DECIMAL%'
    THEN trunc(round(x * power(10, CAST(regexp_extract(kind, '(\\d+)\\)', 1) AS INTEGER)), 6))
        / power(10, CAST(regexp_extract(kind, '(\\d+)\\)', 1) AS INTEGER))
    ELSE x END;
CREATE OR REPLACE MACRO {PLACE}.sf_refused_try(k, target) AS error('{_NO_TRY}' || CASE
    WHEN k LIKE 'DECIMAL%' THEN replace(k, 'DECIMAL', 'NUMBER')
    WHEN k LIKE '%INT%' THEN 'NUMBER(38,0)'
    {_NAMED_TYPES} ELSE k END || ' and ' || target || '{MARK}');
CREATE OR REPLACE MACRO {PLACE}.sf_stored_type(x) AS sf_type_name(typeof(x));
CREATE OR REPLACE MACRO {PLACE}.sf_root(r, x) AS CASE WHEN abs(r) BETWEEN 1e-50 AND 1e50
    THEN r - (r * r * r - CAST(x AS DOUBLE)) / (3 * r * r) ELSE r END;
CREATE OR REPLACE MACRO {PLACE}.sf_random() AS
    CAST((random() - 0.5::DOUBLE) * 18446744073709551616::DOUBLE AS BIGINT);
"""


def define(duck: duckdb.DuckDBPyConnection) -> None:
    """Create the macros for all connections."""
    for statement in _parsed():
        duck.execute(statement)


@functools.cache
def _parsed() -> list[duckdb.Statement]:
    """Parsed once for all servers of a process: that takes half of the time of making them."""
    with duckdb.connect() as duck:
        return duck.extract_statements(MACROS)
