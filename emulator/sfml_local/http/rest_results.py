"""Answers that are fetched later by their handle: pages of long lists, and results after a 202.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/large-results
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfml_local.core.account import Account

HANDLES = 100
"""The most answers that are kept; the oldest are dropped first."""

ROWS = 100_000
"""The most rows of all kept answers; the latest answer is kept whatever its size."""


class KeptAnswers:
    """The pages of an account's answers, by handle."""

    def __init__(self, account: Account) -> None:
        self.by_handle: OrderedDict[str, list[Any]] = OrderedDict()


def keep(account: Account, pages: list[Any]) -> str:
    """Keep the pages of an answer; returns their handle."""
    handles = account.part(KeptAnswers).by_handle
    handle = str(uuid.uuid4())
    handles[handle] = pages
    rows = sum(map(_rows, handles.values()))
    while len(handles) > 1 and (len(handles) > HANDLES or rows > ROWS):
        rows -= _rows(handles.popitem(last=False)[1])
    return handle


def _rows(pages: list[Any]) -> int:
    return sum(len(page) if isinstance(page, list) else 1 for page in pages)


def kept(account: Account, handle: str) -> list[Any] | None:
    return account.part(KeptAnswers).by_handle.get(handle)


def pages(rows: list[Any], size: int) -> list[Any]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def link(path: str, page: int, count: int) -> str:
    """The `Link` header of a page, with the first, the neighbouring and the last page."""
    targets = {"first": 0, "next": page + 1, "prev": page - 1, "last": count - 1}
    return ",".join(
        f'<{path}?page={target}>; rel="{name}"' for name, target in targets.items() if 0 <= target < count
    )
