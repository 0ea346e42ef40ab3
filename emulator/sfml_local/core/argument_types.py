"""Refusals of types by DuckDB in Snowflake's words: `Invalid argument types for function '+': (BOOLEAN, NUMBER(1,0))`.

DuckDB has its own functions for some of Snowflake's, so the statement tells which of these was called. Its types of
literals have no length: that is taken from the statement where all its literals have the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions import refusals

_NO_FUNCTION = re.compile(
    r"Binder Error: (?:No function matches the given name and argument types '"
    r"|Could not choose a best candidate function for the function call \")"
    r"([^\s(]+)\((.*?)\)['\"]\. "
)
_UNLIKE = re.compile(
    r"Binder Error: Cannot (?:compare values of type|mix values of type|combine types of) (.+?)"
    r" and (?:type )?(.+?)(?: in .*?)? - an explicit cast is required"
)
_NO_VARIANT = re.compile(
    r"Conversion Error: Failed to cast value to \w+: (.*?)(?: when casting from|\n|$)", re.DOTALL
)
_NO_MOMENT = re.compile(
    r"Conversion Error: Unable to cast '(.*)' to ([A-Z ]+?)(?: when casting from|\n|$)", re.DOTALL
)
_UNREAD = re.compile(
    r"Conversion Error: (?:invalid )?(\w+) field (?:format|value out of range): \"(.*?)\", exp", re.DOTALL
)
_NO_JSON = re.compile(r"Conversion Error: Malformed JSON .*?Input: \"(.*?)\"(?: when|\n|$)", re.DOTALL)
_NO_DECIMAL = re.compile(r"The string '(.*?)' is not a valid decimal", re.DOTALL)
_NO_ZONE = re.compile(r"Unknown TimeZone '(.*?)'!", re.DOTALL)
_NULL = re.compile(r'The "(.*?)" argument in function "(.*?)" must not be NULL')
_NO_CAST = re.compile(r"Conversion Error: Unimplemented type for cast \((.+?) -> (.+?)\)")
_NO_TRUTH = re.compile(r"Could not convert string ['\"](.*)['\"] to BOOL\b", re.DOTALL)
_WHOLE = re.compile(r"(?<![\w.])\d+(?![\w.])")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_TYPE = re.compile(r"[^,(]+(?:\(.*?\))?")

_CALLED: Mapping[str, str] = {
    "~~": "LIKE", "!~~": "LIKE", "~~*": "ILIKE", "!~~*": "ILIKE", "~": "BITNOT", "&": "BITAND", "|": "BITOR",
    "xor": "BITXOR", "<<": "BITSHIFTLEFT", ">>": "BITSHIFTRIGHT", "strpos": "POSITION", "starts_with": "STARTSWITH",
    "length": "LENGTH LEN", "ends_with": "ENDSWITH", "substring": "SUBSTR", "time_bucket": "TIME_SLICE",
    "quantile_cont": "PERCENTILE_CONT APPROX_PERCENTILE",
    "strftime": "MONTHNAME DAYNAME TO_CHAR", "isodow": "NEXT_DAY PREVIOUS_DAY DAYOFWEEKISO", "dayofweek": "DAYOFWEEK",
    "round": "ROUND DATEADD TIMEADD TIMESTAMPADD ADD_MONTHS", "ln": "LN LOG", "power": "POWER POW SQUARE",
    "date_diff": "DATEDIFF TIMEDIFF TIMESTAMPDIFF", "isoyear": "YEAROFWEEKISO YEAROFWEEK", "skewness": "SKEW",
    "round_even": "ROUND", "microsecond": "DATE_PART EXTRACT", "millisecond": "DATE_PART EXTRACT",
    "make_date": "DATE_FROM_PARTS", "%": "MOD %", "json_extract": "GET_PATH GET", "timezone": "CONVERT_TIMEZONE",
}  # fmt: skip
"""DuckDB's function → those of Snowflake's that become it, in capitals."""

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "NUMBER(38,0)"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "FLOAT"),
    "VARCHAR": "VARCHAR(16777216)", "BLOB": "BINARY(8388608)", "JSON": "VARIANT", "TIME": "TIME(9)", '"NULL"': "NULL",
    "TIMESTAMP": "TIMESTAMP_NTZ(9)", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_LTZ(9)",
}  # fmt: skip


def refused_types(message: str, statement: str) -> SqlError | None:
    """The account's error for types, or a text as a truth value, that DuckDB refuses; None for other messages."""
    if (found := _NO_FUNCTION.match(message)) is not None:
        name = _called(found[1], found[2], statement)
        types = [_named(type, statement) for type in _TYPE.findall(found[2]) if "INTERVAL" not in type]
        if name in ("DAYNAME", "MONTHNAME"):
            del types[1:]
        if found[1] == "date_diff":
            del types[0]
        words = f"Invalid argument types for function '{name}'"
        return SqlError(f"SQL compilation error:\n{words}: ({', '.join(types)})", 1044, "42P13")
    if (found := _UNLIKE.match(message) or _NO_CAST.search(message)) is not None:
        left, right = (_named(type, statement) for type in found.groups())
        words = f"Can not convert parameter of type [{left}] into expected type [{right}]"
        return SqlError(f"SQL compilation error:\n{words}", 1038, "22023")
    if (found := _NO_TRUTH.search(message)) is not None:
        return SqlError(f"Boolean value '{found[1]}' is not recognized", 100037, "22018")
    return _null_refused(message, statement) or _refused_value(message)


def _null_refused(message: str, statement: str) -> SqlError | None:
    found = _NULL.search(message)
    if found is None:
        return None
    return not_emulated(f"{_called(found[2], '', statement)} with NULL as its {found[1]}")


def _refused_value(message: str) -> SqlError | None:
    """The account's error for a value that DuckDB cannot convert."""
    if (found := _NO_DECIMAL.search(message)) is not None:
        return _error(refusals.not_a_number(found[1]))
    if (found := _NO_VARIANT.search(message)) is not None:
        return SqlError(f"Failed to cast variant value {found[1]} to FIXED", 100071, "22000")
    if (found := _NO_MOMENT.search(message)) is not None:
        type = _named(found[2], "").removesuffix("(9)")
        return SqlError(f"Failed to cast variant value {found[1]} to {type}", 100071, "22000")
    if (found := _UNREAD.search(message)) is not None and found[1] in _MOMENTS:
        return _error(_MOMENTS[found[1]](found[2]))
    if (found := _NO_JSON.search(message)) is not None:
        return not_emulated(
            f"a text ('{found[1]}') beside a VARIANT in one comparison or column",
            "write variant::VARCHAR or TO_VARIANT(text)",
        )
    if (found := _NO_ZONE.search(message)) is not None:
        return SqlError(f"Unknown timezone: '{found[1]}'", 100094, "22000")
    return None


_MOMENTS = {"date": refusals.not_a_date, "time": refusals.not_a_time, "timestamp": refusals.not_a_timestamp}


def _error(refusal: refusals.Refusal) -> SqlError:
    code, state, sentence = refusals.found(str(refusal)) or (0, "", "")
    return SqlError(sentence, code, state)


def _called(name: str, types: str, statement: str) -> str:
    if name == "-" and "," not in types:
        return "NEGATE"
    names = ["DATEADD"] if "INTERVAL" in types and name == "+" else _CALLED.get(name, name.upper()).split()
    return next((one for one in names if one in statement.upper()), names[-1] if name == "%" else names[0])


def _named(type: str, statement: str) -> str:
    type = type.strip()
    if type == "INTEGER_LITERAL":
        return f"NUMBER({_length(_WHOLE.findall(_TEXT.sub('', statement)), 38)},0)"
    if type == "STRING_LITERAL":
        return f"VARCHAR({_length(_TEXT.findall(statement), 16777216)})"
    return _TYPES.get(type) or re.sub(r"DECIMAL\((\d+), ?(\d+)\)", r"NUMBER(\1,\2)", type)


def _length(literals: list[str], most: int) -> int:
    lengths = {len(one) for one in literals}
    return lengths.pop() if len(lengths) == 1 else most
