"""The statements about dynamic tables.

https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table and the pages beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import (
    SqlError,
    already_exists,
    already_exists_as,
    does_not_exist,
    invalid_value,
    name_is_taken,
    not_emulated,
    wrong_kind,
)
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import demand_schema
from sfml_local.core.result import Result, status
from sfml_local.grammar import dynamic_tables as grammar
from sfml_local.grammar.quoting import duckdb_identifier, literal, quoted_if_needed
from sfml_local.services.compute.store import demand_warehouse
from sfml_local.services.databases.properties import check_days
from sfml_local.services.databases.sql import missing
from sfml_local.services.dynamic_tables import refresh_mode, shown
from sfml_local.services.dynamic_tables.model import DynamicTable, parse_lag
from sfml_local.services.dynamic_tables.sources import base_tables, sources_of
from sfml_local.services.dynamic_tables.tables import DynamicTables
from sfml_local.services.objects import change_store, keeping
from sfml_local.services.objects import store as records
from sfml_local.services.tags import store as tags
from sfml_local.services.tags import tagging

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

_NEEDED = ("TARGET_LAG", "WAREHOUSE")
_KEPT = (
    *("DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "LOG_LEVEL", "ROW_TIMESTAMP"),
    "DEFAULT_DDL_COLLATION",
)
"""Properties that are stored and shown as on an account; they have no effect here."""
_CREATED_WITH = frozenset(
    {
        *(
            *_NEEDED,
            *_KEPT,
            "INITIALIZATION_WAREHOUSE",
            "REFRESH_MODE",
            "INITIALIZE",
            "CLUSTER_BY",
            "COMMENT",
        ),
        *("COPY_GRANTS", "SCHEDULER"),
    }
)
_SET = frozenset({*_NEEDED, *_KEPT, "INITIALIZATION_WAREHOUSE", "COMMENT", "SCHEDULER"})
_ABSENT = frozenset({"REQUIRE_USER", "IMMUTABLE", "BACKFILL", "EXECUTE", "CONTACT"})


# -- CREATE


def create(account: Account, session: Session, statement: grammar.CreateDynamicTable) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    settings = _checked(account, statement.settings, _CREATED_WITH)
    tables = account.part(DynamicTables)
    with tables.lock:
        existing = tables.find(name)
        kind = account.engine.kind_of(session, parts_of(name))
        if kind is not None and statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        if kind is not None and existing is None and statement.or_replace:
            raise already_exists_as(name, kind)
        if kind is not None and not (statement.or_replace or statement.or_alter):
            raise already_exists(statement.name)
        if statement.clone is not None:
            raise not_emulated("CREATE DYNAMIC TABLE … CLONE")
        if statement.or_alter and existing is not None:
            return _create_or_alter(account, tables, existing, statement, settings)
        table = _described(account, session, name, statement, settings)
        _make(account, session, tables, table, existing, statement, settings)
    return status(f"Dynamic table {name.name} successfully created.")


def _text(statement: grammar.CreateDynamicTable) -> str:
    """The statement as SHOW tells it, with the defaults: recorded on an account in terraform-provider-snowflake.

    How other properties stand there is not known, so a statement with one is shown as it is written.
    """
    known = statement.settings
    if known.keys() - _TOLD or statement.tags or statement.clone is not None:
        return statement.written
    comment = f" comment = {literal(str(known['COMMENT']))}" if "COMMENT" in known else ""
    mode, start = known.get("REFRESH_MODE", "AUTO"), known.get("INITIALIZE", "ON_CREATE")
    return (
        f"{statement.head}{comment} lag = {literal(str(known.get('TARGET_LAG', 'DOWNSTREAM')))}"
        f" refresh_mode = '{str(mode).upper()}' initialize = '{str(start).upper()}'"
        f" warehouse = {quoted_if_needed(str(known.get('WAREHOUSE', '')))} AS {statement.query}"
    )


_TOLD = frozenset({"TARGET_LAG", "REFRESH_MODE", "INITIALIZE", "WAREHOUSE", "COMMENT"})


def _create_or_alter(
    account: Account,
    tables: DynamicTables,
    existing: DynamicTable,
    statement: grammar.CreateDynamicTable,
    settings: Mapping[str, Any],
) -> Result:
    if statement.query != existing.query:
        raise not_emulated("CREATE OR ALTER DYNAMIC TABLE with another query")
    _set(account, tables, existing, {key: value for key, value in settings.items() if key in _SET})
    return status(f"Dynamic table {existing.name.name} successfully created.")


def _checked(account: Account, settings: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The properties with a target lag in seconds; refuses unknown ones and invalid values."""
    checked = dict(settings)
    for key, value in settings.items():
        if key in _ABSENT or key.endswith(" POLICY"):
            raise not_emulated(f"{key} of a dynamic table")
        if key not in known:
            raise SqlError(
                f"SQL compilation error:\ninvalid property '{key}' for 'DYNAMIC_TABLE'", 1420, "42601"
            )
        match key:
            case "TARGET_LAG":
                checked[key] = parse_lag(str(value))
            case "WAREHOUSE" | "INITIALIZATION_WAREHOUSE":
                demand_warehouse(account, str(value))
            case "REFRESH_MODE" if str(value).upper() not in ("AUTO", "FULL", "INCREMENTAL"):
                raise invalid_value(value, key)
            case "INITIALIZE" if str(value).upper() not in ("ON_CREATE", "ON_SCHEDULE"):
                raise invalid_value(value, key)
            case "SCHEDULER" if str(value).upper() not in ("ENABLE", "DISABLE"):
                raise invalid_value(value, key)
            case "DATA_RETENTION_TIME_IN_DAYS" | "MAX_DATA_EXTENSION_TIME_IN_DAYS":
                check_days(key, value)
    return checked


def _described(
    account: Account,
    session: Session,
    name: ObjectName,
    statement: grammar.CreateDynamicTable,
    settings: Mapping[str, Any],
) -> DynamicTable:
    """The dynamic table that the statement describes; raises SqlError."""
    is_scheduled = str(settings.get("SCHEDULER", "ENABLE")).upper() == "ENABLE"
    lacking = [key for key in _NEEDED if key not in settings and (key != "TARGET_LAG" or is_scheduled)]
    if lacking:
        raise SqlError(f"SQL compilation error:\nMissing option(s): [{', '.join(lacking)}]", 2029, "42601")
    sources = sources_of(account, session, statement.query, session)
    for source in sources:
        if source.kind == "STREAM":
            raise _refused(f"Dynamic Tables do not support the stream '{source.name}' as a source.")
        if source.name in session.temporaries:
            raise _refused(f"Dynamic Tables do not support the temporary table '{source.name}' as a source.")
    if not any(source.kind for source in sources):
        # The query itself reports which object is missing.
        account.execute(session, statement.query, describe_only=True)
        raise _refused("Dynamic Tables must have at least one base table.")
    mode, reason = _refresh_mode(name, statement.query, str(settings.get("REFRESH_MODE", "AUTO")).upper())
    now = account.clock()
    initialization = settings.get("INITIALIZATION_WAREHOUSE")
    table = DynamicTable(
        name=name,
        id=str(uuid.uuid4()),
        written=_text(statement),
        query=statement.query,
        database=session.database,
        schema=session.schema,
        owner=session.role,
        created_on=now,
        warehouse=str(settings["WAREHOUSE"]),
        target_lag=settings.get("TARGET_LAG"),
        refresh_mode=mode,
        refresh_mode_reason=reason,
        valid_from=now,
        is_scheduled=is_scheduled,
        initialization_warehouse=None if initialization is None else str(initialization),
        sources=sources,
        reads=base_tables(account, session, sources),
    )
    _check_lag(account.part(DynamicTables), table)
    return table


def _refresh_mode(name: ObjectName, query: str, asked: str) -> tuple[str, str | None]:
    """The refresh mode; if the server chose it, also why it is not INCREMENTAL."""
    if asked == "FULL":
        return "FULL", None
    reason = refresh_mode.reason_against(query)
    if reason is None:
        return "INCREMENTAL", None
    if asked == "INCREMENTAL":
        raise SqlError(
            f"SQL compilation error:\nDynamic table '{name}' cannot be refreshed incrementally: {reason}",
            2731,
            "0A000",
        )
    return "FULL", reason


def _check_lag(tables: DynamicTables, table: DynamicTable) -> None:
    """Refuse a table that reads itself, and a target lag that is shorter than that of a table below."""
    if table.name in table.reads:
        raise _refused(f"The definition of dynamic table '{table.name}' reads the table itself.")
    for above in tables.upstream(table):
        if (
            table.target_lag is not None
            and above.target_lag is not None
            and table.target_lag < above.target_lag
        ):
            raise _refused(
                f"The target lag of dynamic table '{table.name}' is shorter than that of the dynamic table"
                f" '{above.name}' that it reads ({above.shown_lag})."
            )
        if above.name == table.name or table.name in {one.name for one in tables.upstream(above)}:
            raise _refused(f"The definition of dynamic table '{table.name}' reads the table itself.")


def _refused(sentence: str) -> SqlError:
    return SqlError(f"SQL compilation error: {sentence}", 2728, "23001")


def _make(
    account: Account,
    session: Session,
    tables: DynamicTables,
    table: DynamicTable,
    existing: DynamicTable | None,
    statement: grammar.CreateDynamicTable,
    settings: Mapping[str, Any],
) -> None:
    """Create the table with columns, rows and metadata; raises SqlError without changing anything."""
    is_filled = str(settings.get("INITIALIZE", "ON_CREATE")).upper() == "ON_CREATE"
    query = _with_columns(statement, with_rows=is_filled)
    seen = change_store.versions(account, table.reads)
    if is_filled:
        _fill_upstream(tables, table)
    with tables.writing():
        account.execute(session, f"CREATE OR REPLACE TABLE {table.name.fqn()} AS {query}")
    _note(account, session, table, statement, settings)
    if existing is not None:
        tables.forget(existing)
    tables.save(table, "CREATE_DYNAMIC_TABLE")
    if is_filled:
        tables.created(tables.tables[table.name], seen, _row_count(account, table.name))


def _row_count(account: Account, name: ObjectName) -> int:
    return int(account.engine.rows(f"SELECT count(*) FROM {duckdb_identifier(*parts_of(name))}")[0][0])


def _fill_upstream(tables: DynamicTables, table: DynamicTable) -> None:
    """Refresh the tables that the new table reads, if they were never refreshed."""
    for above in tables.upstream(table):
        if above.data_timestamp is None:
            tables.refresh(above.name, "CREATION")


def _with_columns(statement: grammar.CreateDynamicTable, *, with_rows: bool) -> str:
    """The query with the declared names and types of columns."""
    limit = "" if with_rows else " LIMIT 0"
    if not statement.columns:
        return f"SELECT * FROM ({statement.query}\n) AS query{limit}"
    names = ", ".join(quoted_if_needed(column.name) for column in statement.columns)
    chosen = ", ".join(
        f"{quoted_if_needed(column.name)}::{column.type} AS {quoted_if_needed(column.name)}"
        if column.type
        else quoted_if_needed(column.name)
        for column in statement.columns
    )
    return f"SELECT {chosen} FROM ({statement.query}\n) AS query ({names}){limit}"


def _note(
    account: Account,
    session: Session,
    table: DynamicTable,
    statement: grammar.CreateDynamicTable,
    settings: Mapping[str, Any],
) -> None:
    """Store the table's statement, comments and tags."""
    record = records.find(account, table.name)
    assert record is not None
    details: dict[str, Any] = {"DYNAMIC": True, **{key: settings[key] for key in _KEPT if key in settings}}
    details |= {"TRANSIENT": True} if statement.transient else {}
    details |= {"CLUSTER_BY": settings["CLUSTER_BY"]} if "CLUSTER_BY" in settings else {}
    records.save(account, replace(record, written=statement.written, details=details))
    table_notes.set_comment(account.engine, table.name, str(settings.get("COMMENT", "")))
    parts = parts_of(table.name)
    for column in statement.columns:
        if column.comment:
            session.rows(table_notes.column_comment_sql(parts, column.name, column.comment))
    _assign(account, session, table, statement.tags)
    for column in statement.columns:
        _assign(account, session, table, column.tags, column.name)


def _assign(
    account: Account, session: Session, table: DynamicTable, tags: grammar.Tags, column: str = ""
) -> None:
    if tags:
        values = tagging.one_value_each((resolve(tag, session), value) for tag, value in tags)
        tagging.assign(account, "TABLE", table.name.fqn(), values, column)


# -- ALTER


def alter(account: Account, session: Session, statement: grammar.AlterDynamicTable) -> Result:
    name = resolve(statement.name, session)
    tables = account.part(DynamicTables)
    with tables.lock:
        table = _existing(account, session, name, if_exists=statement.if_exists)
        others = [
            _existing(account, session, resolve(one, session), if_exists=statement.if_exists)
            for one in statement.others
        ]
        if statement.change == "REFRESH":
            return _refreshed(tables, [one for one in (table, *others) if one is not None])
        if table is None:
            return status()
        match statement.change:
            case "SUSPEND":
                tables.suspend(table)
            case "RESUME":
                tables.resume(table)
            case "RENAME":
                assert statement.new is not None
                _rename(account, session, tables, table, resolve(statement.new, session))
            case "SET":
                _set(account, tables, table, _checked(account, statement.settings, _SET))
            case "UNSET":
                _unset(account, tables, table, statement.unset)
            case "SET TAG":
                _assign(account, session, table, statement.tags)
            case "UNSET TAG":
                tags.unassign(
                    account, "TABLE", name.fqn(), [resolve(one, session) for one in statement.tag_names]
                )
            case "COMMENTS":
                for column, text in statement.comments:
                    written = f"{table.name.fqn()}.{quoted_if_needed(column)}"
                    account.execute(session, f"COMMENT ON COLUMN {written} IS {literal(text)}")
            case "CLUSTER" | "UNCLUSTER":
                record = records.find(account, name)
                assert record is not None
                keeping.change(account, record, CLUSTER_BY=statement.settings.get("CLUSTER_BY"))
            case _:
                raise not_emulated(f"ALTER DYNAMIC TABLE … {statement.change}")
    return status()


def _refreshed(tables: DynamicTables, chosen: list[DynamicTable]) -> Result:
    for table in chosen:
        done = tables.refresh(table.name, "MANUAL")
        if done.state != "SUCCEEDED":
            raise SqlError(
                f"Failed to refresh dynamic table '{table.name.fqn()}': {done.message}",
                int(done.code) if done.code.isdigit() else 2737,
                "42000",
            )
    return status()


def _existing(
    account: Account, session: Session, name: ObjectName, *, if_exists: bool
) -> DynamicTable | None:
    """The dynamic table, or None if it is missing and IF EXISTS is given; refuses other kinds of tables."""
    table = account.part(DynamicTables).find(name)
    if table is not None:
        return table
    demand_schema(account, name)
    kind = account.engine.kind_of(session, parts_of(name))
    if kind is not None:
        raise wrong_kind(kind, "DYNAMIC_TABLE")
    if if_exists:
        return None
    raise does_not_exist("Dynamic Table", name)


def _set(account: Account, tables: DynamicTables, table: DynamicTable, settings: Mapping[str, Any]) -> None:
    changed = replace(
        table,
        target_lag=settings.get("TARGET_LAG", table.target_lag),
        warehouse=str(settings.get("WAREHOUSE", table.warehouse)),
        initialization_warehouse=settings.get("INITIALIZATION_WAREHOUSE", table.initialization_warehouse),
        is_scheduled=str(settings.get("SCHEDULER", "ENABLE" if table.is_scheduled else "DISABLE")).upper()
        == "ENABLE",
    )
    _check_lag(tables, changed)
    if "COMMENT" in settings:
        table_notes.set_comment(account.engine, table.name, str(settings["COMMENT"]))
    kept = {key: settings[key] for key in _KEPT if key in settings}
    record = records.find(account, table.name)
    if kept and record is not None:
        keeping.change(account, record, **kept)
    if changed != table:
        trigger = "ALTER_TARGET_LAG" if changed.target_lag != table.target_lag else "ALTER_WAREHOUSE"
        tables.save(changed, trigger)


def _unset(account: Account, tables: DynamicTables, table: DynamicTable, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key not in _SET - frozenset(_NEEDED):
            raise SqlError(
                f"SQL compilation error:\ninvalid property '{key}' for 'DYNAMIC_TABLE'", 1420, "42601"
            )
    record = records.find(account, table.name)
    if record is not None:
        keeping.change(account, record, **{key: None for key in keys if key in _KEPT})
    if "COMMENT" in keys:
        table_notes.set_comment(account.engine, table.name, "")
    if "INITIALIZATION_WAREHOUSE" in keys:
        tables.save(replace(table, initialization_warehouse=None), "ALTER_WAREHOUSE")


def _rename(
    account: Account, session: Session, tables: DynamicTables, table: DynamicTable, new: ObjectName
) -> None:
    if account.engine.kind_of(session, parts_of(new)) is not None:
        raise name_is_taken(new)
    with tables.writing():
        account.execute(session, f"ALTER TABLE {table.name.fqn()} RENAME TO {new.fqn()}")
    tables.save(replace(table, name=new), "RENAME")


# -- DROP, DESCRIBE


def drop(account: Account, session: Session, statement: grammar.DropDynamicTable) -> Result:
    name = resolve(statement.name, session)
    tables = account.part(DynamicTables)
    with tables.lock:
        table = tables.find(name)
        if table is None:
            demand_schema(account, name)
            kind = account.engine.kind_of(session, parts_of(name))
            if kind is not None and not statement.if_exists:
                raise wrong_kind(kind, "DYNAMIC_TABLE")
            return missing("Dynamic Table", name.fqn(), statement.if_exists)
        with tables.writing():
            account.execute(session, f"DROP TABLE {name.fqn()}")
        tables.forget(table)
    return status(f"{name.name} successfully dropped.")


def describe(account: Account, session: Session, statement: grammar.DescribeDynamicTable) -> Result:
    name = resolve(statement.name, session)
    _existing(account, session, name, if_exists=False)
    return account.execute(session, f"DESCRIBE TABLE IDENTIFIER({literal(name.fqn())})")


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Drop the dynamic tables of a dropped schema."""
    tables = account.part(DynamicTables)
    for name, table in tables.tables.items():
        if (name.database, name.schema) == (database, schema):
            tables.forget(table)


HANDLERS: Handlers = {
    grammar.CreateDynamicTable: create,
    grammar.AlterDynamicTable: alter,
    grammar.DropDynamicTable: drop,
    grammar.DescribeDynamicTable: describe,
    grammar.ShowDynamicTables: shown.show_tables,
}
READ_ONLY = frozenset({grammar.DescribeDynamicTable, grammar.ShowDynamicTables})
