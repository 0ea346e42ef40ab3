"""Values of functions: columns of arguments as a handler gets them, and its results as texts that SQL casts.

https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

JSON = ("variant", "object", "array")

Kinds = Sequence[Sequence[Any]]
"""The type and the scale of each argument."""


def values(column: Iterable[Any], kind: str, scale: int | None) -> list[Any]:
    """The values of one argument as Python values of its declared type."""
    if kind in JSON:
        return [None if value is None else json.loads(value) for value in column]
    if kind == "fixed" and not scale:
        return [None if value is None else int(value) for value in column]
    return list(column)


def frame(columns: Sequence[Sequence[Any]], kinds: Kinds, names: Sequence[Any]) -> Any:
    """A pandas data frame of arguments; integers with NULLs are floats in it, decimals stay unchanged."""
    import pandas as pd

    made = pd.DataFrame({name: pd.Series(column) for name, column in zip(names, columns, strict=True)})
    for name, (kind, _) in zip(names, kinds, strict=True):
        if kind == "real":
            made[name] = made[name].astype("float64")
    return made


def narrowed(given: Any) -> Any:
    """Integers of a data frame in the smallest type that holds them.

    So functions of data frames get them, but not table functions, as tests of Snowpark record both.
    """
    import numpy as np
    import pandas as pd

    for name in given.columns:
        if given[name].dtype == np.int64:
            given[name] = pd.to_numeric(given[name], downcast="integer")
    return given


def text(value: Any, kind: str) -> str | None:
    """A result as a text that SQL casts to the declared type."""
    if hasattr(value, "item") and not isinstance(value, bytes):
        value = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
    if value is None or (kind not in ("real", "text") and value != value):  # pandas' NaN and NaT are NULL
        return None
    if kind in JSON:
        return json.dumps(value, ensure_ascii=False, default=str)
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "binary":
        return bytes(value).hex()
    if isinstance(value, bool):
        return "1" if kind in ("fixed", "real") else "true" if value else "false"
    if isinstance(value, float) and kind == "fixed":
        return format(Decimal(repr(value)), "f")
    return str(value)
