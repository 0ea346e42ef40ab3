"""The staged files that COPY INTO has loaded into a table; unchanged files are not loaded again.

Stored in the DuckDB file of the table, and written in the loading transaction, so that a rollback or a
kill affects both or neither. A table that is truncated, replaced or dropped loses its history. On an account, the
history ends after 64 days, but older files are skipped then as well.
https://docs.snowflake.com/en/user-guide/data-load-considerations-load#load-metadata
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import created_temporary, full_name, target_of
from sfml_local.core.transactions import ends_with_statement
from sfml_local.core.translating import translating
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.stages import locations
from sfml_local.services.streams.changes import PLACE, quoted

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_COLUMNS = "(schema VARCHAR, name VARCHAR, file VARCHAR, md5 VARCHAR, PRIMARY KEY (schema, name, file))"
_TEMPORARY = "temp.main._sfml_loads"


class LoadTurns:
    """Locks of an account's tables, held while files are loaded into one."""

    def __init__(self, account: Account) -> None:
        self.locks = tuple(threading.RLock() for _ in range(64))


class KnownHistories:
    """The schemas whose history may have rows: few have any, and every definition would delete some."""

    def __init__(self, account: Account) -> None:
        self._engine = account.engine
        self._asked: set[str] = set()
        self._filled: set[tuple[str, str]] = set()
        """A name is put in before the first row is written, and stays."""

    def fill(self, database: str, schema: str) -> None:
        """A row is about to be written."""
        self._filled.add((database, schema))

    def may_have_rows(self, database: str, schema: str) -> bool:
        """Whether the history of a schema, or another transaction, may have rows of its tables."""
        if database not in self._asked:
            for (filled,) in self._engine.rows(f"SELECT DISTINCT schema FROM {_of_database(database)}"):
                self.fill(database, filled)
            self._asked.add(database)
        return (database, schema) in self._filled


def creation_sql(database: str) -> str:
    """The history table of a database; created with it, because two transactions could not both create it."""
    return f"CREATE TABLE IF NOT EXISTS {_of_database(database)} {_COLUMNS}"


def loaded(session: Session, table: ObjectName) -> Mapping[str, str]:
    """The MD5 of each file that the table has been loaded from."""
    query = f"SELECT file, md5 FROM {_loads(session, table)} WHERE schema = ? AND name = ?"
    _make_temporary(session, table)
    return dict(session.rows(query, _key(table)))


def note(account: Account, session: Session, table: ObjectName, files: Mapping[str, str]) -> None:
    """Record these files with their MD5 in the session's open transaction."""
    account.part(KnownHistories).fill(table.database, table.schema)
    loads = _loads(session, table)
    insert = f"INSERT INTO {loads} VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET md5 = excluded.md5"
    with session.lock, translating("COPY INTO"):
        _make_temporary(session, table)
        for file, md5 in files.items():
            session.rows(insert, [*_key(table), file, md5])


def turn(account: Account, table: ObjectName) -> contextlib.AbstractContextManager[bool]:
    """Locks a table during a load, like Snowflake, so that the next load sees the history."""
    locks = account.part(LoadTurns).locks
    return locks[hash(table) % len(locks)]


@contextlib.contextmanager
def one_transaction(account: Account, session: Session) -> Iterator[None]:
    """Run all statements of the block in one transaction, the session's open one if there is one."""
    if not ends_with_statement(session):
        yield
        return
    account.run(session, "BEGIN")
    try:
        yield
    except BaseException:
        with contextlib.suppress(SqlError):
            account.run(session, "ROLLBACK")
        raise
    account.run(session, "COMMIT")


# -- what tables forget


@contextlib.contextmanager
def forgetting(tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    """Around a statement that truncates, replaces, drops or renames a table, whose own stage goes with it."""
    session = rewriting.session
    temporary = created_temporary(tree) is not None
    names = [full_name(table, session, temporary=temporary) for table in _gone(tree)]
    gone = [name for name in names if name is not None]
    moved = list(_moved(tree, session))
    yield
    if not temporary and not isinstance(tree, exp.TruncateTable):
        for name in gone:
            locations.forget_table(rewriting.account, name)
    for name in gone:
        _change(rewriting, name, "DELETE FROM {} WHERE schema = ? AND name = ?", _key(name))
    for old, new in moved:
        locations.move_table(rewriting.account, old, new)
        _change(
            rewriting,
            new,
            "UPDATE {} SET name = ? WHERE schema = ? AND name = ?",
            [new.name, *_key(old)],
        )


def _gone(tree: Expr) -> Iterable[Expr | None]:
    if isinstance(tree, exp.TruncateTable):
        return list(tree.expressions)
    if isinstance(tree, exp.Drop) and tree.kind == "TABLE":
        return list(tree.find_all(exp.Table))
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and tree.args.get("replace"):
        return [target_of(tree)]
    return []


def _moved(tree: Expr, session: Session) -> Iterator[tuple[ObjectName, ObjectName]]:
    for action in (tree.args.get("actions") or ()) if isinstance(tree, exp.Alter) else ():
        old = full_name(tree.this, session)
        if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table) and old is not None:
            is_temporary = tree.this.catalog == "temp"
            last = parse_name(action.this.name).last if is_temporary else dotted(action.this.this)
            yield old, old.sibling(last)


def _change(rewriting: Rewriting, table: ObjectName, sql: str, parameters: list[str]) -> None:
    session = rewriting.session
    _make_temporary(session, table)
    histories = rewriting.account.part(KnownHistories)
    if table in session.temporaries or histories.may_have_rows(table.database, table.schema):
        session.rows(sql.format(_loads(session, table)), parameters)


def _make_temporary(session: Session, table: ObjectName) -> None:
    if table in session.temporaries:
        session.rows(f"CREATE TEMP TABLE IF NOT EXISTS _sfml_loads {_COLUMNS}")


def _key(table: ObjectName) -> list[str]:
    return [table.schema, table.name]


def _loads(session: Session, table: ObjectName) -> str:
    """The history table in the database of the table."""
    if table in session.temporaries:
        return _TEMPORARY
    return _of_database(table.database)


def _of_database(database: str) -> str:
    return f"{quoted(database)}.{PLACE}._sfml_loads"


def schema_dropped(account: Account, database: str, schema: str) -> None:
    if account.part(KnownHistories).may_have_rows(database, schema):
        account.engine.rows(f"DELETE FROM {_of_database(database)} WHERE schema = ?", [schema])
