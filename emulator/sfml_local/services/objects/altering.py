"""ALTER TABLE and VIEW for keys, clustering and properties, which the SQL engine does not store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import SqlError, does_not_exist, wrong_kind
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import demand_schema
from sfml_local.core.result import Result, status
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.grammar.table_properties import AddKey, ChangeProperties, DropKey, KeepKey, RenameKey
from sfml_local.grammar.tokens import Name
from sfml_local.services.objects import clustering, keeping
from sfml_local.services.objects import store as records
from sfml_local.services.objects.declared import PROPERTIES, checked, demand_distinct, invalid_property
from sfml_local.services.objects.store import Key, Record

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def _record(account: Account, session: Session, written: Name, kind: str, if_exists: bool) -> Record | None:
    """The record of an existing table or view; None if it does not exist and IF EXISTS is given."""
    name = resolve(written, session)
    actual = account.engine.kind_of(session, parts_of(name, temporary=name in session.temporaries))
    if actual is None:
        demand_schema(account, name)
        if if_exists:
            return None
        raise does_not_exist(kind.capitalize(), name)
    if actual != kind:
        raise wrong_kind(actual, kind)
    return records.find(account, name) or Record(name, kind, account.clock(), session.role)


def _keys(
    account: Account, session: Session, statement: Any, change: Callable[[Record], tuple[Key, ...]]
) -> Result:
    record = _record(account, session, statement.table, "TABLE", statement.if_exists)
    if record is not None:
        keys = change(record)
        if record.name not in session.temporaries:
            records.save(account, replace(record, keys=keys))
    return status()


def add_key(account: Account, session: Session, statement: AddKey) -> Result:
    def change(record: Record) -> tuple[Key, ...]:
        _demand_columns(account, session, record.name, statement.columns)
        target = ".".join(statement.refers_to.parts) if statement.refers_to else None
        made = Key(
            statement.kind,
            statement.columns,
            statement.name,
            target,
            statement.other_columns,
            **statement.options,
        )
        keys = (*record.keys, made)
        demand_distinct(record.name.name, keys)
        if made.kind == "PRIMARY KEY":
            _make_not_null(account, session, record.name, made.columns)
        return keys

    return _keys(account, session, statement, change)


def _demand_columns(account: Account, session: Session, table: ObjectName, columns: tuple[str, ...]) -> None:
    known = {row[0] for row in account.engine.columns(session, table)}
    for column in columns:
        if column not in known:
            raise SqlError(
                f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{column}'",
                904,
                "42000",
            )


def _make_not_null(account: Account, session: Session, table: ObjectName, columns: tuple[str, ...]) -> None:
    place = duckdb_identifier(*parts_of(table, temporary=table in session.temporaries))
    for column in columns:
        session.rows(f"ALTER TABLE {place} ALTER COLUMN {duckdb_identifier(column)} SET NOT NULL")


def drop_key(account: Account, session: Session, statement: DropKey) -> Result:
    def is_meant(record: Record, key: Key) -> bool:
        if statement.name is not None:
            return records.constraint_name(record, key) == statement.name
        return key.kind == statement.kind and statement.columns in ((), key.columns)

    def change(record: Record) -> tuple[Key, ...]:
        left = tuple(key for key in record.keys if not is_meant(record, key))
        if len(left) == len(record.keys):
            what = statement.name or statement.kind or "constraint"
            raise SqlError(f"SQL compilation error:\nConstraint '{what}' does not exist.", 2003, "02000")
        return left

    return _keys(account, session, statement, change)


def rename_key(account: Account, session: Session, statement: RenameKey) -> Result:
    def change(record: Record) -> tuple[Key, ...]:
        names = [records.constraint_name(record, key) for key in record.keys]
        if statement.name not in names:
            raise SqlError(
                f"SQL compilation error:\nConstraint '{statement.name}' does not exist.", 2003, "02000"
            )
        return tuple(
            replace(key, name=statement.new) if name == statement.name else key
            for name, key in zip(names, record.keys, strict=True)
        )

    return _keys(account, session, statement, change)


def keep_key(account: Account, session: Session, statement: KeepKey) -> Result:
    """Ignores ENFORCED and similar properties, because no key is enforced."""
    return _keys(account, session, statement, lambda record: record.keys)


def change_properties(account: Account, session: Session, statement: ChangeProperties) -> Result:
    """SET and UNSET of properties, all or none."""
    record = _record(account, session, statement.name, statement.kind, statement.if_exists)
    if record is None:
        return status()
    taken = {*PROPERTIES, "SECURE", "CLUSTER_BY", "RECLUSTER", "COMMENT"}
    if "RECLUSTER" in statement.set and not record.details.get("CLUSTER_BY"):
        raise SqlError(f"Table '{record.name.name}' is not clustered", 1008, "22023")
    for key in (*statement.set, *statement.unset):
        if key not in taken:
            raise invalid_property(key, statement.kind)
    values = {
        key: checked(key, value) if key in PROPERTIES else value for key, value in statement.set.items()
    }
    if keys := statement.set.get("CLUSTER_BY"):
        columns = {row[0] for row in account.engine.columns(session, record.name)}
        clustering.demand_columns(clustering.parsed_keys(str(keys)), columns)
    given = {**dict.fromkeys(statement.unset), **values}
    if "COMMENT" in given:
        comment = given.pop("COMMENT")
        if record.name not in session.temporaries:
            table_notes.set_comment(account.engine, record.name, str(comment or ""))
    if given and record.name not in session.temporaries:
        keeping.change(account, record, **given)
    return status()
