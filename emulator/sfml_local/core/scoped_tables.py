"""Temporary tables of Snowpark's own, which a procedure with its owner's rights shares with its caller.

An estimator's `fit` reads, in such a procedure, the table that `create_dataframe` has made of a pandas frame, and
`fit_transform` fills one that its caller has made. The procedure has a connection of its own, so it works on a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.grammar.quoting import duckdb_identifier

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.names import ObjectName
    from sfml_local.core.session import Session

SCOPED = "SNOWPARK_TEMP_"
"""The beginning of the names that Snowpark gives to temporary objects."""

_COLUMNS = """
SELECT column_name, data_type FROM duckdb_columns()
WHERE database_name = 'temp' AND schema_name = 'main' AND table_name = ? ORDER BY column_index
"""


def lent(session: Session) -> set[ObjectName]:
    """The tables that the session of such a procedure sees of its callers."""
    names: set[ObjectName] = set()
    one = session
    while one.is_owners and one.parent is not None:
        one = one.parent
        names |= {name for name in one.temporaries if name.name.startswith(SCOPED)}
    return names


def borrow(session: Session, name: ObjectName) -> None:
    """Copy a caller's table into the session that names it, unless it is there."""
    if name in session.temporaries:
        return
    session.borrowed[name] = _rows(_lender(session, name), name)
    _put(_lender(session, name), session, name, session.borrowed[name])
    session.temporaries.add(name)


def give_back(session: Session) -> None:
    """Let the callers have what the procedure has changed in their tables."""
    for name, before in session.borrowed.items():
        lender = _lender(session, name)
        if lender.is_closed or name not in session.temporaries:
            continue
        if not (now := _rows(session, name)).equals(before):
            _put(session, lender, name, now)
    session.borrowed.clear()


def _lender(session: Session, name: ObjectName) -> Session:
    """The nearest caller with the table."""
    lender = session.parent
    assert lender is not None
    while name not in lender.temporaries and lender.parent is not None:
        lender = lender.parent
    return lender


def _rows(session: Session, name: ObjectName) -> pa.Table:
    with session.lock:
        return session.duck.execute(f"SELECT * FROM {_place(name)}").to_arrow_table()


def _put(source: Session, target: Session, name: ObjectName, rows: pa.Table) -> None:
    """Make the table with these rows in another session, with the columns that it has in the first one."""
    with source.lock:
        columns = source.duck.execute(_COLUMNS, [name.fqn()]).fetchall()
    declared = ", ".join(f"{duckdb_identifier(column)} {kind}" for column, kind in columns)
    relation = f"_sfml_relation_{target.next_relation()}"
    with target.lock:
        target.duck.register(relation, rows)
        try:
            target.duck.execute(f"CREATE OR REPLACE TEMPORARY TABLE {_place(name)} ({declared})")
            target.duck.execute(f"INSERT INTO {_place(name)} SELECT * FROM {duckdb_identifier(relation)}")
        finally:
            target.duck.unregister(relation)


def _place(name: ObjectName) -> str:
    return duckdb_identifier("temp", "main", name.fqn())
