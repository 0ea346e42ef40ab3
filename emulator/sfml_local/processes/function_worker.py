"""The process that runs one Python function: `python -m sfml_local.processes.function_worker REQUEST`.

The file describes the function and names a socket. Each frame from there holds an Arrow table of arguments; each
answer is a column of texts, which the server casts to the declared type. It has no connection, because functions see
no session.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from sfml_local.processes import handler_classes, scoped_files
from sfml_local.processes.frames import ERROR, RESULT, packed, read_frame, unpacked, write_frame
from sfml_local.processes.function_values import Kinds, frame, narrowed, text, values
from sfml_local.processes.handler_classes import AGGREGATE, PARTITION, ROW, TABLE
from sfml_local.processes.tracing import begin as begin_tracing
from sfml_local.processes.worker import load_handler, open_imports, user_traceback


def main(request_file: str) -> int:
    request: dict[str, Any] = json.loads(Path(request_file).read_text(encoding="utf-8"))
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(request["socket"])
        with control.makefile("rb") as requests, control.makefile("wb") as answers:
            _serve(request, requests, answers)
    return 0


def _serve(request: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> None:
    handler: Callable[..., Any] | None = None
    while (asked := read_frame(requests)) is not None:
        try:
            if handler is None:
                sys.modules["_snowflake"] = _snowflake_module()
                begin_tracing(None)
                scoped_files.begin(has_session=False)
                open_imports(request["import_directory"])
                handler = load_handler(request["handler"], request["body"])
            write_frame(answers, RESULT, _answer(handler, request, asked[1]))
        except BaseException as error:
            told = user_traceback(error, __file__, handler_classes.__file__, scoped_files.__file__)
            print(told, file=sys.stderr, flush=True)
            write_frame(answers, ERROR, told.encode())


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


def _answer(handler: Any, request: dict[str, Any], given: bytes) -> bytes:
    import pyarrow as pa

    table = unpacked(given)
    kinds = request["arguments"]
    columns = [table.column(index).to_pylist() for index in range(len(kinds))]
    kind = request.get("kind")
    if kind == TABLE:
        return packed(_table(handler, request, columns, table.column(PARTITION).to_pylist()))
    if kind == AGGREGATE:
        groups = zip(*columns, strict=True)
        results = handler_classes.aggregated(handler, groups, kinds, request["strict"])
    else:
        results = _by_row(handler, columns, request, table.num_rows)
    texts = [text(value, request["returns"]) for value in results]
    return packed(pa.table({"result": pa.array(texts, pa.string())}))


def _table(handler: Any, request: dict[str, Any], columns: list[list[Any]], partitions: list[int]) -> Any:
    """A column of texts for each declared column, and the row and the partition of each row."""
    import pyarrow as pa

    lengths = [len(list(rows)) for _, rows in itertools.groupby(partitions)]
    rows = list(handler_classes.table_rows(handler, columns, request, lengths))
    answer = {
        ROW: pa.array([row for row, _, _ in rows], pa.int64()),
        PARTITION: pa.array([partition for _, partition, _ in rows], pa.int64()),
    }
    for index, kind in enumerate(request["returns"]):
        answer[f"c{index}"] = pa.array([text(given[index], kind) for _, _, given in rows], pa.string())
    return pa.table(answer)


def _by_row(handler: Any, columns: list[list[Any]], request: dict[str, Any], count: int) -> list[Any]:
    kinds = request["arguments"]
    typed = [values(column, *kind) for column, kind in zip(columns, kinds, strict=True)]
    if getattr(handler, "_sf_vectorized_input", None) is not None:
        return _whole(handler, typed, kinds, count)
    rows = zip(*typed, strict=True) if typed else ((),) * count
    return [None if request["strict"] and None in row else handler(*row) for row in rows]


def _whole(handler: Any, columns: list[list[Any]], kinds: Kinds, count: int) -> list[Any]:
    """The results, by batch, of a function that takes a data frame with numbered columns."""
    import pandas as pd

    whole = narrowed(frame(columns, kinds, range(len(columns))))
    size = getattr(handler, "_sf_max_batch_size", None) or max(count, 1)
    found: list[Any] = []
    for start in range(0, count, size):
        batch = whole.iloc[start : start + size].reset_index(drop=True)
        returned = list(pd.Series(handler(batch)))
        # One value is that of each row of the batch, as tests of Snowpark record it.
        found += returned * min(size, count - start) if len(returned) == 1 else returned
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
