"""Classes that handle table functions and aggregate functions.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-tabular-functions
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-tabular-vectorized
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-aggregate-functions
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sfml_local.processes.function_values import Kinds, frame, values

TABLE, AGGREGATE = "table", "aggregate"
"""Kinds of requests whose handler is a class."""

ROW, PARTITION = "row", "partition"
"""Columns of a table function's answer: the row of each row (none at the end of a partition), and its partition."""

TableRow = tuple[int | None, int, tuple[Any, ...]]
"""The row of the arguments, the partition, and the values of the declared columns."""


def table_rows(
    handler: Callable[[], Any], columns: Sequence[Sequence[Any]], request: Any, lengths: Sequence[int]
) -> Iterator[TableRow]:
    """What an instance of the class for each partition answers; `lengths` are the partitions' numbers of rows."""
    width, kinds = len(request["returns"]), request["arguments"]
    typed = [values(column, *kind) for column, kind in zip(columns, kinds, strict=True)]
    start = 0
    for number, length in enumerate(lengths):
        part = [column[start : start + length] for column in typed]
        for row, answer in _rows_of(handler(), part, request, length):
            if len(answer) != width:
                raise ValueError(
                    f"a row of {len(answer)} values was returned, RETURNS TABLE declares {width}"
                )
            yield (None if row is None else start + row), number, answer
        start += length


def _rows_of(
    instance: Any, part: list[list[Any]], request: Any, length: int
) -> Iterator[tuple[int | None, tuple[Any, ...]]]:
    kinds = request["arguments"]
    process: Any = getattr(instance, "process", None)
    end: Any = getattr(instance, "end_partition", None)
    if process is None and end is None:
        raise AttributeError(
            f"the handler class {type(instance).__name__} has no method process or end_partition"
        )
    if _is_vectorized(end):
        yield from ((None, row) for row in _frame_rows(end(frame(part, kinds, request["names"]))))
        return
    if _is_vectorized(process):
        yield from _batches(process, part, kinds, request["names"], length)
    elif process is not None:
        given = zip(*part, strict=True) if part else ((),) * length
        for number, arguments in enumerate(given):
            if request["strict"] and None in arguments:
                yield number, (None,) * len(request["returns"])
            else:
                yield from ((number, _tuple(row)) for row in process(*arguments) or ())
    if end is None:
        return
    if _is_vectorized(process):
        yield from ((None, row) for row in _frame_rows(end()))
    else:
        yield from ((None, _tuple(row)) for row in end() or ())


def _is_vectorized(method: Any) -> bool:
    return getattr(method, "_sf_vectorized_input", None) is not None


def _batches(
    process: Any, part: list[list[Any]], kinds: Kinds, names: Sequence[str], length: int
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """A row for each row, batch by batch."""
    whole = frame(part, kinds, names)
    size = getattr(process, "_sf_max_batch_size", None) or max(length, 1)
    for start in range(0, length, size):
        batch = whole.iloc[start : start + size].reset_index(drop=True)
        answered = list(_frame_rows(process(batch)))
        if len(answered) != len(batch):
            raise ValueError(f"a vectorized process returned {len(answered)} rows for {len(batch)}")
        yield from enumerate(answered, start)


def _frame_rows(answer: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a data frame, of a tuple or list of its columns, or of several of these."""
    import pandas as pd

    if answer is None:
        return
    if isinstance(answer, pd.DataFrame):
        columns: list[Any] = [answer.iloc[:, index] for index in range(answer.shape[1])]
    elif isinstance(answer, tuple | list):
        columns = list(answer)
    else:
        for one in answer:
            yield from _frame_rows(one)
        return
    yield from zip(*(pd.Series(column).tolist() for column in columns), strict=True)


def _tuple(row: Any) -> tuple[Any, ...]:
    if not isinstance(row, tuple | list):
        raise TypeError(f"a row of a table function is a tuple; {type(row).__name__} was returned")
    return tuple(row)


def aggregated(
    handler: Callable[[], Any], groups: Iterable[Sequence[Sequence[Any]]], kinds: Kinds, strict: bool
) -> list[Any]:
    """The value for each group, whose arguments are lists."""
    found = []
    for lists in groups:
        typed = [values(one or (), *kind) for one, kind in zip(lists, kinds, strict=True)]
        rows = [row for row in zip(*typed, strict=True) if not (strict and None in row)]
        found.append(_aggregate(handler, rows))
    return found


def _aggregate(handler: Callable[[], Any], rows: Sequence[tuple[Any, ...]]) -> Any:
    """The value of one group: of two instances that are merged, because an account merges those of its nodes."""
    half = len(rows) // 2
    whole = _accumulated(handler, rows[half:])
    if half:
        other = _accumulated(handler, rows[:half])
        whole.merge(pickle.loads(pickle.dumps(other.aggregate_state)))
    return whole.finish()


def _accumulated(handler: Callable[[], Any], rows: Sequence[tuple[Any, ...]]) -> Any:
    instance = handler()
    for row in rows:
        instance.accumulate(*row)
    return instance
