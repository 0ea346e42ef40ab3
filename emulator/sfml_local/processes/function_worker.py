"""The process that runs one Python function; requests come over its standard input.

The first frame describes the function, each further one holds an Arrow table of arguments; each answer is a column
of texts, which the server casts to the declared type. It has no connection, because functions see no session.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any

from sfml_local.processes.frames import ERROR, RESULT, packed, read_frame, unpacked, write_frame
from sfml_local.processes.worker import load_handler, open_imports, user_traceback

_JSON = ("variant", "object", "array")


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the function prints must not mix with the answers
    first = read_frame(requests)
    if first is None:
        return
    request: dict[str, Any] = json.loads(first[1])
    handler: Callable[..., Any] | None = None
    while (frame := read_frame(requests)) is not None:
        try:
            if handler is None:
                sys.modules["_snowflake"] = _snowflake_module()
                open_imports(request["import_directory"])
                handler = load_handler(request["handler"], request["body"])
            write_frame(answers, RESULT, _answer(handler, request, frame[1]))
        except BaseException as error:
            text = user_traceback(error, __file__)
            print(text, file=sys.stderr, flush=True)
            write_frame(answers, ERROR, text.encode())


def _snowflake_module() -> ModuleType:
    """Snowflake's `_snowflake`, as far as functions use it: the decorator for functions of whole data frames.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
    """
    module = ModuleType("_snowflake")

    def vectorized(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def marked(function: Callable[..., Any]) -> Callable[..., Any]:
            function._sf_vectorized_input = options.get("input")  # type: ignore[attr-defined]
            function._sf_max_batch_size = options.get("max_batch_size")  # type: ignore[attr-defined]
            return function

        return marked

    module.vectorized = vectorized  # type: ignore[attr-defined]
    return module


def _answer(handler: Callable[..., Any], request: dict[str, Any], given: bytes) -> bytes:
    import pyarrow as pa

    table = unpacked(given)
    kinds = request["arguments"]
    columns = [_values(table.column(index).to_pylist(), *kind) for index, kind in enumerate(kinds)]
    if getattr(handler, "_sf_vectorized_input", None) is not None:
        values = _whole(handler, columns, kinds, table.num_rows)
    else:
        rows = zip(*columns, strict=True) if columns else ((),) * table.num_rows
        strict = request["strict"]
        values = [None if strict and None in row else handler(*row) for row in rows]
    texts = [_text(value, request["returns"]) for value in values]
    answer = pa.table({"result": pa.array(texts, pa.string())})
    return packed(answer)


def _values(values: list[Any], kind: str, scale: int | None) -> list[Any]:
    if kind in _JSON:
        return [None if value is None else json.loads(value) for value in values]
    if kind == "fixed" and not scale:
        return [None if value is None else int(value) for value in values]
    return values


def _whole(handler: Any, columns: list[list[Any]], kinds: Sequence[Sequence[Any]], count: int) -> list[Any]:
    """The results, by batch, of a function that takes a data frame with numbered columns."""
    import pandas as pd

    # Integers with NULLs are floats in pandas; decimals stay unchanged.
    frame = pd.DataFrame({index: pd.Series(column) for index, column in enumerate(columns)})
    for index, (kind, _) in enumerate(kinds):
        if kind == "real":
            frame[index] = frame[index].astype("float64")
    size = getattr(handler, "_sf_max_batch_size", None) or max(count, 1)
    found: list[Any] = []
    for start in range(0, count, size):
        returned = handler(frame.iloc[start : start + size].reset_index(drop=True))
        found += list(pd.Series(returned))
    return found


def _text(value: Any, kind: str) -> str | None:
    """A result as a text that SQL casts to the declared type."""
    if hasattr(value, "item") and not isinstance(value, bytes):
        value = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
    if value is None or (kind not in ("real", "text") and value != value):  # pandas' NaN and NaT are NULL
        return None
    if kind in _JSON:
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


if __name__ == "__main__":
    main()
