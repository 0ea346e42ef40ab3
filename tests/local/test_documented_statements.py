"""Statements with what Snowflake's documentation says that they answer, from `documented_statements.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error
from yaml_files import read_yaml

from sfml_local.http.app import LocalServer

DATA = Path(__file__).with_name("documented_statements.yaml")


class Case(NamedTuple):
    """Statements of which the last one is asked; `page` is where the documentation tells what it answers."""

    page: str
    statements: tuple[str, ...]
    told: str


def pages(file: Path = DATA) -> Iterator[tuple[str, list[Case]]]:
    for page, lines in read_yaml(file).items():
        yield page, [case_of(page, line) for line in lines.splitlines()]


def case_of(page: str, line: str) -> Case:
    statements, _, told = line.rpartition(" => ")
    return Case(page, tuple(one.strip() for one in statements.split(" ;; ")), told)


def difference(connection: SnowflakeConnection, case: Case) -> str | None:
    """How the answer differs from the documented one; None when it does not."""
    cursor = connection.cursor()
    try:
        for statement in case.statements:
            cursor.execute(statement)
        rows = cursor.fetchall()
    except Error as error:
        return None if case.told == f"error {error.errno}" else f"{error.errno}: {error.msg}"
    names = [column.name for column in cursor.description]
    if case.told.startswith("names "):
        return None if names == json.loads(case.told[6:]) else f"{names}"
    found = [[as_told(value) for value in row] for row in rows]
    if case.told.startswith("error") or found != json.loads(case.told):
        return f"{json.dumps(found)}"
    return None


def as_told(value: Any) -> str | None:
    """A value as text; JSON without its line breaks."""
    text = None if value is None else str(value)
    return re.sub(r"\s*\n\s*", "", text) if text is not None else None


@pytest.mark.parametrize(("page", "cases"), list(pages()), ids=[page for page, _ in pages()])
def test_statements_answer_what_is_documented(server: LocalServer, page: str, cases: list[Case]) -> None:
    import snowflake.connector

    with snowflake.connector.connect(**server.connect_args()) as connection:
        found = [(case.statements[-1], case.told, difference(connection, case)) for case in cases]
    assert [one for one in found if one[2] is not None] == []
