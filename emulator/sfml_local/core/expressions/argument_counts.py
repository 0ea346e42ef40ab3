"""How many arguments Snowflake's functions take, and the refusal of a call with fewer or more.

https://docs.snowflake.com/en/sql-reference/functions-all has the signatures; what accounts were recorded to answer goes
before it: COALESCE and CONCAT_WS of one argument, and a format in TIME, are refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from sqlglot.tokens import Token, TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.syntax_errors import position

Bounds = tuple[int, int | None]

_NAMES: Mapping[Bounds, str] = {
    (0, 0): """
        CUME_DIST CURRENT_ACCOUNT CURRENT_ACCOUNT_NAME CURRENT_AVAILABLE_ROLES CURRENT_CLIENT CURRENT_DATABASE
        CURRENT_IP_ADDRESS CURRENT_ORGANIZATION_NAME CURRENT_REGION CURRENT_ROLE CURRENT_ROLE_TYPE CURRENT_SCHEMA
        CURRENT_SCHEMAS CURRENT_SECONDARY_ROLES CURRENT_SESSION CURRENT_STATEMENT CURRENT_TRANSACTION CURRENT_USER
        CURRENT_VERSION CURRENT_WAREHOUSE DENSE_RANK GETDATE LAST_TRANSACTION PERCENT_RANK PI RANK ROW_NUMBER SYSDATE
        SYSTIMESTAMP
    """,
    (
        0,
        1,
    ): "CURRENT_TIME CURRENT_TIMESTAMP LAST_QUERY_ID LOCALTIME LOCALTIMESTAMP RANDOM SEQ1 SEQ2 SEQ4 SEQ8",
    (0, 2): "UUID_STRING",
    (0, None): "ARRAY_CONSTRUCT ARRAY_CONSTRUCT_COMPACT OBJECT_CONSTRUCT OBJECT_CONSTRUCT_KEEP_NULL",
    (1, 1): """
        ABS ACOS ACOSH ANY_VALUE ARRAYAGG ARRAY_AGG ARRAY_COMPACT ARRAY_DISTINCT ARRAY_FLATTEN ARRAY_MAX ARRAY_MIN
        ARRAY_REVERSE ARRAY_SIZE ARRAY_UNION_AGG ARRAY_UNIQUE_AGG ASCII ASIN ASINH AS_ARRAY AS_BINARY AS_BOOLEAN
        AS_CHAR AS_DATE AS_DOUBLE AS_INTEGER AS_OBJECT AS_REAL AS_TIME AS_TIMESTAMP_LTZ AS_TIMESTAMP_NTZ
        AS_TIMESTAMP_TZ AS_VARCHAR ATAN ATANH AVG BITANDAGG BITAND_AGG BITCOUNT BITMAP_AND_AGG BITMAP_BIT_POSITION
        BITMAP_BUCKET_NUMBER BITMAP_CONSTRUCT_AGG BITMAP_COUNT BITMAP_OR_AGG BITMAP_TO_ARRAY BITNOT BITORAGG BITOR_AGG
        BITXORAGG BITXOR_AGG BIT_ANDAGG BIT_AND_AGG BIT_LENGTH BIT_NOT BIT_ORAGG BIT_OR_AGG BIT_XORAGG BIT_XOR_AGG
        BOOLAND_AGG BOOLNOT BOOLOR_AGG BOOLXOR_AGG CBRT CHAR CHECK_JSON CHR COLLATION CONDITIONAL_CHANGE_EVENT
        CONDITIONAL_TRUE_EVENT COS COSH COT COUNT_IF DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFWEEKISO DAYOFWEEK_ISO
        DAYOFYEAR DEGREES EXP FACTORIAL FIRST_VALUE HEX_DECODE_BINARY HEX_DECODE_STRING HOUR IS_ARRAY IS_BINARY
        IS_BOOLEAN IS_CHAR IS_DATE IS_DATE_VALUE IS_DECIMAL IS_DOUBLE IS_INTEGER IS_NULL_VALUE IS_OBJECT IS_REAL
        IS_TIME IS_TIMESTAMP_LTZ IS_TIMESTAMP_NTZ IS_TIMESTAMP_TZ IS_VARCHAR KURTOSIS LAST_VALUE LEN LENGTH LN LOWER
        MAX MD5 MD5_BINARY MD5_HEX MD5_NUMBER_LOWER64 MD5_NUMBER_UPPER64 MEDIAN MIN MINUTE MODE MONTH MONTHNAME NEGATE
        NTILE NULLIFZERO OBJECT_KEYS OCTET_LENGTH PERCENTILE_CONT PERCENTILE_DISC QUARTER RADIANS RATIO_TO_REPORT
        REVERSE RTRIMMED_LENGTH SECOND SHA1 SHA1_BINARY SHA1_HEX SIGN SIN SINH SKEW SOUNDEX SOUNDEX_P123 SPACE SQRT
        SQUARE STDDEV STDDEV_POP STDDEV_SAMP STRIP_NULL_VALUE SUM TAN TANH TIME TO_ARRAY TO_BOOLEAN TO_JSON TO_OBJECT
        TO_VARIANT TO_XML TRY_HEX_DECODE_BINARY TRY_HEX_DECODE_STRING TRY_TO_BOOLEAN TYPEOF UNICODE UPPER VARIANCE
        VARIANCE_POP VARIANCE_SAMP VAR_POP VAR_SAMP WEEK WEEKISO WEEKOFYEAR WEEK_ISO YEAR YEAROFWEEK YEAROFWEEKISO
        ZEROIFNULL
    """,
    (1, 2): """
        BASE64_DECODE_BINARY BASE64_DECODE_STRING CEIL CEILING CHECK_XML DATE FLOOR HEX_ENCODE INITCAP LAST_DAY
        LISTAGG LTRIM PARSE_JSON PARSE_URL PARSE_XML RTRIM SHA2 SHA2_BINARY SHA2_HEX STRTOK_TO_ARRAY TO_BINARY TO_CHAR
        TO_DATE TO_DOUBLE TO_TIME TO_TIMESTAMP TO_TIMESTAMP_LTZ TO_TIMESTAMP_NTZ TO_TIMESTAMP_TZ TO_VARCHAR TRIM TRUNC
        TRUNCATE TRY_BASE64_DECODE_BINARY TRY_BASE64_DECODE_STRING TRY_PARSE_JSON TRY_TO_BINARY TRY_TO_DATE
        TRY_TO_DOUBLE TRY_TO_TIME TRY_TO_TIMESTAMP TRY_TO_TIMESTAMP_LTZ TRY_TO_TIMESTAMP_NTZ TRY_TO_TIMESTAMP_TZ
    """,
    (1, 3): "APPROX_TOP_K ARRAY_SORT AS_DECIMAL AS_NUMBER BASE64_ENCODE LAG LEAD ROUND STRTOK",
    (1, 4): "TO_DECIMAL TO_NUMBER TO_NUMERIC TRY_TO_DECIMAL TRY_TO_NUMBER TRY_TO_NUMERIC",
    (1, None): """
        APPROX_COUNT_DISTINCT ARRAYS_ZIP CONCAT COUNT GREATEST GREATEST_IGNORE_NULLS GROUPING GROUPING_ID HASH
        HASH_AGG HLL LEAST LEAST_IGNORE_NULLS
    """,
    (2, 2): """
        ADD_MONTHS APPROX_PERCENTILE APPROX_TOP_K_ACCUMULATE ARRAYS_OVERLAP ARRAYS_TO_OBJECT ARRAY_APPEND ARRAY_CAT
        ARRAY_CONTAINS ARRAY_EXCEPT ARRAY_INTERSECTION ARRAY_POSITION ARRAY_PREPEND ARRAY_REMOVE ARRAY_REMOVE_AT
        ARRAY_REPEAT ARRAY_TO_STRING ATAN2 BITSHIFTLEFT BITSHIFTRIGHT BIT_SHIFTLEFT BIT_SHIFTRIGHT BOOLAND BOOLOR
        BOOLXOR COLLATE COMPRESS CONTAINS CORR COVAR_POP COVAR_SAMP DATE_PART DATE_TRUNC DECOMPRESS_BINARY
        DECOMPRESS_STRING DIV0 DIV0NULL ENDSWITH EQUAL_NULL GET GETBIT GET_IGNORE_CASE GET_PATH IFNULL
        JAROWINKLER_SIMILARITY JSON_EXTRACT_PATH_TEXT LEFT LOG MOD MONTHS_BETWEEN NEXT_DAY NTH_VALUE NULLIF NVL
        OBJECT_AGG POW POWER PREVIOUS_DAY RANDSTR REGR_AVGX REGR_AVGY REGR_COUNT REGR_INTERCEPT REGR_R2 REGR_SLOPE
        REGR_SXX REGR_SXY REGR_SYY REGR_VALX REGR_VALY REPEAT RIGHT SPLIT STARTSWITH
    """,
    (2, 3): """
        ARRAY_GENERATE_RANGE BITAND BITOR BITXOR BIT_AND BIT_OR BIT_XOR CHARINDEX CONVERT_TIMEZONE EDITDISTANCE LPAD
        MAX_BY MIN_BY PARSE_IP POSITION REGEXP_LIKE REPLACE RLIKE RPAD SUBSTR SUBSTRING XMLGET
    """,
    (2, 4): "REGEXP_COUNT",
    (2, 6): "REGEXP_EXTRACT_ALL REGEXP_REPLACE REGEXP_SUBSTR REGEXP_SUBSTR_ALL",
    (2, 7): """
        REGEXP_INSTR TIMESTAMPFROMPARTS TIMESTAMPLTZFROMPARTS TIMESTAMPNTZFROMPARTS TIMESTAMP_FROM_PARTS
        TIMESTAMP_LTZ_FROM_PARTS TIMESTAMP_NTZ_FROM_PARTS
    """,
    (2, None): "COALESCE CONCAT_WS MINHASH OBJECT_DELETE OBJECT_PICK",
    (3, 3): """
        ARRAY_INSERT ARRAY_SLICE DATEADD DATEDIFF DATEFROMPARTS DATE_FROM_PARTS IFF NORMAL NVL2 SPLIT_PART TIMEADD
        TIMEDIFF TIMESTAMPADD TIMESTAMPDIFF TRANSLATE UNIFORM ZIPF
    """,
    (3, 4): "OBJECT_INSERT TIMEFROMPARTS TIME_FROM_PARTS TIME_SLICE",
    (3, None): "DECODE",
    (4, 4): "HAVERSINE INSERT WIDTH_BUCKET",
    (6, 8): "TIMESTAMPTZFROMPARTS TIMESTAMP_TZ_FROM_PARTS",
}
"""Fewest and most arguments (None without a limit) → the functions."""

COUNTS: Mapping[str, Bounds] = {name: bounds for bounds, names in _NAMES.items() for name in names.split()}


def refused_count(tokens: Sequence[Token], at: int, sql: str) -> SqlError | None:
    """The refusal of the call whose name is the token `at`; None if it has as many arguments as the function takes.

    A star stands for any number of arguments, so that a call with one is not refused here.
    """
    name = tokens[at].text.upper()
    bounds = COUNTS.get(name)
    if bounds is None or (arguments := _arguments(tokens, at + 2)) is None:
        return None
    if name == "POSITION" and any(token.token_type is TokenType.IN for token in itertools.chain(*arguments)):
        return None
    (least, most), found = bounds, len(arguments)
    if least <= found and (most is None or found <= most):
        return None
    call = f"{name}({', '.join(_shown(one, sql) for one in arguments)})"
    place = f"error {position(tokens[at].start, sql)}\n"
    return wrong_count(call, least if found < least else most or 0, found, place)


def wrong_count(call: str, expected: int, got: int, place: str = "") -> SqlError:
    """000938 or 000939: a call with fewer or more arguments than expected; `place` is where it begins."""
    words, comma = ("not enough", ",") if got < expected else ("too many", "")
    return SqlError(
        f"SQL compilation error: {place}{words} arguments for function [{call}]{comma} expected {expected}, got {got}",
        938 if got < expected else 939,
        "22023",
    )


_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def _arguments(tokens: Sequence[Token], first: int) -> list[Sequence[Token]] | None:
    """The tokens of each argument from `first` on; None where their number does not tell how many the function gets."""
    arguments: list[Sequence[Token]] = []
    depth = 0
    for index in range(first, len(tokens)):
        kind = tokens[index].token_type
        if kind in _OPENING:
            depth += 1
        elif depth and kind in _CLOSING:
            depth -= 1
        elif not depth and kind in (TokenType.COMMA, TokenType.R_PAREN):
            if index > first or arguments or kind is TokenType.COMMA:
                arguments.append(tokens[first:index])
            if kind is TokenType.R_PAREN:
                return None if any(map(_is_uncounted, arguments)) else arguments
            first = index + 1
    return None


def _is_uncounted(argument: Sequence[Token]) -> bool:
    """Whether an argument is missing, stands for several, or is one of `needle IN text`."""
    if not argument:
        return True
    kinds = [token.token_type for token in argument]
    if kinds[0] in (TokenType.STAR, TokenType.DSTAR, TokenType.SELECT, TokenType.WITH):
        return True
    starred = (TokenType.DOT, TokenType.DISTINCT)
    return any(pair[0] in starred and pair[1] is TokenType.STAR for pair in itertools.pairwise(kinds))


def _shown(argument: Sequence[Token], sql: str) -> str:
    """An argument as accounts repeat it: names and words in capitals, one blank after a comma."""
    shown, end = "", argument[0].start
    for token in argument:
        written = sql[token.start : token.end + 1]
        shown += " " if token.start > end or shown.endswith(",") else ""
        shown += _word(token, written)
        end = token.end + 1
    return shown


def _word(token: Token, written: str) -> str:
    if token.token_type is TokenType.NULL:
        return "null"
    return written if written[:1] in ("'", '"', "$") else written.upper()
