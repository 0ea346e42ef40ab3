"""Expressions with the values and types that Snowflake's documentation tells, from `documented_values.yaml`."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.constants import FIELD_ID_TO_NAME
from snowflake.connector.errors import Error
from yaml_files import read_yaml

from sfml_local.http.app import LocalServer

DATA = Path(__file__).with_name("documented_values.yaml")
KINDS = {"FIXED": "number", "REAL": "float", "TEXT": "text"}


class Case(NamedTuple):
    """One expression with what it answers; `page` is where the documentation tells it."""

    page: str
    sql: str
    kind: str
    value: str


def cases(file: Path = DATA) -> Iterator[Case]:
    for page, lines in read_yaml(file).items():
        for line in lines.splitlines():
            sql, _, answer = line.rpartition(" => ")
            kind, _, value = answer.replace("\\x20", " ").partition(" ")
            yield Case(page, sql, kind, value)


def difference(connection: SnowflakeConnection, case: Case) -> str | None:
    """How the answer differs from the documented one; None when it does not."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"SELECT {case.sql}")
        row = cursor.fetchone()
    except Error as error:
        found = f"error {error.errno}" if error.errno else "error"
        return (
            None
            if case.kind == "error" and case.value in ("*", str(error.errno))
            else f"{found}: {error.msg}"
        )
    assert isinstance(row, tuple)
    description = cursor.description[0]
    kind = type_of(description)
    if case.kind == "error":
        return f"no error but {row[0]!r}"
    if case.kind != "any" and kind != case.kind:
        return f"{kind} {row[0]!r}"
    return None if is_same(kind, row[0], case.value) else f"{kind} {row[0]!r}"


def type_of(description: Any) -> str:
    name = FIELD_ID_TO_NAME[description.type_code]
    if name == "FIXED":
        return f"number.{description.scale}"
    return KINDS.get(name, name.lower().removeprefix("timestamp_"))


def is_same(kind: str, found: Any, told: str) -> bool:
    if told == "NULL" or found is None:
        return told == "NULL" and found is None
    if kind in ("variant", "array", "object"):
        return typed(json.loads(found)) == typed(json.loads(told))
    if kind == "text":
        return str(found) == told
    if kind.startswith("number"):
        return Decimal(str(found)) == Decimal(told)
    if kind == "float":
        return round(float(found), 9) == round(float(told), 9)
    if kind == "boolean":
        return str(found).lower() == told
    if kind == "binary":
        return bytes(found).hex().upper() == told
    assert isinstance(found, datetime.date | datetime.time)
    return found.isoformat() == told


def typed(value: Any) -> Any:
    """JSON in which true is not 1."""
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    return (isinstance(value, bool), value)


@pytest.fixture(scope="module")
def values(server: LocalServer) -> Iterator[SnowflakeConnection]:
    import snowflake.connector

    with snowflake.connector.connect(**server.connect_args()) as connection:
        yield connection


@pytest.mark.parametrize("case", [*cases()], ids=lambda case: re.sub(r"[^\w(),.' ]", "", case.sql)[:60])
def test_an_expression_answers_what_is_documented(values: SnowflakeConnection, case: Case) -> None:
    assert difference(values, case) is None, case.page


def test_there_are_enough_of_them() -> None:
    assert len(list(cases())) >= 300
