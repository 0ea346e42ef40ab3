"""The type that values of several types have in common, as Snowflake chooses it."""

from __future__ import annotations

import re

_PLACES = re.compile(r"DECIMAL\(\d+, ?(\d+)\)")


def places_of(type: str) -> int | None:
    """The decimal places of a DECIMAL, by DuckDB's name of the type; None for other types."""
    found = _PLACES.fullmatch(type)
    return None if found is None else int(found[1])


def common_type(chosen: str | None, *types: str | None) -> str:
    """The common type, as JSON text: what DuckDB chose, but with as many decimal places as any of the types.

    Where digits and places together are more than 38, DuckDB keeps the digits and rounds, Snowflake keeps the places.
    """
    type = chosen or "VARCHAR"
    mine = places_of(type)
    most = max((places_of(one or "") or 0 for one in types), default=0)
    return f'"{type}"' if mine is None or most <= mine else f'"DECIMAL(38,{most})"'
