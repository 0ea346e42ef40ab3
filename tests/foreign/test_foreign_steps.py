"""What fakesnow's steps look at: those of which `translation_steps` knows the nodes are left out without them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from fakesnow import transforms
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.variables import Variables
from sqlglot import Expr, exp, parse_one

from sfml_local.core import fakesnow_port, translation_steps
from sfml_local.core.translation_steps import LOOKS_FOR, NeededSteps

CHAIN = re.findall(r"transforms\.(\w+)", inspect.getsource(FakeSnowflakeCursor._transform))
FURTHER: dict[str, tuple[Any, ...]] = {
    "identifier": (None,),
    "update_variables": (Variables(),),
    **dict.fromkeys(("set_schema", "information_schema_databases", "show_schemas"), ("D",)),
    **dict.fromkeys(("show_tables_etc", "show_columns", "show_stages", "show_sequences"), ("D", "S")),
    **dict.fromkeys(("create_stage", "create_file_format"), ("D", "S")),
    "create_database": (None,),
    "create_table_as": (None,),
    "list_stage": ("D", "S", None),
    "put_stage": ("D", "S", None, None),
    "show_keys": ("D",),
}
"""What a step takes after the node."""
OF_ANY_NODE = {"integer_precision"}
STATEMENTS = (
    "select a, count(*) from t where b > 3 and c in (select d from u) group by a",
    "select v:x.y::varchar, upper(v:z), to_timestamp('2026-01-01'), try_parse_json('1') from t sample (10)",
    "select array_agg(a) within group (order by a), sha2('x'), trim(1), dateadd(day, 1, '2026-01-01'::date) from t",
    "select a as b from t join u on b = u.c where b > 1",
    "create or replace table t (a int, b varchar(10) comment 'c', d float) comment = 'e'",
    "create table t as select 1::number(10, 2) as a, 'x' as b",
    "create view v comment = 'w' as select * from information_schema.tables",
    "alter table t add column a int, b varchar",
    "alter session set autocommit = false",
    "insert into t select column1, column2 from values (1, 'x'), (2, 'y')",
    "show schemas in database d",
    "show primary keys in schema s",
    "drop schema s",
    "use schema s",
    "set a = 1",
    "select * from table(flatten(input => parse_json('[1]')))",
)


def kinds(base: type[Expr]) -> Iterator[type[Expr]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def untouchable(kind: type[Expr]) -> Expr:
    """A node of that kind that tells nothing but its kind."""

    def refuse(node: object, name: str) -> Any:
        if name == "__class__":
            return kind
        raise AssertionError(f"reads {name} of {kind.__name__}")

    made: Expr = object.__new__(type(kind)(kind.__name__, (kind,), {"__getattribute__": refuse}))
    return made


@pytest.fixture(scope="module")
def nodes() -> list[tuple[type[Expr], Expr]]:
    return [(kind, untouchable(kind)) for kind in dict.fromkeys(kinds(Expr))]


@pytest.mark.parametrize("name", sorted(LOOKS_FOR))
def test_a_step_looks_at_no_other_nodes(name: str, nodes: list[tuple[type[Expr], Expr]]) -> None:
    step, further = getattr(transforms, name), FURTHER.get(name, ())
    if name == "show_keys":
        step = partial(step, kind="PRIMARY")
    others = [node for kind, node in nodes if not issubclass(kind, LOOKS_FOR[name])]
    assert len(others) > 900
    for node in others:
        assert step(node, *further) is node


def test_all_but_one_of_the_steps_are_known() -> None:
    assert set(CHAIN) - set(LOOKS_FOR) == OF_ANY_NODE
    assert len(CHAIN) > 70


@pytest.fixture(scope="module")
def cursor() -> Iterator[FakeSnowflakeCursor]:
    connection = FakeSnow().connect(database="D", schema="S")
    yield connection.cursor()
    connection.close()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_becomes_what_all_steps_would_make_of_it(
    cursor: FakeSnowflakeCursor, statement: str
) -> None:
    expected = cursor._transform(parse_one(statement, read="snowflake"), None)
    found = fakesnow_port.transform(cursor, parse_one(statement, read="snowflake"), [])
    assert found == expected and found.sql("duckdb") == expected.sql("duckdb")
    assert {key for key in found.args if found.args[key]} == {
        key for key in expected.args if expected.args[key]
    }


class Recording(NeededSteps):
    """Steps of which the code is noted in turn."""

    def __init__(self, tree: Expr) -> None:
        super().__init__(tree)
        self.met: list[Any] = []

    def transform(self, step: Any, *given: Any, **options: Any) -> Recording:
        self.met.append(step.__code__)
        super().transform(step, *given, **options)
        return self


def test_each_step_is_recognised_in_the_chain(cursor: FakeSnowflakeCursor) -> None:
    """In fakesnow's own order, whether it stands there itself or a lambda calls it with further arguments."""
    steps: Any = Recording(exp.Select(expressions=[exp.Literal.number(1)]))
    cursor._transform(steps, None)
    recognised = [translation_steps._nodes_of(code) for code in steps.met]
    assert recognised == [LOOKS_FOR.get(name) for name in CHAIN]
