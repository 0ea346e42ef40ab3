"""What pipelines share, and which may therefore go at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sfml.account.sharing import earlier_sharers
from sfml.graph.model import GraphSettings as Settings
from sfml.graph.model import (
    OnWarehouse,
    Reference,
    Seed,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    Target,
    TaskGraph,
    TaskNode,
)

TARGET = Target("dev", "account", "DB", "S", "WH")


def graph(
    *,
    sql: str = "select 1",
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    arguments: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    seed: str | None = None,
    stream: str | None = None,
    schema: str = "S",
) -> TaskGraph:
    body = SqlBody(sql) if arguments is None else StepBody("s.step", arguments)
    node = TaskNode("a", body, OnWarehouse("WH"), reads=reads, writes=writes)
    return TaskGraph(
        "p",
        "p.yaml",
        Target("dev", "account", "DB", schema, "WH"),
        Settings(schedule=StreamSchedule((stream,))) if stream else Settings(),
        (node,),
        config=config or {},
        seeds=(Seed(seed, "x.csv"),) if seed else (),
    )


SHARING = {
    "one that both read": (graph(reads=("T",)), graph(reads=("DB.S.T",))),
    "one that is read and written": (graph(reads=("T",)), graph(writes=("t",))),
    "a quoted name": (graph(reads=('"T"',)), graph(writes=("T",))),
    "a statement": (graph(sql="insert into t select 1"), graph(reads=("T",))),
    "a list of tables": (graph(sql="select * from x, t"), graph(reads=("T",))),
    "a merge": (graph(sql="MERGE INTO x USING t ON true"), graph(sql="select 1 from db.s.T")),
    "what is created": (graph(sql="create or replace table if not exists t (a int)"), graph(reads=("T",))),
    "a seed": (graph(seed="T"), graph(reads=("T",))),
    "a stream": (graph(stream="T"), graph(sql="select * from t")),
    "an argument": (graph(arguments={"source": "T"}), graph(writes=("T",))),
    "an argument of the config": (
        graph(arguments={"source": Reference(Source.CONFIG, None, ("k",))}, config={"k": "t"}),
        graph(writes=("T",)),
    ),
    "an argument within another": (graph(arguments={"all": {"one": ["DB.S.T"]}}), graph(writes=("T",))),
    "a model": (graph(arguments={"model_name": "M"}), graph(arguments={"model_name": "m"})),
}
APART = {
    "nothing that is named": (graph(), graph()),
    "other tables": (graph(reads=("T",)), graph(reads=("U",))),
    "tables of other schemas": (graph(reads=("T",)), graph(reads=("T",), schema="OTHER")),
    "a word that both are given": (graph(arguments={"mode": "full"}), graph(arguments={"mode": "full"})),
    "words of SQL": (graph(sql="select * from values (1)"), graph(sql="select * from values (2)")),
    "a result": (
        graph(arguments={"x": Reference(Source.RESULT, "a", ("t",))}, config={"t": "T"}),
        graph(reads=("T",)),
    ),
}


@pytest.mark.parametrize(("one", "other"), SHARING.values(), ids=SHARING)
def test_what_is_shared_is_done_in_turn(one: TaskGraph, other: TaskGraph) -> None:
    assert earlier_sharers([one, other]) == [frozenset(), {0}]
    assert earlier_sharers([other, one]) == [frozenset(), {0}]


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_what_shares_nothing_goes_at_once(one: TaskGraph, other: TaskGraph) -> None:
    assert earlier_sharers([one, other]) == [frozenset(), frozenset()]


def test_each_waits_for_those_alone_that_it_shares_with() -> None:
    graphs = [graph(reads=("T",)), graph(reads=("U",)), graph(reads=("T", "U")), graph(reads=("V",))]
    assert earlier_sharers(graphs) == [set(), set(), {0, 1}, set()]
