"""Temporary tables and views of dropped schemas and databases, in every session that has some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.grammar.quoting import duckdb_identifier

if TYPE_CHECKING:
    from sfml_local.core.session import Session

_KIND = """
SELECT 'TABLE' FROM duckdb_tables() WHERE database_name = 'temp' AND table_name = ?
UNION ALL
SELECT 'VIEW' FROM duckdb_views() WHERE database_name = 'temp' AND view_name = ?
"""


def forget_place(session: Session, database: str, schema: str | None) -> None:
    """Temporary tables of a dropped schema or database end with it; DuckDB drops them before the next statement.

    Another thread may work in the session, so its connection is left alone here.
    """
    known = list(session.temporaries)
    gone = {name for name in known if name.database == database and schema in (None, name.schema)}
    session.temporaries.difference_update(gone)
    session.dropped.update(gone)


def drop_forgotten(session: Session) -> None:
    """Drop what `forget_place` has left in DuckDB; called under the session's lock."""
    while session.dropped:
        name = session.dropped.pop()
        place = duckdb_identifier("temp", "main", name.fqn())
        kind = session.rows(_KIND, [name.fqn()] * 2)
        if kind:
            session.rows(f"DROP {kind[0][0]} IF EXISTS {place}")
        session.lengths.pop(name, None)
