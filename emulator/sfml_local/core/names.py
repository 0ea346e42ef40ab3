"""Names of objects: fully qualified, and written for SQL or for clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sfml_local.core.errors import SqlError, no_current_database, no_current_schema
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name, parse_name


class Namespace(Protocol):
    """A session's current database and schema, in which unqualified names are resolved."""

    @property
    def database(self) -> str | None: ...

    @property
    def schema(self) -> str | None: ...


@dataclass(frozen=True, slots=True, order=True)
class ObjectName:
    """The three parts of a schema object's name, folded."""

    database: str
    schema: str
    name: str

    @property
    def parts(self) -> tuple[str, str, str]:
        return self.database, self.schema, self.name

    def fqn(self) -> str:
        return ".".join(quoted_if_needed(part) for part in self.parts)

    def __str__(self) -> str:
        return self.fqn()

    def sibling(self, name: str) -> ObjectName:
        """The name of another object in the same schema."""
        return ObjectName(self.database, self.schema, name)


def resolve(name: Name | str, session: Namespace) -> ObjectName:
    """The full name of a schema object as the session sees it."""
    parts = (parse_name(name) if isinstance(name, str) else name).parts
    if len(parts) == 3:
        return ObjectName(*parts)
    if session.database is None:
        raise no_current_database()
    if len(parts) == 2:
        return ObjectName(session.database, *parts)
    if session.schema is None:
        raise no_current_schema()
    return ObjectName(session.database, session.schema, parts[0])


def resolve_schema(name: Name | str | None, session: Namespace) -> tuple[str, str]:
    """(database, schema) of a name of at most two parts, or the session's own."""
    parts = () if name is None else (parse_name(name) if isinstance(name, str) else name).parts
    if len(parts) > 2:
        raise SqlError(f"SQL compilation error:\ninvalid schema name '{'.'.join(parts)}'", 1003, "42000")
    if len(parts) == 2:
        return parts[0], parts[1]
    if session.database is None:
        raise no_current_database()
    schema = parts[0] if parts else session.schema
    if schema is None:
        raise no_current_schema()
    return session.database, schema
