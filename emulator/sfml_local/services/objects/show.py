"""SHOW TABLES, VIEWS, OBJECTS, COLUMNS, SEQUENCES and keys, with the columns that were recorded on accounts.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.likeness import like, selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.numbered_columns import BEGINNING, sequence_in
from sfml_local.core.places import Area, area_of, cannot_be_performed
from sfml_local.core.result import SHOW, Column, Result, table
from sfml_local.core.session import DEFAULT_ROLE
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.quoting import duckdb_identifier, quoted_if_needed
from sfml_local.grammar.shows import Listing, ShowObjects
from sfml_local.services.access import store as access
from sfml_local.services.access import users as users_of_account
from sfml_local.services.databases import store as databases
from sfml_local.services.objects import store as records
from sfml_local.services.objects.declared import TemporaryRecords
from sfml_local.services.objects.store import Record
from sfml_local.services.streams import store
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_EPOCH = datetime.fromtimestamp(0, UTC)
_NUMBERS = frozenset({"rows", "bytes", "search_optimization_bytes", "key_sequence", "next_value", "interval"})


def columns(names: str) -> tuple[Column, ...]:
    """Columns with these names, whose types follow from the names."""
    return tuple(Column(name, _type(name)) for name in names.split())


def _type(name: str) -> str:
    return "timestamp_ltz" if name == "created_on" else "fixed" if name in _NUMBERS else "text"


TERSE = columns("created_on name kind database_name schema_name")
TABLES = columns(
    "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time"
    " automatic_clustering change_tracking search_optimization search_optimization_progress"
    " search_optimization_bytes is_external enable_schema_evolution owner_role_type is_event is_hybrid"
    " is_iceberg is_dynamic is_immutable is_interactive row_timestamp error_logging"
)
VIEWS = columns(
    "created_on name reserved database_name schema_name owner comment text is_secure is_materialized"
    " owner_role_type change_tracking"
)
OBJECTS = columns(
    "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time"
    " owner_role_type is_hybrid is_dynamic is_iceberg is_interactive"
)
COLUMNS = columns(
    "table_name schema_name column_name data_type null? default kind expression comment database_name"
    " autoincrement schema_evolution_record write_default"
)
SEQUENCES = columns(
    "name database_name schema_name next_value interval created_on owner comment owner_role_type ordered"
)
KEYS = columns(
    "created_on database_name schema_name table_name column_name key_sequence constraint_name rely comment"
)
FOREIGN_KEYS = columns(
    "created_on pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name"
    " fk_table_name fk_column_name key_sequence update_rule delete_rule fk_name pk_name deferrability rely comment"
)

HIDDEN = ("main", "_fs_information_schema")
_ENGINE_TABLES = """
SELECT database_name, schema_name, table_name, 'TABLE' FROM duckdb_tables() WHERE NOT internal AND NOT temporary
UNION ALL
SELECT database_name, schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal AND NOT temporary
"""


@dataclass(frozen=True, slots=True)
class Known:
    """An existing table or view with its record, or with a default one."""

    name: ObjectName
    kind: str
    record: Record
    comment: str
    rows: int | None = None
    """The number of rows of a temporary table, which only its session can count."""

    def detail(self, key: str, default: Any = None) -> Any:
        return self.record.details.get(key, default)


# -- what is there


def known_objects(account: Account, area: Area) -> list[Known]:
    """The tables and views of a place, by name."""
    kept = records.every(account)
    comments = table_notes.comments(account.engine)
    databases = frozenset(account.engine.databases())
    found = []
    for in_database, in_schema, name, kind in account.engine.rows(_ENGINE_TABLES):
        if in_database not in databases or in_schema in HIDDEN or not area.has(in_database, in_schema):
            continue
        full = ObjectName(in_database, in_schema, name)
        record = kept.get(full) or Record(full, kind, _EPOCH, DEFAULT_ROLE)
        found.append(Known(full, kind, record, comments.get(full, "")))
    return sorted(found, key=lambda one: one.name)


def _chosen(account: Account, session: Session, listing: Listing, *kinds: str) -> list[Known]:
    area = area_of(account, session, listing, missing=cannot_be_performed)
    known = known_objects(account, area)
    if session.temporaries:
        known = sorted([*known, *_temporaries(account, session, area)], key=lambda one: one.name)
    return selected(
        (one for one in known if one.kind in kinds),
        lambda one: one.name.name,
        listing,
    )


def _temporaries(account: Account, session: Session, area: Area) -> list[Known]:
    """The session's temporary tables and views in a place."""
    from sfml_local.core.definitions import parts_of

    found = []
    for name in list(session.temporaries):
        if not area.has(name.database, name.schema):
            continue
        parts = parts_of(name, temporary=True)
        kind = account.engine.kind_of(session, parts) or "TABLE"
        rows = session.rows(f"SELECT count(*) FROM {duckdb_identifier(*parts)}") if kind == "TABLE" else [[0]]
        plain = Record(name, kind, account.clock(), session.role, details={"TEMPORARY": True}), ""
        record, comment = session.part(TemporaryRecords).by_name.get(name, plain)
        found.append(Known(name, kind, record, comment, int(rows[0][0])))
    return found


# -- rows


def row_count(account: Account, one: Known) -> int:
    if one.rows is not None:
        return one.rows
    found = account.engine.rows(f"SELECT count(*) FROM {duckdb_identifier(*one.name.parts)}")
    return int(found[0][0])


def _common(one: Known) -> dict[str, Any]:
    return {
        "created_on": one.record.created_on,
        "name": one.name.name,
        "database_name": one.name.database,
        "schema_name": one.name.schema,
        "owner": one.record.owner,
        "comment": one.comment,
        "owner_role_type": "ROLE",
    }


def _is_tracked(account: Account, one: Known) -> bool:
    return bool(one.detail("CHANGE_TRACKING")) or store.is_followed(account, one.name)


def retention_days(account: Account, one: Known) -> int:
    """How long a table keeps its history: as set on it, or on its schema or database; a transient one a day at most."""
    key = "DATA_RETENTION_TIME_IN_DAYS"
    own = one.detail(key)
    if own is not None:
        return int(own)
    around = int(databases.effective(account, one.name.database, one.name.schema).get(key, 1))
    return min(around, 1) if one.detail("TRANSIENT") or one.detail("TEMPORARY") else around


def table_values(account: Account, one: Known) -> dict[str, Any]:
    cluster = one.detail("CLUSTER_BY")
    is_table = one.kind == "TABLE"
    return {
        **_common(one),
        "kind": next((kind for kind in ("TEMPORARY", "TRANSIENT") if one.detail(kind)), "TABLE"),
        "cluster_by": f"LINEAR({cluster})" if cluster else "",
        "rows": row_count(account, one) if is_table else 0,
        "bytes": 0,
        "retention_time": str(retention_days(account, one)) if is_table else "1",
        "automatic_clustering": "ON" if cluster and one.detail("RECLUSTER", True) else "OFF",
        "change_tracking": "ON" if _is_tracked(account, one) else "OFF",
        "search_optimization": "OFF",
        "search_optimization_progress": None,
        "search_optimization_bytes": None,
        "enable_schema_evolution": "Y" if one.detail("ENABLE_SCHEMA_EVOLUTION") else "N",
        "row_timestamp": "ON" if one.detail("ROW_TIMESTAMP") else "OFF",
        "error_logging": "ON" if one.detail("ERROR_LOGGING") else "OFF",
        **dict.fromkeys(_FLAGS, "N"),
        "is_dynamic": "Y" if one.record.is_dynamic else "N",
    }


_FLAGS = tuple(column.name for column in TABLES if column.name.startswith("is_"))


def _view_values(account: Account, one: Known) -> dict[str, Any]:
    return {
        **_common(one),
        "reserved": "",
        "text": written_text(account, one.name, one.record),
        "is_secure": str(bool(one.detail("SECURE"))).lower(),
        "is_materialized": "false",
        "change_tracking": "ON" if _is_tracked(account, one) else "OFF",
    }


def written_text(account: Account, name: ObjectName, record: Record) -> str:
    """A view's statement as written; for a view without a record, the engine's."""
    if record.written:
        return record.written
    rows = account.engine.rows(
        "SELECT sql FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
        [name.database, name.schema, name.name],
    )
    return str(rows[0][0]) if rows else ""


def _table(kinds: tuple[Column, ...], values: Iterable[Mapping[str, Any]]) -> Result:
    return table(kinds, [[row.get(column.name) for column in kinds] for row in values], SHOW)


def _terse(found: Iterable[Known]) -> Result:
    return _table(TERSE, ({**_common(one), "kind": one.kind} for one in found))


def show_tables(account: Account, session: Session, listing: Listing) -> Result:
    found = _chosen(account, session, listing, "TABLE")
    if listing.terse:
        values = [(one, table_values(account, one)["kind"]) for one in found]
        return _table(TERSE, ({**_common(one), "kind": kind} for one, kind in values))
    return _table(TABLES, (table_values(account, one) for one in found))


def show_views(account: Account, session: Session, listing: Listing) -> Result:
    found = _chosen(account, session, listing, "VIEW")
    return _terse(found) if listing.terse else _table(VIEWS, (_view_values(account, one) for one in found))


def show_objects(account: Account, session: Session, listing: Listing) -> Result:
    """Tables and views; a transient table counts as TABLE."""
    found = _chosen(account, session, listing, "TABLE", "VIEW")
    if listing.terse:
        return _terse(found)
    return _table(OBJECTS, ({**table_values(account, one), "kind": one.kind} for one in found))


# -- columns


def show_columns(account: Account, session: Session, listing: Listing) -> Result:
    """STARTS WITH and LIMIT are accepted and ignored, as on an account."""
    rows = []
    for one in _tables_of(account, session, listing):
        told = semi_structured.kinds_of(account, session, one.name)
        for column, stored, length, nullable, default, comment in account.engine.columns(session, one.name):
            if not like(listing.like, column):
                continue
            shown = shown_type(told.get(column), stored, length)
            counted = identity(account, default)
            rows.append(
                {
                    "table_name": one.name.name,
                    "schema_name": one.name.schema,
                    "column_name": column,
                    "data_type": descriptor(shown, nullable=nullable),
                    "null?": "true" if nullable else "NOT_NULL",
                    "default": "" if counted else shown_default(default) or "",
                    "kind": "COLUMN",
                    "expression": "",
                    "comment": comment or "",
                    "database_name": one.name.database,
                    "autoincrement": counted or "",
                }
            )
    return _table(COLUMNS, rows)


def identity(account: Account, default: str | None) -> str | None:
    """How the values of an AUTOINCREMENT column are counted, told by its default; None for other columns."""
    sequence = sequence_in(default)
    if sequence is None:
        return None
    query = "SELECT start_value, increment_by FROM duckdb_sequences() WHERE upper(sequence_name) = upper(?)"
    rows = account.engine.rows(query, [sequence])
    start, step = rows[0] if rows else (1, 1)
    return f"IDENTITY START {start} INCREMENT {step} NOORDER"


def shown_default(default: str | None) -> str | None:
    """A default as it was written: that of a sequence is a call in DuckDB."""
    found = None if default is None else _SEQUENCE.fullmatch(default)
    if found is None:
        return default
    parts = [part.replace('""', '"') for part in re.findall(r'"((?:[^"]|"")*)"', found[1])]
    return ".".join([*map(quoted_if_needed, parts), "NEXTVAL"])


def _tables_of(account: Account, session: Session, listing: Listing) -> list[Known]:
    """The tables whose columns are shown: a name after IN may be a table's."""
    if listing.scope == "VIEW" and listing.within is not None and len(listing.within.parts) < 3:
        written = ".".join(listing.within.parts)
        message = f"Must specify the full search path starting from database for {written}"
        raise SqlError(f"SQL compilation error:\n{message}", 1003, "42000")
    if listing.scope in ("TABLE", "VIEW") or (listing.scope == "" and listing.within is not None):
        assert listing.within is not None
        name = resolve(listing.within, session)
        found = [one for one in known_objects(account, Area(name.database, name.schema)) if one.name == name]
        if not found:
            raise does_not_exist("Table", name.fqn())
        return found
    return known_objects(account, area_of(account, session, listing, missing=cannot_be_performed))


_SEQUENCE = re.compile(r"nextval\('(\"(?:[^']|'')+\")'\)", re.IGNORECASE)
_DESCRIBED = {"NUMBER": "FIXED", "FLOAT": "REAL", "VARCHAR": "TEXT"}


def descriptor(shown: str, *, nullable: bool) -> str:
    """A type in the JSON format of SHOW COLUMNS."""
    word, _, rest = shown.partition("(")
    numbers = [int(part) for part in rest.rstrip(")").split(",") if part.strip().isdigit()]
    kind = _DESCRIBED.get(word, word)
    described: dict[str, Any] = {"type": kind}
    if kind == "FIXED":
        precision, scale = (*numbers, 38, 0)[:2] if len(numbers) == 2 else ((numbers or [38])[0], 0)
        described |= {"precision": precision, "scale": scale, "nullable": nullable}
    elif kind in ("TEXT", "BINARY"):
        length = numbers[0] if numbers else 16777216 if kind == "TEXT" else 8388608
        size = 4 * length if kind == "TEXT" else length
        described |= {
            "length": length,
            "byteLength": size,
            "nullable": nullable,
            "fixed": kind == "BINARY",
        }
    elif kind.startswith("TIME"):
        described |= {"precision": 0, "scale": numbers[0] if numbers else 9, "nullable": nullable}
    else:
        described |= {"nullable": nullable}
    return json.dumps(described, separators=(",", ":"))


# -- sequences


def show_sequences(account: Account, session: Session, listing: Listing) -> Result:
    return sequences(account, area_of(account, session, listing), listing)


def sequences(account: Account, area: Area, listing: Listing) -> Result:
    """The sequences of a place."""
    databases = frozenset(account.engine.databases())
    rows = []
    for in_database, in_schema, name, start, step, last in account.engine.rows(
        "SELECT database_name, schema_name, sequence_name, start_value, increment_by, last_value"
        " FROM duckdb_sequences() WHERE NOT temporary ORDER BY 1, 2, 3"
    ):
        here = area.has(in_database, in_schema) and in_database in databases
        if not here or not like(listing.like, name) or name.startswith(BEGINNING):
            continue
        record = records.find(account, ObjectName(in_database, in_schema, name))
        rows.append(
            {
                "name": name,
                "database_name": in_database,
                "schema_name": in_schema,
                "next_value": start if last is None else last + step,
                "interval": step,
                "created_on": record.created_on if record else _EPOCH,
                "owner": record.owner if record else DEFAULT_ROLE,
                "comment": record.details.get("COMMENT", "") if record else "",
                "owner_role_type": "ROLE",
                "ordered": "Y" if record and record.details.get("ORDERED") else "N",
            }
        )
    return _table(SEQUENCES, rows)


# -- keys


def _records_within(account: Account, session: Session, listing: Listing) -> list[Record]:
    return [one.record for one in _tables_of(account, session, listing)]


def show_keys(kind: str) -> Callable[[Account, Session, Listing], Result]:
    """SHOW PRIMARY KEYS or UNIQUE KEYS."""

    def show(account: Account, session: Session, listing: Listing) -> Result:
        rows = [
            {
                "created_on": record.created_on,
                "database_name": record.name.database,
                "schema_name": record.name.schema,
                "table_name": record.name.name,
                "column_name": column,
                "key_sequence": at,
                "constraint_name": records.constraint_name(record, key),
                "rely": str(key.rely).lower(),
                "comment": key.comment,
            }
            for record, key in records.keys_of(_records_within(account, session, listing), kind)
            for at, column in enumerate(key.columns, 1)
        ]
        return _table(KEYS, rows)

    return show


def show_foreign_keys(*, exported: bool) -> Callable[[Account, Session, Listing], Result]:
    """SHOW IMPORTED KEYS: foreign keys of the tables; EXPORTED KEYS: foreign keys that refer to them."""

    def show(account: Account, session: Session, listing: Listing) -> Result:
        here = {record.name for record in _records_within(account, session, listing)}
        kept = records.every(account)
        rows = []
        for record, key in records.keys_of(kept.values(), "FOREIGN KEY"):
            target = resolve(key.refers_to or "", record.name)
            if (target if exported else record.name) not in here:
                continue
            rows += _foreign_rows(record, key, target, kept.get(target))
        return _table(FOREIGN_KEYS, rows)

    return show


def _foreign_rows(
    record: Record, key: records.Key, target: ObjectName, other: Record | None
) -> list[dict[str, Any]]:
    primary = next((k for k in other.keys if k.kind == "PRIMARY KEY"), None) if other else None
    others = key.other_columns or (primary.columns if primary else ())
    return [
        {
            "created_on": record.created_on,
            "pk_database_name": target.database,
            "pk_schema_name": target.schema,
            "pk_table_name": target.name,
            "pk_column_name": others[at] if at < len(others) else None,
            "fk_database_name": record.name.database,
            "fk_schema_name": record.name.schema,
            "fk_table_name": record.name.name,
            "fk_column_name": column,
            "key_sequence": at + 1,
            "update_rule": key.on_update,
            "delete_rule": key.on_delete,
            "fk_name": records.constraint_name(record, key),
            "pk_name": records.constraint_name(other, primary) if other and primary else None,
            "deferrability": "DEFERRABLE" if key.deferrable else "NOT DEFERRABLE",
            "rely": str(key.rely).lower(),
            "comment": key.comment,
        }
        for at, column in enumerate(key.columns)
    ]


USERS = columns(
    "name created_on login_name display_name first_name last_name email mins_to_unlock days_to_expiry comment"
    " disabled must_change_password snowflake_lock default_warehouse default_namespace default_role"
    " default_secondary_roles ext_authn_duo ext_authn_uid mins_to_bypass_mfa owner last_success_login"
    " expires_at_time locked_until_time has_password has_rsa_public_key type has_mfa"
)


def users(account: Account, session: Session) -> list[str]:
    """Users that were created, the current one, and those with grants."""
    created = {row["name"] for row in access.of_kind(account, "USER")}
    return sorted({session.user, *created, *access.grantees(account, "USER")})


def _own(account: Account, name: str) -> Mapping[str, Any]:
    """What is known of a user that was created."""
    return users_of_account.shown(account, name) if users_of_account.find(account, name) is not None else {}


def show_users(account: Account, session: Session, listing: Listing) -> Result:
    kept = selected(
        users(account, session),
        str,
        listing,
    )
    known = {
        **dict.fromkeys(("disabled", "must_change_password", "snowflake_lock", "ext_authn_duo"), "false"),
        **dict.fromkeys(("has_password", "has_rsa_public_key", "has_mfa"), "false"),
        **dict.fromkeys(("first_name", "last_name", "email", "comment"), ""),
        "default_secondary_roles": '["ALL"]',
        "type": "PERSON",
    }
    rows = [
        {**known, "name": name, "login_name": name, "display_name": name, **_own(account, name)}
        for name in kept
    ]
    return _table(USERS, rows)


_SHOWN: Mapping[str, Callable[[Account, Session, Listing], Result]] = {
    "TABLES": show_tables,
    "VIEWS": show_views,
    "OBJECTS": show_objects,
    "COLUMNS": show_columns,
    "SEQUENCES": show_sequences,
    "PRIMARY KEYS": show_keys("PRIMARY KEY"),
    "UNIQUE KEYS": show_keys("UNIQUE"),
    "IMPORTED KEYS": show_foreign_keys(exported=False),
    "EXPORTED KEYS": show_foreign_keys(exported=True),
    "USERS": show_users,
}


def show_any(account: Account, session: Session, statement: ShowObjects) -> Result:
    return _SHOWN[statement.kind](account, session, statement.listing)
