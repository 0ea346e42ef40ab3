"""Results are read by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sfml.snowflake.sql import fetched


class Result:
    """A result whose reading is told."""

    def __init__(self, read: Callable[[], object]) -> None:
        self._read = read

    def fetchall(self) -> list[Any]:
        return [self._read()]


def test_a_second_thread_waits_for_the_first() -> None:
    is_reading, other_read = threading.Event(), threading.Event()

    def read_by_first() -> bool:
        is_reading.set()
        return other_read.wait(0.3)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(fetched, Result(read_by_first))  # type: ignore[arg-type]
        assert is_reading.wait(10)
        second = pool.submit(fetched, Result(other_read.set))  # type: ignore[arg-type]
        assert (first.result(10), second.result(10)) == ([False], [None])
