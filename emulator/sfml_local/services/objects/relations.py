"""INFORMATION_SCHEMA of tables, views and constraints, with metadata that the SQL engine does not store.

https://docs.snowflake.com/en/sql-reference/info-schema
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.names import resolve
from sfml_local.core.places import Area
from sfml_local.core.result import Column, Result, columns, table
from sfml_local.services.objects import change_store, column_relation, show
from sfml_local.services.objects import store as records
from sfml_local.services.objects.change_store import Change
from sfml_local.services.objects.show import Known

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


TABLES = columns(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT CLUSTERING_KEY ROW_COUNT:fixed"
    " BYTES:fixed RETENTION_TIME:fixed SELF_REFERENCING_COLUMN_NAME REFERENCE_GENERATION"
    " USER_DEFINED_TYPE_CATALOG USER_DEFINED_TYPE_SCHEMA USER_DEFINED_TYPE_NAME IS_INSERTABLE_INTO IS_TYPED"
    " COMMIT_ACTION CREATED:timestamp_ltz LAST_ALTERED:timestamp_ltz LAST_DDL:timestamp_ltz LAST_DDL_BY"
    " AUTO_CLUSTERING_ON COMMENT IS_TEMPORARY IS_ICEBERG IS_DYNAMIC IS_IMMUTABLE IS_HYBRID"
)
VIEWS = columns(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE"
    " INSERTABLE_INTO IS_SECURE CREATED:timestamp_ltz LAST_ALTERED:timestamp_ltz LAST_DDL:timestamp_ltz"
    " LAST_DDL_BY COMMENT"
)
TABLE_CONSTRAINTS = columns(
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME"
    " CONSTRAINT_TYPE IS_DEFERRABLE INITIALLY_DEFERRED ENFORCED COMMENT CREATED:timestamp_ltz"
    " LAST_ALTERED:timestamp_ltz RELY"
)
REFERENTIAL_CONSTRAINTS = columns(
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME UNIQUE_CONSTRAINT_CATALOG UNIQUE_CONSTRAINT_SCHEMA"
    " UNIQUE_CONSTRAINT_NAME MATCH_OPTION UPDATE_RULE DELETE_RULE COMMENT CREATED:timestamp_ltz"
    " LAST_ALTERED:timestamp_ltz"
)

Rows = Callable[["Account", "Session", str], Iterable[Mapping[str, Any]]]


def _relation(columns: tuple[Column, ...], rows: Rows) -> Callable[[Account, Session, str | None], Result]:
    def relation(account: Account, session: Session, database: str | None) -> Result:
        found = rows(account, session, database) if database else ()
        return table(columns, [[row.get(column.name) for column in columns] for row in found])

    return relation


def _names(one: Known, changed: Mapping[str, Change]) -> dict[str, Any]:
    change = changed.get(one.name.fqn())
    return {
        "TABLE_CATALOG": one.name.database,
        "TABLE_SCHEMA": one.name.schema,
        "TABLE_NAME": one.name.name,
        "TABLE_OWNER": one.record.owner,
        **dict.fromkeys(("CREATED", "LAST_DDL"), one.record.created_on),
        "LAST_ALTERED": max(one.record.created_on, change.changed_on) if change else one.record.created_on,
        "LAST_DDL_BY": one.record.owner,
        "COMMENT": one.comment or None,
    }


def _tables(account: Account, session: Session, database: str) -> Iterable[Mapping[str, Any]]:
    changed = change_store.every(account)
    for one in show.known_objects(account, Area(database)):
        is_table = one.kind == "TABLE"
        cluster = one.detail("CLUSTER_BY")
        yield {
            **_names(one, changed),
            "TABLE_TYPE": "BASE TABLE" if is_table else "VIEW",
            "IS_TRANSIENT": "YES" if one.detail("TRANSIENT") else "NO",
            "CLUSTERING_KEY": f"LINEAR({cluster})" if cluster else None,
            "ROW_COUNT": show.row_count(account, one) if is_table else None,
            "BYTES": 0 if is_table else None,
            "RETENTION_TIME": show.retention_days(account, one) if is_table else None,
            "IS_INSERTABLE_INTO": "YES",
            "IS_TYPED": "YES",
            "AUTO_CLUSTERING_ON": "YES" if cluster and one.detail("RECLUSTER", True) else "NO",
            **dict.fromkeys(("IS_TEMPORARY", "IS_ICEBERG", "IS_IMMUTABLE", "IS_HYBRID"), "NO"),
            "IS_DYNAMIC": "YES" if one.record.is_dynamic else "NO",
        }


def _views(account: Account, session: Session, database: str) -> Iterable[Mapping[str, Any]]:
    changed = change_store.every(account)
    for one in show.known_objects(account, Area(database)):
        if one.kind == "VIEW":
            yield {
                **_names(one, changed),
                "VIEW_DEFINITION": show.written_text(account, one.name, one.record),
                "CHECK_OPTION": "NONE",
                "IS_UPDATABLE": "NO",
                "INSERTABLE_INTO": "NO",
                "IS_SECURE": "YES" if one.detail("SECURE") else "NO",
            }


def _constraints(account: Account, session: Session, database: str) -> Iterable[Mapping[str, Any]]:
    for one in show.known_objects(account, Area(database)):
        for key in one.record.keys:
            yield {
                "CONSTRAINT_CATALOG": one.name.database,
                "CONSTRAINT_SCHEMA": one.name.schema,
                "CONSTRAINT_NAME": records.constraint_name(one.record, key),
                **{name: value for name, value in _names(one, {}).items() if name.startswith("TABLE_")},
                "CONSTRAINT_TYPE": key.kind,
                "IS_DEFERRABLE": "YES" if key.deferrable else "NO",
                "INITIALLY_DEFERRED": "YES",
                "ENFORCED": "NO",
                "CREATED": one.record.created_on,
                "LAST_ALTERED": one.record.created_on,
                "RELY": "YES" if key.rely else "NO",
                "COMMENT": key.comment,
            }


def _references(account: Account, session: Session, database: str) -> Iterable[Mapping[str, Any]]:
    kept = records.every(account)
    for one in show.known_objects(account, Area(database)):
        for record, key in records.keys_of([one.record], "FOREIGN KEY"):
            target = resolve(key.refers_to or "", record.name)
            other = kept.get(target)
            primary = next((k for k in other.keys if k.kind == "PRIMARY KEY"), None) if other else None
            yield {
                "CONSTRAINT_CATALOG": record.name.database,
                "CONSTRAINT_SCHEMA": record.name.schema,
                "CONSTRAINT_NAME": records.constraint_name(record, key),
                "UNIQUE_CONSTRAINT_CATALOG": target.database,
                "UNIQUE_CONSTRAINT_SCHEMA": target.schema,
                "UNIQUE_CONSTRAINT_NAME": (
                    records.constraint_name(other, primary) if other and primary else None
                ),
                "MATCH_OPTION": key.match,
                "UPDATE_RULE": key.on_update,
                "DELETE_RULE": key.on_delete,
                "COMMENT": key.comment,
                "CREATED": record.created_on,
                "LAST_ALTERED": record.created_on,
            }


RELATIONS = {
    "INFORMATION_SCHEMA.COLUMNS": _relation(column_relation.COLUMNS, column_relation.rows),
    "INFORMATION_SCHEMA.TABLES": _relation(TABLES, _tables),
    "INFORMATION_SCHEMA.VIEWS": _relation(VIEWS, _views),
    "INFORMATION_SCHEMA.TABLE_CONSTRAINTS": _relation(TABLE_CONSTRAINTS, _constraints),
    "INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS": _relation(REFERENTIAL_CONSTRAINTS, _references),
}
