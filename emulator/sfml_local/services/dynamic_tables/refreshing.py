"""Refreshes one dynamic table: the rows of its query replace its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import does_not_exist
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.services.dynamic_tables.model import DynamicTable
from sfml_local.services.dynamic_tables.sources import Place, base_tables, sources_of
from sfml_local.services.objects import change_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.names import ObjectName
    from sfml_local.core.session import Session

FULL, NO_DATA, REINITIALIZE = "FULL", "NO_DATA", "REINITIALIZE"


@dataclass(frozen=True, slots=True)
class Refilled:
    """The result of a refresh; `seen` holds the versions of the tables that it read."""

    action: str
    statistics: Mapping[str, Any]
    reads: tuple[ObjectName, ...]
    seen: dict[str, int]


def refill(account: Account, session: Session, table: DynamicTable, query_id: str) -> Refilled:
    """Bring the table's rows up to date; raises SqlError without changing anything.

    All rows are computed again in every refresh mode; only the reported mode differs.
    """
    place = Place(table.database, table.schema)
    sources = sources_of(account, session, table.query, place)
    for source in sources:
        if source.kind is None:
            raise does_not_exist("Object", source.name)
    # Read the versions first, so that changes during the query belong to the next refresh.
    reads = base_tables(account, session, sources)
    seen = change_store.versions(account, reads)
    if table.data_timestamp is not None and seen == table.seen:
        return Refilled(NO_DATA, statistics(0, 0), reads, seen)
    staged = table.name.sibling(f"{table.name.name}$REFRESH")
    account.execute(session, f"CREATE OR REPLACE TEMPORARY TABLE {staged.fqn()} AS {table.query}")
    old = duckdb_identifier(*parts_of(table.name))
    new = duckdb_identifier(*parts_of(staged, temporary=True))
    inserted, deleted = (_difference(session, *pair) for pair in ((new, old), (old, new)))
    if inserted or deleted:
        # If rows are only added, a stream on the table shows only these.
        rows = f"SELECT * FROM {staged.fqn()}"
        added = f"INTO {table.name.fqn()} {rows} EXCEPT ALL SELECT * FROM {table.name.fqn()}"
        sql = f"INSERT OVERWRITE INTO {table.name.fqn()} {rows}" if deleted else f"INSERT {added}"
        account.execute(session, sql, query_id=query_id)
    action = initial_action(table) if table.data_timestamp is None else table.refresh_mode
    return Refilled(action, statistics(inserted, deleted), reads, seen)


def initial_action(table: DynamicTable) -> str:
    """The refresh action of the first refresh."""
    return FULL if table.refresh_mode == FULL else REINITIALIZE


def _difference(session: Session, one: str, other: str) -> int:
    """The number of rows of one table that the other lacks."""
    rows = session.rows(f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other})")
    return int(rows[0][0])


def statistics(inserted: int, deleted: int) -> dict[str, Any]:
    """The statistics of a refresh in the history; a refresh with changes counts as one partition."""
    return {
        "numInsertedRows": inserted,
        "numDeletedRows": deleted,
        "numCopiedRows": 0,
        "numAddedPartitions": int(bool(inserted)),
        "numRemovedPartitions": int(bool(deleted)),
    }
