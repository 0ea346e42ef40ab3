"""The Python functions that DuckDB calls, by the name that it knows them under."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from sfml_local.core.expressions import conversions, exact_numbers, semi_structured_functions, text_functions
from sfml_local.core.expressions.common_type import common_type
from sfml_local.core.expressions.number_rules import result_type
from sfml_local.core.expressions.refusals import Refusal, argument_refusal
from sfml_local.core.expressions.variants import text_of, value_of

Call = Callable[..., Any]


class Function(NamedTuple):
    """One function: its result type in DuckDB, whether it is volatile, and whether it takes columns of Arrow."""

    name: str
    call: Call
    returns: str = "VARCHAR"
    volatile: bool = False
    of_columns: bool = False


_ARROW = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "BLOB": pa.binary(),
    "DATE": pa.date32(), "TIME": pa.time64("us"), "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}  # fmt: skip


def register(duck: duckdb.DuckDBPyConnection) -> list[Any]:
    """Register the functions for all connections; the returned objects must live as long as the functions."""
    connection: Any = duck
    connection.create_function(
        "sf_result_type", result_type, ["VARCHAR"] * 3, "VARCHAR", null_handling="special"
    )
    for function, rows in _all():
        connection.create_function(
            function.name, rows, None, function.returns, type="arrow", null_handling="special",
            side_effects=function.volatile,
        )  # fmt: skip
    return [rows for _, rows in _all()]


@cache
def _all() -> tuple[tuple[Function, Call], ...]:
    """Each function, and the one that DuckDB calls with Arrow arrays; made once for all servers of a process."""
    return tuple((function, _by_rows(function)) for function in functions())


_ANY_ARGUMENTS = inspect.Signature([inspect.Parameter("columns", inspect.Parameter.VAR_POSITIONAL)])
"""DuckDB asks each function for its signature, and working it out takes as long as the rest of a registration."""


def _by_rows(function: Function) -> Call:
    kind, call = _ARROW[function.returns], function.call

    def rows(*columns: pa.Array) -> pa.Array:
        if function.of_columns:
            return call(*columns)
        values: tuple[Any, ...] = ()
        try:
            return pa.array(
                [call(*(values := row)) for row in zip(*(c.to_pylist() for c in columns), strict=True)], kind
            )
        except RecursionError:
            raise Refusal(1003, "54001", "The value is nested too deeply for the local server.") from None
        except (TypeError, AttributeError, ValueError, ArithmeticError) as cause:
            raise argument_refusal(function.name, values, cause) from None

    rows.__signature__ = _ANY_ARGUMENTS  # type: ignore[attr-defined]
    return rows


def trying(call: Call) -> Call:
    """The function with NULL in place of a refusal."""

    @wraps(call)
    def tried(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Refusal:
            return None

    return tried


def _on_variants(call: Call) -> Call:
    """A function of variants; DuckDB calls it with each argument and its type."""

    @wraps(call)
    def called(*arguments: Any) -> Any:
        return call(*map(value_of, arguments[::2], arguments[1::2]))

    return called


def _as_json(call: Call) -> Call:
    @wraps(call)
    def written(*arguments: Any) -> str | None:
        return text_of(call(*arguments))

    return written


CONVERSIONS: dict[str, tuple[Call, str]] = {
    "to_text": (conversions.to_text, "VARCHAR"),
    "to_number": (conversions.to_number, "VARCHAR"),
    "to_double": (conversions.to_double, "DOUBLE"),
    "to_boolean": (conversions.to_boolean, "BOOLEAN"),
    "to_binary": (conversions.to_binary, "BLOB"),
    "to_date": (conversions.to_date, "DATE"),
    "to_time": (conversions.to_time, "TIME"),
    "to_ntz": (conversions.to_ntz, "TIMESTAMP"),
    "to_ltz": (conversions.to_ltz, "TIMESTAMPTZ"),
    "hex_decode": (text_functions.hex_decode, "BLOB"),
    "base64_decode": (text_functions.base64_decode, "BLOB"),
    "utf8": (text_functions.utf8, "VARCHAR"),
}
"""The functions with a TRY_ form."""

JSON_ANSWERS = (
    *("array_construct", "array_construct_compact", "object_construct", "object_construct_keep_null"),
    *("array_generate_range", "array_repeat", "array_append", "array_prepend", "array_cat", "array_compact"),
    *(
        "array_distinct",
        "array_except",
        "array_intersection",
        "array_flatten",
        "array_insert",
        "array_remove",
    ),
    *(
        "array_remove_at",
        "array_reverse",
        "array_slice",
        "array_sort",
        "array_max",
        "array_min",
        "arrays_to_object",
    ),
    *(
        "arrays_zip",
        "to_array",
        "array_union",
        "object_insert",
        "object_delete",
        "object_pick",
        "object_keys",
    ),
    *("object_merge", "object_of_pairs", "to_object", "get", "get_ignore_case", "get_path", "as_of"),
    *("strip_null_value", "parse_json", "split", "strtok_to_array", "parse_url", "parse_ip"),
)
OTHER_ANSWERS = {
    "array_contains": "BOOLEAN", "array_position": "BIGINT", "arrays_overlap": "BOOLEAN", "array_size": "BIGINT",
    "array_to_string": "VARCHAR", "typeof": "VARCHAR", "is_of": "BOOLEAN", "as_text": "VARCHAR",
    "check_json": "VARCHAR", "to_json": "VARCHAR", "flat_rows": "VARCHAR", "whole_number": "VARCHAR",
    "real_number": "DOUBLE",
}  # fmt: skip
TEXTS = {
    "trimmed": "VARCHAR", "padded": "VARCHAR", "padded_bytes": "BLOB", "strtok": "VARCHAR", "soundex": "VARCHAR",
    "soundex_p123": "VARCHAR", "edit_distance": "BIGINT", "jaro_winkler": "BIGINT", "initcap": "VARCHAR",
    "translated": "VARCHAR", "inserted": "VARCHAR", "hex_encode": "VARCHAR", "base64_encode": "VARCHAR",
    "sha2": "VARCHAR", "sha1": "VARCHAR", "md5": "VARCHAR", "md5_number": "VARCHAR", "regexp_like": "BOOLEAN",
    "regexp_substr": "VARCHAR", "regexp_count": "BIGINT", "regexp_instr": "BIGINT", "regexp_replace": "VARCHAR",
    "width_bucket": "BIGINT", "months_between": "DOUBLE", "checked_float": "DOUBLE", "changes": "BIGINT",
    "rounded": "VARCHAR", "stepped": "VARCHAR", "type_name": "VARCHAR",
}  # fmt: skip
VOLATILE = {"randstr": "VARCHAR", "zipf": "BIGINT", "normal": "DOUBLE", "share": "DOUBLE"}


def functions() -> Iterator[Function]:
    """All functions."""
    for name, (call, returns) in CONVERSIONS.items():
        yield Function(f"sf_{name}", call, returns)
        yield Function(f"sf_try_{name}", trying(call), returns)
    for name in JSON_ANSWERS:
        call = _as_json(_on_variants(getattr(semi_structured_functions, name)))
        yield Function(f"sf_{name}", call)
    yield Function("sf_try_parse_json", trying(_as_json(_on_variants(semi_structured_functions.parse_json))))
    yield Function("sf_to_variant", _as_json(_on_variants(lambda value: value)))
    yield Function("sf_variant_text", conversions.variant_text)
    yield Function("sf_shown", conversions.shown)
    yield Function("sf_common_type", common_type)
    for call in (exact_numbers.quotient, exact_numbers.product, exact_numbers.mean_in_frame):
        yield Function(f"sf_{call.__name__}", call, of_columns=True)
    yield Function("sf_regexp_substr_all", _as_json(text_functions.regexp_substr_all))
    for name, returns in OTHER_ANSWERS.items():
        yield Function(f"sf_{name}", _on_variants(getattr(semi_structured_functions, name)), returns)
    for name, returns in TEXTS.items():
        yield Function(f"sf_{name}", getattr(text_functions, name), returns)
    for name, returns in VOLATILE.items():
        yield Function(f"sf_{name}", getattr(text_functions, name), returns, volatile=True)
