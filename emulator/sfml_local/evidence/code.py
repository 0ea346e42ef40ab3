"""Behaviours of procedures, functions, Snowpark's statements, and staged files."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
_MESSAGES = "messages that accounts gave"
_REFUSED = "not emulated, and said so"
_SNOWPARK = "snowflake-snowpark-python 1.56, read and run"
_CALL_WITH = "sql-reference/sql/call-with"
_PROCEDURE = "sql-reference/sql/create-procedure"
_FUNCTION = "sql-reference/sql/create-function"
_TYPEOF = "sql-reference/functions/system_typeof"
_OVERLOADS = "developer-guide/udf-stored-procedure-naming-conventions"
_RIGHTS = "developer-guide/stored-procedure/stored-procedures-rights"
_QUERYING = "user-guide/querying-stage"
_LOADING = "user-guide/data-load-considerations-load"
_FUNCTIONS = "sql-reference/functions"
_CONVERSION = "sql-reference/data-type-conversion"
_PARAMETERS = "sql-reference/parameters"
_MULTI = "sql-reference/sql/insert-multi-table"
_SEMI = "sql-reference/data-types-semistructured"
_COPY = "sql-reference/sql/copy-into-table"
_UNLOAD = "sql-reference/sql/copy-into-location"


def _rows(area: str, *rows: tuple[str, Evidence, str]) -> tuple[Behaviour, ...]:
    return tuple(Behaviour(area, what, evidence, source) for what, evidence, source in rows)


PROCEDURES = _rows(
    "procedures",
    ("Anonymous ones run with the caller's rights, in its place", _D, _CALL_WITH),
    (
        "Imported files are in snowflake_import_directory, which ends in a slash",
        _D,
        "developer-guide/stored-procedure/python/procedure-python-read-file",
    ),
    ("An exception is 100357 with its traceback", _C, _MESSAGES),
    ("Code and sentence of a package that is not there (391546)", _A, "not seen"),
    ("PACKAGES without snowflake-snowpark-python are refused", _A, _CALL_WITH),
    (
        "This Python runs them, with its own packages; other versions are noted in the log",
        _X,
        "no other Python is installed",
    ),
    (
        "Named ones in PYTHON and SQL: OR REPLACE, IF NOT EXISTS, TEMPORARY, defaults, STRICT, COMMENT",
        _D,
        _PROCEDURE,
    ),
    ("Several of one name differ in the types of their parameters", _D, _OVERLOADS),
    ("Which of several is nearest to arguments that fit none exactly", _A, _OVERLOADS),
    ("OWNER's rights work in the procedure's schema, CALLER's in the caller's", _D, _RIGHTS),
    ("OWNER's rights take no privilege away", _X, "roles have no privileges here"),
    ("IMPORTS are read at each call, from the stage that was meant at CREATE", _A, _PROCEDURE),
    ("RETURNS TABLE: rows by position, cast to the declared types; in FROM TABLE(…) too", _D, _PROCEDURE),
    ("Codes and sentences of calls that fit no procedure (2140, 1044)", _A, "not seen"),
    (
        "SHOW and DESCRIBE list user-defined ones, and not Snowflake's own",
        _X,
        "there are none here",
    ),
    ("What sproc.register, @sproc, register_from_file and session.call write", _C, _SNOWPARK),
    (
        "A procedure sees no temporary tables of its caller, nor its open transaction",
        _X,
        "a session of its own",
    ),
    ("JAVA, JAVASCRIPT, SCALA and SECRETS are refused", _X, _REFUSED),
    ("EXTERNAL_ACCESS_INTEGRATIONS restrict nothing", _X, "said in the log"),
)

FUNCTIONS = _rows(
    "functions",
    ("SYSTEM$TYPEOF of whole numbers, texts and NULL: the type's name and its size", _D, _TYPEOF),
    ("SYSTEM$TYPEOF of decimals and booleans, sized by the same rule", _A, _TYPEOF),
    ("SYSTEM$TYPEOF of columns and expressions", _X, _REFUSED),
    (
        "A SQL function is its body with the arguments for the parameters, cast to the declared type",
        _D,
        _FUNCTION,
    ),
    ("A SQL table function is its query", _D, "developer-guide/udf/sql/udf-sql-tabular-functions"),
    ("A parameter's name wins over a column's in the body", _A, "not said"),
    ("Python functions, row by row and vectorized, with IMPORTS and PACKAGES", _D, _FUNCTION),
    ("What udf.register, @udf, pandas_udf and register_from_file write", _C, _SNOWPARK),
    (
        "One process a function, four kept; it ends with a statement that is cancelled or times out",
        _X,
        "on purpose",
    ),
    (
        "Several of one name and as many parameters: by literals, casts and constants alone",
        _X,
        "columns are untyped",
    ),
    ("Python table functions and aggregate functions, other languages are refused", _X, _REFUSED),
)

SNOWPARK = _rows(
    "snowpark",
    ("MERGE: columns of either side unqualified; counts of what it may do", _D, "sql-reference/sql/merge"),
    ("MERGE refuses two source rows for one target row (100090)", _D, "sql-reference/sql/merge"),
    ("Bound rows are inserted by one statement", _C, _SNOWPARK),
    (
        "PIVOT … IN (ANY) takes the values that are there, sorted, without NULL",
        _D,
        "sql-reference/constructs/pivot",
    ),
    ("ASOF JOIN keeps rows without a match", _D, "sql-reference/constructs/asof-join"),
    ("SPLIT_TO_TABLE numbers parts from 1; SEQ is always 1", _A, "sql-reference/functions/split_to_table"),
    ("Approximate quantiles are exact ones; HASH and seeded RANDOM have other values", _X, "DuckDB's own"),
    ("Columns declared as ARRAY or OBJECT, and functions that return them, have these types", _D, _SEMI),
    (
        "`/` of NUMBERs is a NUMBER with six more places, at most twelve",
        _D,
        "sql-reference/operators-arithmetic",
    ),
    ("AVG, MEDIAN and PERCENTILE_CONT of NUMBERs are NUMBERs", _C, "types that accounts told"),
    (
        "They have 38 digits; an account counts the digits of its operands",
        _X,
        "DuckDB has integers of fixed sizes",
    ),
    ("Quotients and means are computed to fifteen digits", _X, "in doubles"),
    ("DATE_TRUNC of a DATE is a DATE", _D, "sql-reference/functions/date_trunc"),
    (
        "A whole float as text has no point, a timestamp three digits after the second",
        _C,
        "texts that accounts wrote",
    ),
    ("The last digits of other floats as text", _X, "the shortest that reads back the same"),
    (
        "Division by zero is an error (100051), as are SQRT and LN of what has none",
        _C,
        "messages that accounts gave",
    ),
    ("Its code for SQRT and LN (100038)", _A, "not seen"),
    ("Functions and conversions by name answer what their pages tell, with types and errors", _D, _FUNCTIONS),
    ("A function sees a VARIANT, a text or a number as what it needs", _D, _CONVERSION),
    ("In arithmetic a text is NUMBER(18,5), in comparisons NUMBER(38,9)", _A, "not told by a page"),
    ("The codes of values that a format, or a function of objects, refuses", _A, "not told by a page"),
    (
        "TIMEZONE, WEEK_START, input and output formats apply in a session and in the run of a task",
        _D,
        _PARAMETERS,
    ),
    ("TIMESTAMP_TZ keeps the moment, and shows it in the session's zone", _X, "DuckDB stores no offset"),
    ("CONVERT_TIMEZONE of two arguments answers TIMESTAMP_NTZ", _X, "the same"),
    (
        "A date or binary in a VARIANT is a text; IS_ and AS_ functions of them are refused",
        _X,
        "stored as JSON",
    ),
    ("INT columns hold 64 bits, NUMBER columns 38 digits", _X, "DuckDB has integers of fixed sizes"),
    (
        "INSERT ALL and FIRST; INSERT OVERWRITE into several tables is refused",
        _D,
        "sql-reference/sql/insert-multi-table",
    ),
    ("MATCH_RECOGNIZE, PIVOT … DEFAULT ON NULL, ROUND to places of a column are refused", _X, _REFUSED),
    ("The rows of FLATTEN beside a table come in any order", _X, "an account keeps that of the array"),
    (
        "Other expressions over them, and INFORMATION_SCHEMA.COLUMNS, tell VARIANT",
        _X,
        "all are stored as JSON",
    ),
    ("EXTERNAL, ICEBERG tables, MATERIALIZED views, UNDROP, SWAP WITH are refused", _X, _REFUSED),
    ("A function that is not here is refused by its name", _X, _REFUSED),
)

STAGES = _rows(
    "stages",
    ("$1, $2 of CSV, $1:path of JSON and Parquet, METADATA$FILENAME and $FILE_ROW_NUMBER", _D, _QUERYING),
    ("Files of a location, PATTERN on the whole path", _D, _QUERYING),
    ("A query of no file is an error (100016)", _A, "not said"),
    (
        "ON_ERROR = CONTINUE, SKIP_FILE, ABORT_STATEMENT, with the first error's file, row and column",
        _D,
        _COPY,
    ),
    ("Only texts that no cast reads are errors of a row", _X, "what is looked for"),
    ("COPY INTO loads an unchanged file into a table once, unless FORCE; TRUNCATE forgets", _D, _LOADING),
    ("Files of which some rows were loaded count as loaded, skipped ones do not", _A, _LOADING),
    (
        "What was loaded is remembered for good, and not for 64 days",
        _X,
        "accounts pass old files over as well",
    ),
    ("MATCH_BY_COLUMN_NAME for CSV with PARSE_HEADER, JSON and Parquet", _D, _COPY),
    ("VALIDATION_MODE, SKIP_FILE_n, other file types and formats of dates are refused", _X, _REFUSED),
    ("Unloading: CSV, JSON, Parquet; SINGLE, HEADER, OVERWRITE; data_0_0_0 otherwise", _D, _UNLOAD),
    ("One file, whatever MAX_FILE_SIZE says; PARTITION BY is refused", _X, "one process writes it"),
    (
        "Without USE_LOGICAL_TYPE, naive times in Parquet are whole numbers",
        _C,
        "issues of the Python connector",
    ),
    ("So are times of day, and times with a zone that have only a logical type", _A, "the same annotations"),
    (
        "INFER_SCHEMA of CSV, JSON and Parquet: types are DuckDB's guesses",
        _X,
        "sql-reference/functions/infer_schema",
    ),
    ("DIRECTORY(@stage), USING TEMPLATE, external stages are refused", _X, _REFUSED),
)

CODE = PROCEDURES + FUNCTIONS + SNOWPARK + STAGES
