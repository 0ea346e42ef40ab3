"""Objects of an account from SHOW. Each list is read only once, even if several threads need it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from sfml.base.errors import AccountError
from sfml.base.quoting import dotted, literal, raw
from sfml.base.record import record
from sfml.graph.model import Target
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

Row = Mapping[str, Any]

MOST_ROWS = 10_000
"""The maximum number of rows of SHOW: https://docs.snowflake.com/en/sql-reference/sql/show"""

_PARTS = re.compile(r'"(?:[^"]|"")+"|[^.]+', re.DOTALL)
NO_SUCH_PLACE = ("002003", "2003", "002043", "2043")
"""Error codes of SHOW for a schema that does not exist."""


@record
class Listing:
    """One SHOW command, with the columns that form an object's name, and the `place` that contains its objects.

    With a `category`, only its rows count; listings that differ only in this share their lists.
    """

    command: str
    columns: tuple[str, ...]
    place: str = ""
    category: str = ""


class ShownObjects:
    """Reads objects with SHOW; `lookups` are all names that will be looked up, which keeps the lists short."""

    def __init__(
        self, connection: SnowflakeConnection, target: Target, lookups: Iterable[tuple[Listing, str]]
    ) -> None:
        self._connection = connection
        self._target = target
        self._names: dict[str, list[str]] = {}
        for listing, name in lookups:
            names = self._names.setdefault(listing.command, [])
            if name not in names:
                names.append(name)
        self._answers: dict[str, Future[list[dict[str, Any]]]] = {}
        self._asking = threading.Lock()

    def row(self, listing: Listing, name: str) -> Row | None:
        """The row of the object with this name (qualified if the listing has a place); None if there is none.

        If a list has the maximum length, it may be incomplete; then a missing name is queried again with LIKE.
        """
        shown = self._rows(self._statement(listing))
        found = _row_in(shown, listing, name)
        if found is None and len(shown) >= MOST_ROWS:
            return _row_in(self._rows(_show(listing, like=name, within=name)), listing, name)
        return found

    def _statement(self, listing: Listing) -> str:
        """The statement for all names of the command: for their place, or for the account if there are several."""
        names = self._names[listing.command]
        # The local Snowflake shows a compute pool for any name in LIKE, so its whole list is read.
        like = names[0] if len(names) == 1 and not self._target.is_local else None
        within = names[0] if len({tuple(_parts(name)[:-1]) for name in names}) == 1 else None
        return _show(listing, like=like, within=within)

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        with self._asking:
            is_first = sql not in self._answers
            answer = self._answers.setdefault(sql, Future())
        if is_first:
            try:
                answer.set_result(self._asked(sql))
            except BaseException as error:  # other threads that wait for this list get the error, too
                answer.set_exception(error)
        return answer.result()

    def _asked(self, sql: str) -> list[dict[str, Any]]:
        try:
            return records(self._connection, sql, role=self._target.owner_role)
        except AccountError as error:
            if error.code not in NO_SUCH_PLACE:
                raise
            return []  # a missing schema contains no objects


def _show(listing: Listing, *, like: str | None, within: str | None) -> str:
    pattern = f" LIKE {literal(raw(_parts(like)[-1]))}" if like else ""
    if not listing.place:
        return f"SHOW {listing.command}{pattern}"
    if within is None:
        return f"SHOW {listing.command}{pattern} IN ACCOUNT"
    return f"SHOW {listing.command}{pattern} IN {listing.place} {dotted('.'.join(_parts(within)[:-1]))}"


def _row_in(rows: Iterable[Row], listing: Listing, name: str) -> Row | None:
    """The row with exactly this name; LIKE alone treats `_` as a wildcard and ignores case."""
    wanted = tuple(raw(part) for part in _parts(name))
    for row in rows:
        if listing.category and str(row.get("category")) != listing.category:
            continue
        if tuple(str(row[column]) for column in listing.columns) == wanted:
            return row
    return None


def _parts(name: str) -> list[str]:
    """The parts of a dotted name, as written."""
    return _PARTS.findall(name)
