"""Relations that DuckDB reads and accounts do not have: files, and views of its catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, does_not_exist

if TYPE_CHECKING:
    from sfml_local.core.session import Session

OF_CATALOGUE = ("DUCKDB_", "PG_", "PRAGMA_", "SQLITE_")
"""What the names of DuckDB's views begin with; a user's table may, too."""


def refuse_file(node: exp.Table) -> None:
    """FROM 'file'; a path of a stage begins with @."""
    if isinstance(node.this, exp.Literal) and not node.name.startswith(("@", "snow://")):
        words = f"syntax error unexpected ''{node.name}''."
        raise SqlError(f"SQL compilation error:\n{words}", 1003, "42000")


def place_foreign_view(node: exp.Table, parts: list[str], tree: Expr, session: Session) -> None:
    """Let DuckDB look for the name in the session's schema only, where none of its views is."""
    if len(parts) > 1 and parts[-2] == "PG_CATALOG":
        raise does_not_exist(
            "Schema", ".".join([parts[0] if len(parts) > 2 else str(session.database), parts[-2]])
        )
    is_query = any(one.alias.upper() == parts[-1] for one in tree.find_all(exp.CTE))
    if len(parts) == 1 and not is_query and session.database and session.schema:
        node.set("db", exp.to_identifier(session.schema, quoted=True))
        node.set("catalog", exp.to_identifier(session.database, quoted=True))
