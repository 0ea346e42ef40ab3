"""Answers that are fetched afterwards, by handle: the pages of long lists, and what a 202 was for.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/large-results
"""

from __future__ import annotations

import os
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from sfml_local.core.account import Account

PAGE = int(os.environ.get("SFML_LOCAL_REST_PAGE", "1000"))
"""Rows of one page: a longer list comes with a `Link` header. How many an account takes is not documented."""

HANDLES = 100
"""How many answers are kept; the oldest goes first."""

ROWS = 100_000
"""How many rows they may have together; the latest answer is kept whatever its size."""

_kept: WeakKeyDictionary[Account, OrderedDict[str, list[Any]]] = WeakKeyDictionary()


def keep(account: Account, pages: list[Any]) -> str:
    """Keep the pages of an answer; answers their handle."""
    handles = _kept.setdefault(account, OrderedDict())
    handle = str(uuid.uuid4())
    handles[handle] = pages
    rows = sum(map(_rows, handles.values()))
    while len(handles) > 1 and (len(handles) > HANDLES or rows > ROWS):
        rows -= _rows(handles.popitem(last=False)[1])
    return handle


def _rows(pages: list[Any]) -> int:
    return sum(len(page) if isinstance(page, list) else 1 for page in pages)


def kept(account: Account, handle: str) -> list[Any] | None:
    return _kept.get(account, OrderedDict()).get(handle)


def pages(rows: list[Any]) -> list[Any]:
    return [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)]


def link(path: str, page: int, count: int) -> str:
    """The `Link` header of a page: where the first, the neighbouring and the last one are."""
    targets = {"first": 0, "next": page + 1, "prev": page - 1, "last": count - 1}
    return ",".join(
        f'<{path}?page={target}>; rel="{name}"' for name, target in targets.items() if 0 <= target < count
    )
