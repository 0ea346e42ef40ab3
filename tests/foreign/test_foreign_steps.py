"""What fakesnow's steps look at: those of which `translation_steps` knows the nodes are left out without them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fakesnow import transforms
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.variables import Variables
from sqlglot import Expr, exp, parse_one

from sfml_local.core import fakesnow_port, translation_steps
from sfml_local.core.translation_steps import LOOKS_FOR, ONLY_BESIDE, UNCHANGING, NeededSteps

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
TYPES_OF_ANY_NODE = {"integer_precision"}
"""Steps that look for a type in each node; sqlglot writes types in its own nodes alone."""
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
    "select * from INFORMATION_SCHEMA.DATABASES",
    "select to_date('2026-01-01'), haversine(1, 2, 3, 4), s.nextval, random(1), x'ab' from t",
    "create table w (v variant, n timestamp_ntz, o object, a array)",
    "select value::varchar from t, lateral flatten(input => c)",
    "select * from table(result_scan('x'))",
    "select _fs_object_construct(a, b) as x from t where x is not null",
    "select * from identifier('a.b')",
    "insert into t values (1, 'x', '2026-01-01 10:00:00 +09:00'::timestamp_tz)",
)


def kinds(base: type[Expr]) -> Iterator[type[Expr]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def untouchable(kind: type[Expr], *told: str) -> Expr:
    """A node of that kind that tells nothing but its kind, and nothing of what is `told`."""

    def refuse(node: object, name: str) -> Any:
        if name == "__class__":
            return kind
        if name in told:
            return None
        raise AssertionError(f"reads {name} of {kind.__name__}")

    made: Expr = object.__new__(type(kind)(kind.__name__, (kind,), {"__getattribute__": refuse}))
    return made


def step_of(name: str) -> Any:
    """A step as it is called for one node."""
    options = {"kind": "PRIMARY"} if name == "show_keys" else {}
    return lambda node: getattr(transforms, name)(node, *FURTHER.get(name, ()), **options)


@pytest.fixture(scope="module")
def nodes() -> list[tuple[type[Expr], Expr]]:
    return [(kind, untouchable(kind)) for kind in dict.fromkeys(kinds(Expr))]


@pytest.mark.parametrize("name", sorted(LOOKS_FOR.keys() - TYPES_OF_ANY_NODE))
def test_a_step_looks_at_no_other_nodes(name: str, nodes: list[tuple[type[Expr], Expr]]) -> None:
    others = [node for kind, node in nodes if not issubclass(kind, LOOKS_FOR[name])]
    assert len(others) > 900
    for node in others:
        assert step_of(name)(node) is node


@pytest.mark.parametrize("name", sorted(TYPES_OF_ANY_NODE))
def test_a_step_looks_for_a_type_alone_in_other_nodes(name: str) -> None:
    for kind in dict.fromkeys(kinds(Expr)):
        if not issubclass(kind, LOOKS_FOR[name]):
            node = untouchable(kind, "this")
            assert step_of(name)(node) is node


def test_all_steps_are_known() -> None:
    assert set(CHAIN) == set(LOOKS_FOR)
    assert len(CHAIN) > 70


def parsed() -> Iterator[Expr]:
    yield from (parse_one(statement, read="snowflake") for statement in STATEMENTS)
    calls = [exp.Anonymous(this=name, expressions=[exp.null()]) for name in ("TO_DATE", "TRY_PARSE_JSON")]
    yield exp.select(*calls)


def test_types_are_in_their_own_nodes() -> None:
    holders = {type(node) for tree in parsed() for node in tree.walk() if isinstance(node.this, exp.DType)}
    assert holders and all(issubclass(kind, exp.DataType) for kind in holders)


@pytest.mark.parametrize("name", sorted(UNCHANGING))
def test_a_step_changes_no_node_in_its_place(name: str) -> None:
    others = 0
    for tree in parsed():
        for node in list(tree.walk()):
            before = repr(tree)
            others += step_of(name)(node) is not node
            assert repr(tree) == before
    assert others, "no statement here is one for it"


@pytest.mark.parametrize("name", sorted(ONLY_BESIDE))
def test_a_step_needs_the_nodes_beside_those_that_it_looks_at(name: str) -> None:
    changed = set()
    for tree in parsed():
        has_beside = tree.find(*ONLY_BESIDE[name]) is not None
        before = repr(tree)
        if repr(tree.transform(step_of(name), copy=False)) != before:
            changed.add(has_beside)
    assert changed == {True}


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

    def transform(self, step: Any, **options: Any) -> Recording:
        self.met.append(step.__code__)
        super().transform(step, **options)
        return self


def test_each_step_is_recognised_in_the_chain(cursor: FakeSnowflakeCursor) -> None:
    """In fakesnow's own order, whether it stands there itself or a lambda calls it with further arguments."""
    steps: Any = Recording(exp.Select(expressions=[exp.Literal.number(1)]))
    cursor._transform(steps, None)
    assert [translation_steps._name_of(code) for code in steps.met] == CHAIN
