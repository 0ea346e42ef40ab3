"""Dropping and renaming columns, swapping tables, and comments of tables, views, columns, schemas and databases.

https://docs.snowflake.com/en/sql-reference/sql/alter-table-column · /comment
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlglot import exp

from sfml_local.core import table_notes
from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import SqlError, already_exists, does_not_exist, not_emulated, wrong_kind
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import demand_schema
from sfml_local.core.result import Result, status
from sfml_local.core.rewriting import dotted
from sfml_local.core.transactions import commit_open, transaction
from sfml_local.core.translating import translating
from sfml_local.grammar.databases import DescribePlace, DescribeTable, Kind
from sfml_local.grammar.model_calls import respelled
from sfml_local.grammar.quoting import duckdb_identifier, literal, quoted_if_needed
from sfml_local.grammar.sequences import AlterSequence, DescribeSequence
from sfml_local.grammar.shows import ShowObjects
from sfml_local.grammar.table_properties import AddKey, ChangeProperties, DropKey, KeepKey, RenameKey
from sfml_local.grammar.tables import (
    ELSEWHERE,
    AlterColumns,
    DropColumns,
    RenameColumn,
    SetColumnComments,
    SetComment,
    SwapTables,
    Truncate,
)
from sfml_local.grammar.tokens import Name
from sfml_local.services.databases import store as databases
from sfml_local.services.databases.sql import existing
from sfml_local.services.objects import altering, describing, sequences, show
from sfml_local.services.objects import store as records
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


def drop_columns(account: Account, session: Session, statement: DropColumns) -> Result:
    """ALTER TABLE … DROP COLUMN, all or none."""
    table = _table(account, session, statement.table, statement.if_exists)
    if table is None:
        return status()
    _refuse_dynamic(account, table)
    known = _columns(account, session, table)
    dropped = [column for column in statement.columns if column in known or not statement.if_columns_exist]
    for index, column in enumerate(dropped):
        if column not in known or column in dropped[:index]:
            raise SqlError(f"SQL compilation error:\ncolumn '{column}' does not exist", 904, "42000")
    if dropped and len(dropped) == len(known):
        raise SqlError("SQL compilation error:\ncannot drop the last column of a table", 1003, "42000")
    record = records.find(account, table)
    for column in dropped:
        if records.is_clustered_by(record, column):
            raise SqlError(
                f"SQL compilation error:\ncannot drop clustering key column '{column}'", 1003, "42000"
            )
    place = duckdb_identifier(*_parts(session, table))
    _alter(session, [f"ALTER TABLE {place} DROP COLUMN {duckdb_identifier(column)}" for column in dropped])
    for column in dropped:
        semi_structured.drop_column(account, session, table, column)
        table_notes.drop_column(account.engine, table, column)
        records.drop_column(account, table, column)
    return status()


def rename_column(account: Account, session: Session, statement: RenameColumn) -> Result:
    """ALTER TABLE … RENAME COLUMN; unlike DuckDB, an account distinguishes `a` and `A`."""
    table = _table(account, session, statement.table, statement.if_exists)
    if table is None:
        return status()
    _refuse_dynamic(account, table)
    known = _columns(account, session, table)
    if statement.column not in known:
        raise does_not_exist("Object", statement.column)
    if statement.new in known:
        raise already_exists(f"{table.name}.{statement.new}")
    place = duckdb_identifier(*_parts(session, table))
    old, new = duckdb_identifier(statement.column), duckdb_identifier(statement.new)
    _alter(session, [f"ALTER TABLE {place} RENAME COLUMN {old} TO {new}"])
    semi_structured.rename_column(account, session, table, statement.column, statement.new)
    table_notes.rename_column(account.engine, table, statement.column, statement.new)
    records.rename_column(account, table, statement.column, statement.new)
    return status()


def set_comment(account: Account, session: Session, statement: SetComment) -> Result:
    """COMMENT ON, SET COMMENT and UNSET COMMENT."""
    if statement.kind in ELSEWHERE:
        assert statement.name is not None
        exists = "IF EXISTS " if statement.if_exists else ""
        written = ".".join(quoted_if_needed(part) for part in statement.name.parts)
        return account.execute(
            session, f"ALTER {statement.kind} {exists}{written} SET COMMENT = {literal(statement.text)}"
        )
    if statement.name is None:
        raise not_emulated(f"COMMENT ON {statement.kind}")
    if statement.kind in ("SCHEMA", "DATABASE"):
        return _comment_container(account, session, statement)
    if statement.kind == "COLUMN":
        *table, column = statement.name.parts
        return _comment_columns(
            account, session, Name(tuple(table)), ((column, statement.text),), statement.if_exists, kind=None
        )
    name = _table(account, session, statement.name, statement.if_exists, statement.kind)
    if name is not None:
        commit_open(session)
        if name not in session.temporaries:
            table_notes.set_comment(account.engine, name, statement.text)
    return status()


def set_column_comments(account: Account, session: Session, statement: SetColumnComments) -> Result:
    """ALTER TABLE or VIEW … MODIFY COLUMN … COMMENT."""
    return _comment_columns(
        account, session, statement.table, statement.comments, statement.if_exists, statement.kind
    )


def _comment_columns(
    account: Account,
    session: Session,
    written: Name,
    comments: tuple[tuple[str, str], ...],
    if_exists: bool,
    kind: str | None = "TABLE",
) -> Result:
    table = _table(account, session, written, if_exists, kind)
    if table is None:
        return status()
    known = _columns(account, session, table)
    for column, _ in comments:
        if column not in known:
            raise _invalid(column)
    parts = _parts(session, table)
    _alter(session, [table_notes.column_comment_sql(parts, column, text) for column, text in comments])
    return status()


def _comment_container(account: Account, session: Session, statement: SetComment) -> Result:
    assert statement.name is not None
    kind: Kind = "DATABASE" if statement.kind == "DATABASE" else "SCHEMA"
    place = existing(account, session, kind, statement.name, statement.if_exists)
    if place is not None:
        commit_open(session)
        databases.set_comment(account, *place, statement.text)
    return status()


def _table(
    account: Account, session: Session, written: Name, if_exists: bool, kind: str | None = "TABLE"
) -> ObjectName | None:
    """The table's full name; None if it does not exist and IF EXISTS is given."""
    name = resolve(written, session)
    actual = account.engine.kind_of(session, _parts(session, name))
    if actual is None:
        demand_schema(account, name)
        if if_exists:
            return None
        raise does_not_exist((kind or "TABLE").capitalize(), name)
    if kind is not None and actual != kind:
        raise wrong_kind(actual, kind)
    return name


def _refuse_dynamic(account: Account, table: ObjectName) -> None:
    """Refuses changes of a dynamic table's columns, which are those of its query."""
    record = records.find(account, table)
    if record is not None and record.is_dynamic:
        raise wrong_kind("DYNAMIC_TABLE", "TABLE")


def _parts(session: Session, name: ObjectName) -> tuple[str, str, str]:
    return parts_of(name, temporary=name in session.temporaries)


def _columns(account: Account, session: Session, table: ObjectName) -> list[str]:
    return [row[0] for row in account.engine.columns(session, table)]


def _alter(session: Session, statements: list[str]) -> None:
    with session.lock, translating("; ".join(statements)):
        commit_open(session)
        with transaction(session):
            for statement in statements:
                session.rows(statement)


def _invalid(column: str) -> SqlError:
    return SqlError(
        f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{column}'", 904, "42000"
    )


def alter_columns(account: Account, session: Session, statement: AlterColumns) -> Result:
    """ALTER TABLE … MODIFY of several columns: one statement of several actions."""
    table = _table(account, session, statement.table, statement.if_exists)
    if table is None:
        return status()
    _refuse_dynamic(account, table)
    known = _columns(account, session, table)
    for column, _ in statement.comments:
        if column not in known:
            raise _invalid(column)
    if statement.changes:
        written = [f"ALTER TABLE {table.fqn()} ALTER COLUMN {change}" for change in statement.changes]
        with translating("; ".join(written)):
            tree, *others = (parse_one(respelled(text)) for text in written)
        for other in (tree, *others):
            for action in other.args.get("actions") or ():
                if isinstance(action, exp.AlterColumn) and dotted(action.this) not in known:
                    raise _invalid(dotted(action.this))
        actions = [action for one in (tree, *others) for action in one.args.get("actions") or ()]
        tree.set("actions", actions)
        account.run_tree(session, tree, written="; ".join(written))
    if statement.comments:
        _comment_columns(account, session, statement.table, statement.comments, statement.if_exists)
    return status()


def truncate(account: Account, session: Session, statement: Truncate) -> Result:
    """TRUNCATE TABLE IF EXISTS."""
    table = _table(account, session, statement.table, if_exists=True)
    return status() if table is None else account.execute(session, f"TRUNCATE TABLE {table.fqn()}")


def swap(account: Account, session: Session, statement: SwapTables) -> Result:
    """Each table gets the other's name, with all that is kept of it. A statement in between may miss one of them."""
    table = _table(account, session, statement.table, statement.if_exists)
    if table is None:
        return status()
    other = _table(account, session, statement.other, if_exists=False)
    assert other is not None
    for one in (table, other):
        _refuse_dynamic(account, one)
        if one in session.temporaries:
            raise not_emulated("ALTER TABLE … SWAP WITH of a temporary table")
    if (table.database, table.schema) != (other.database, other.schema):
        raise not_emulated("ALTER TABLE … SWAP WITH a table of another schema")
    if table == other:
        raise not_emulated("ALTER TABLE … SWAP WITH itself")
    free = table.sibling(f"SWAPPED_{uuid.uuid4().hex}")
    _rename_all(account, session, [(table, free), (other, table), (free, other)])
    return status()


def _rename_all(account: Account, session: Session, moves: list[tuple[ObjectName, ObjectName]]) -> None:
    """Rename tables one after the other, and none if one is refused."""
    done: list[tuple[ObjectName, ObjectName]] = []
    try:
        for old, new in moves:
            account.execute(session, f"ALTER TABLE {old.fqn()} RENAME TO {new.fqn()}")
            done.append((old, new))
    except SqlError:
        for old, new in reversed(done):
            account.execute(session, f"ALTER TABLE {new.fqn()} RENAME TO {old.fqn()}")
        raise


HANDLERS: Handlers = {
    SwapTables: swap,
    Truncate: truncate,
    AlterColumns: alter_columns,
    DropColumns: drop_columns,
    RenameColumn: rename_column,
    SetComment: set_comment,
    SetColumnComments: set_column_comments,
    ShowObjects: show.show_any,
    AddKey: altering.add_key,
    DropKey: altering.drop_key,
    RenameKey: altering.rename_key,
    KeepKey: altering.keep_key,
    ChangeProperties: altering.change_properties,
    DescribeTable: describing.describe_table,
    DescribePlace: describing.describe_place,
    AlterSequence: sequences.alter,
    DescribeSequence: sequences.describe,
}
READ_ONLY = frozenset({ShowObjects, DescribeTable, DescribePlace, DescribeSequence})


def schema_dropped(account: Account, database: str, schema: str) -> None:
    table_notes.forget_schema(account.engine, database, schema)
    records.forget_schema(account, database, schema)
