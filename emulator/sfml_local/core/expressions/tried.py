"""TRY_CAST and TRY_TO_… take texts, and values that have the type already; others are refused by their types.

https://docs.snowflake.com/en/sql-reference/functions/try_cast
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import cast, kind, known_type, macro, stand_in, typed
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.stored_types import snowflake_type

_WHOLE = ("BIGINT", "HUGEINT")
"""Counts, lengths and the like, which are NUMBERs without places."""


def of_texts(found: Expr, value: Expr) -> Expr:
    """What a conversion found, for a value that may be converted to its type; others are refused."""
    target = known_type(found)
    if target is None or (isinstance(value, exp.Literal) and value.is_string):
        return found
    if isinstance(value, exp.Null):
        raise refused_cast("NULL", snowflake_type(target))
    if isinstance(value, exp.Literal):
        shown = _literal(value)
        if shown == snowflake_type(target):
            return found
        raise refused_cast(shown, snowflake_type(target))
    taken = ("VARCHAR", target, *(_WHOLE if target == "DECIMAL(38, 0)" else ()))
    taken = tuple(one.replace(", ", ",") for one in taken)
    if (type := known_type(value)) is not None:
        if type.replace(", ", ",") in taken:
            return found
        raise refused_cast(snowflake_type(type), snowflake_type(target))
    type_of_it = kind(stand_in(value))
    is_taken = exp.In(this=type_of_it, expressions=[exp.Literal.string(one) for one in taken])
    error = cast(macro("refused_try", type_of_it, snowflake_type(target)), target)
    return typed(exp.Case(ifs=[exp.If(this=is_taken, true=found)], default=error), target)


def _literal(number: exp.Literal) -> str:
    whole, _, places = number.name.partition(".")
    return f"NUMBER({len(whole + places)},{len(places)})" if (whole + places).isdigit() else "FLOAT"


def refused_cast(shown: str, target: str) -> SqlError:
    """The error for a value of a type and what it would be, as accounts name both."""
    words = f"Function TRY_CAST cannot be used with arguments of types {shown} and {target}"
    return SqlError(f"SQL compilation error:\n{words}", 1065, "22023")


def tried(builder: Builder) -> Builder:
    """The builder of a TRY_TO_… function."""

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return of_texts(builder(arguments, rewriting), arguments[0])

    return build
