"""What accounts were recorded to answer: the tables of facts in `facts/`, each tried in a schema of its own.

A fact is a statement after its setup and one of: `error` (a part of the message with its code), `columns`, `names`
(the column `name`), `rows`, `count`, `cells` (of the one row), `types` (wire words), `described` (the columns as
clients are told of them), `sized` (the type of the first of them), `told` (values by the names of parameters or
properties), or nothing, where the statement has to be taken. {P} is the fact's schema, {D} its database.
`source` says who recorded it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from yaml_files import read_yaml

from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError
from sfml_local.core.result import Result
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer
from sfml_local.http.wire import rowtype

Fact = dict[str, Any]


def facts() -> Iterator[Any]:
    for file in sorted((Path(__file__).parent / "facts").glob("*.yaml")):
        table = read_yaml(file)
        for at, fact in enumerate(table["facts"]):
            assert fact.get("source", table.get("source")), f"{file.name}: fact {at} has no source"
            yield pytest.param(fact, id=f"{file.stem}-{at:03d}-{' '.join(str(fact['sql']).split())[:70]}")


@pytest.fixture(scope="module")
def session(server: LocalServer) -> Iterator[Session]:
    """One session for all: a fact leaves its schema when it ends."""
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    yield session
    server.account.sessions.close(session)


@pytest.mark.parametrize("fact", list(facts()))
def test_as_on_an_account(server: LocalServer, session: Session, fact: Fact) -> None:
    account = server.account
    account.execute(session, "CREATE OR REPLACE SCHEMA SFML.FACT")
    try:
        for statement in fact.get("setup", ()):
            ask(account, session, placed(statement))
        check(account, session, fact)
    finally:
        account.execute(session, "DROP SCHEMA SFML.FACT")


def ask(account: Account, session: Session, sql: str) -> Result:
    """The answer to a statement of a client, which is a query of its session."""
    return account.execute(session, sql, query_id=account.new_query_id())


def check(account: Account, session: Session, fact: Fact) -> None:
    if "error" in fact:
        with pytest.raises(SqlError) as refused:
            ask(account, session, placed(fact["sql"]))
        error = refused.value
        assert placed(fact["error"]) in f"{error.code} ({error.sqlstate}): {error.message}"
        return
    result = ask(account, session, placed(fact["sql"]))
    for kind in SEEN.keys() & fact.keys():
        assert SEEN[kind](result) == placed(fact[kind])
    if "told" in fact:
        values = told(result)
        assert {name: values.get(name, "(not told)") for name in fact["told"]} == fact["told"]
    if "cells" in fact:
        [row] = result.dicts()
        wanted = placed(fact["cells"])
        assert {name: text(row.get(name, "(no such column)")) for name in wanted} == wanted


def placed(value: Any) -> Any:
    """The value with {P} and {D} filled in, in every text of it."""
    match value:
        case str():
            return value.replace("{P}", "SFML.FACT").replace("{D}", "SFML")
        case list():
            return [placed(one) for one in value]
        case dict():
            return {key: placed(one) for key, one in value.items()}
    return value


def text(value: Any) -> Any:
    """A value as its client shows it; texts that only look like numbers are told from these by no fact."""
    return value if value is None or isinstance(value, str) else str(value)


def told(result: Result) -> dict[str, Any]:
    """The values of SHOW PARAMETERS and DESCRIBE by name, `STAGE_LOCATION.URL` where properties are of a group."""
    rows = result.dicts()
    name, value = ("key", "value") if "key" in result.names() else ("property", "property_value")
    value = value if value in result.names() else "value"
    return {".".join(filter(None, (row.get("parent_property"), row[name]))): row[value] for row in rows}


def column_types(result: Result) -> dict[str, str]:
    return {column.name: column.type for column in result.columns}


def described(result: Result) -> list[str]:
    """The columns of a result as its client is told of them: `A NUMBER(38,0) NOT NULL`."""
    return [_described(rowtype(column)) for column in result.columns]


def _described(told: dict[str, Any]) -> str:
    sizes = {"fixed": f"NUMBER({told['precision']},{told['scale']})", "text": f"VARCHAR({told['length']})"}
    shown = sizes.get(told["type"], told["type"].upper())
    shown += f"({told['length']})" if told["type"] == "binary" else ""
    return f"{told['name']} {shown}" + ("" if told["nullable"] else " NOT NULL")


SEEN = {
    "described": described,
    "sized": lambda result: (
        described(result)[0].removesuffix(" NOT NULL").removeprefix(f"{result.names()[0]} ")
    ),
    "columns": lambda result: " ".join(result.names()),
    "names": lambda result: [row["name"] for row in result.dicts()],
    "rows": lambda result: [[text(value) for value in row] for row in result.rows],
    "count": lambda result: len(result.rows),
    "types": column_types,
}
