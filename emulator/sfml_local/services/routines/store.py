"""The named procedures and functions of an account, including overloads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName
from sfml_local.grammar.signatures import Parameter
from sfml_local.services.routines.procedure_types import column_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS routines (
    kind TEXT NOT NULL,
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    types TEXT NOT NULL,
    session INTEGER NOT NULL,  -- of a temporary one, else 0
    definition TEXT NOT NULL,
    created_on TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, database, schema, name, types, session)
);
-- What a Python function asks a process for, by its digest: views that call it outlive the server.
CREATE TABLE IF NOT EXISTS function_requests (
    digest TEXT PRIMARY KEY,
    request TEXT NOT NULL
);
"""

_WORDS = {"fixed": "NUMBER", "real": "FLOAT", "text": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a routine; imports are full locations."""

    parameters: tuple[Parameter, ...]
    returns: str
    language: str
    body: str | None
    handler: str = ""
    runtime_version: str = ""
    packages: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    external_access: str | None = None
    strict: bool = False
    execute_as: str = "OWNER"
    comment: str = ""
    aggregate: bool = False
    secure: bool = False
    volatility: str = "VOLATILE"
    memoizable: bool = False
    artifact_repository: str = ""
    resource_constraint: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Definition:
        fields: dict[str, Any] = json.loads(text)
        fields["parameters"] = tuple(Parameter(**one) for one in fields["parameters"])
        for name in ("packages", "imports"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Routine:
    kind: str
    name: ObjectName
    definition: Definition
    created_on: str
    owner: str
    session: int = 0

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(type_word(parameter.type) for parameter in self.definition.parameters)

    @property
    def returns(self) -> str:
        return type_word(self.definition.returns)

    @property
    def signature(self) -> str:
        return f"{self.name.name}({', '.join(self.types)})"


def type_word(declared: str) -> str:
    """A declared type as in signatures, without sizes; tables as written."""
    if declared.upper().startswith("TABLE"):
        return declared.upper()
    return word_of(column_of("type", declared).type)


def word_of(kind: str) -> str:
    """A column's wire type as in signatures."""
    return _WORDS.get(kind, kind.upper())


def put(account: Account, routine: Routine) -> None:
    """Store a routine; it replaces one with the same name and types."""
    account.store.execute(
        "INSERT OR REPLACE INTO routines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_key(routine), routine.definition.to_json(), routine.created_on, routine.owner),
    )


def remove(account: Account, routine: Routine) -> None:
    account.store.execute(
        "DELETE FROM routines WHERE kind = ? AND database = ? AND schema = ? AND name = ? AND types = ?"
        " AND session = ?",
        _key(routine),
    )


def schema_dropped(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM routines WHERE database = ? AND schema = ?", (database, schema))


def remove_temporary(account: Account, session: int | None = None) -> None:
    """Remove the temporary routines of a session, or of all."""
    if session is None:
        account.store.execute("DELETE FROM routines WHERE session <> 0")
    else:
        account.store.execute("DELETE FROM routines WHERE session = ?", (session,))


def keep_request(account: Account, digest: str, text: str) -> None:
    """Store what the process of a function is asked for, by its digest."""
    account.store.execute("INSERT OR REPLACE INTO function_requests VALUES (?, ?)", (digest, text))


def request_of(account: Account, digest: str) -> str | None:
    text: str | None = account.store.value(
        "SELECT request FROM function_requests WHERE digest = ?", (digest,)
    )
    return text


def has_python(account: Account) -> bool:
    """Whether the account has Python code that a process would run: in a routine, a task or an ML Job."""
    row = account.store.row(
        "SELECT 1 FROM routines WHERE definition LIKE '%PYTHON%'"
        " UNION ALL SELECT 1 FROM tasks WHERE settings LIKE '%PYTHON%' OR settings LIKE '%EXECUTE_ML_JOB%'"
        " LIMIT 1"
    )
    return row is not None


def _key(routine: Routine) -> tuple[Any, ...]:
    name = routine.name
    return (
        *(routine.kind, *name.parts),
        *(",".join(routine.types), routine.session),
    )


def overloads(account: Account, session: Session, kind: str, name: ObjectName) -> list[Routine]:
    """The routines with this name that a session sees; a temporary one hides another with the same types."""
    rows = account.store.rows(
        "SELECT * FROM routines WHERE kind = ? AND database = ? AND schema = ? AND name = ?"
        " ORDER BY types, session",
        (kind, *name.parts),
    )
    seen = {routine.types: routine for routine in _visible(map(_routine, rows), session)}
    return list(seen.values())


def every(account: Account, session: Session, kind: str) -> list[Routine]:
    """All routines of a kind that a session sees, by name."""
    rows = account.store.rows(
        "SELECT * FROM routines WHERE kind = ? ORDER BY database, schema, name, types, session", (kind,)
    )
    return list(_visible(map(_routine, rows), session))


def _visible(routines: Iterable[Routine], session: Session) -> Iterable[Routine]:
    """Permanent routines, and the temporary ones of this session and its parents."""
    ids = {0}
    one: Session | None = session
    while one is not None:
        ids.add(one.id)
        one = one.parent
    return (routine for routine in routines if routine.session in ids)


def _routine(row: Any) -> Routine:
    name = ObjectName(row["database"], row["schema"], row["name"])
    definition = Definition.from_json(row["definition"])
    return Routine(row["kind"], name, definition, row["created_on"], row["owner"], row["session"])


def find(
    account: Account, session: Session, kind: str, name: ObjectName, types: Iterable[str]
) -> Routine | None:
    """The routine with exactly these types."""
    words = tuple(map(type_word, types))
    found = overloads(account, session, kind, name)
    return next((routine for routine in found if routine.types == words), None)


def unknown(kind: str, name: str, types: Iterable[str]) -> SqlError:
    """002140, 002141: there is no routine with this name and these types."""
    if kind == "PROCEDURE":
        word = "user-defined function" if "." in name else "function"
        return SqlError(f"SQL compilation error:\nUnknown {word} {name}", 2140, "42601")
    word = {"FUNCTION": "user-defined function"}.get(kind, kind.lower())
    shown = f"{name}({', '.join(types)})"
    return SqlError(f"SQL compilation error:\nUnknown {word} {shown}.", 2141, "42601")
