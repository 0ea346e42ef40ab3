"""Online feature tables: there are none here, and what asks for them is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import resolve
from sfml_local.core.places import area_of
from sfml_local.core.result import Column, Result, table
from sfml_local.grammar.feature_store import DropOnlineFeatureTable, ShowOnlineFeatureTables
from sfml_local.services.databases.sql import missing

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

_COLUMNS = (
    Column("created_on", "timestamp_ltz"),
    *("name", "database_name", "schema_name", "owner", "comment", "target_lag", "refresh_mode"),
    *("refresh_mode_reason", "scheduling_state", "warehouse", "primary_key", "timestamp_column", "source"),
)


def show(account: Account, session: Session, statement: ShowOnlineFeatureTables) -> Result:
    """No row, of a place that is there."""
    area_of(account, session, statement.listing)
    return table(_COLUMNS)


def drop(account: Account, session: Session, statement: DropOnlineFeatureTable) -> Result:
    name = resolve(statement.name, session)
    return missing("Online Feature Table", name.fqn(), statement.if_exists)


HANDLERS: Handlers = {ShowOnlineFeatureTables: show, DropOnlineFeatureTable: drop}
READ_ONLY = frozenset({ShowOnlineFeatureTables})
