"""What was spent, read from tables with the names and columns of ACCOUNT_USAGE, by the statements for an account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from jsonschema import Draft202012Validator
from small import Small

from sfml.base.resources import schema
from sfml.cost.actual import Attributed, Spent, compared_with, tasks_of
from sfml.cost.estimate import Estimate, estimate
from sfml.frontend.reading import read
from sfml.graph.model import TaskGraph
from sfml.render.actual_cost import actual_json, actual_text
from sfml.render.cost import Price, cost_json
from sfml.snowflake.metering import Metering
from sfml_local.http.app import LocalServer

PROJECT = """\
version: 1
targets:
  prod:
    connection: p
    account: A
    database: ML
    schema: SHOP
    warehouse: WH
    compute_pool: POOL
    sizes: {WH: {size: XSMALL, auto_suspend: 1m}, POOL: {family: CPU_X64_S, auto_suspend: 10m}}
"""
SPEC = """\
version: 1
pipeline: shop
schedule: {version: 1, schedule: {cron: "0 3 * * *"}, timeout: 9h}
graph:
  tasks:
    take: {sql: SELECT 1, expect: {takes: 10m..20m}}
    train:
      job: {folder: code, entrypoint: run.py}
      run_on: {pool: POOL, runtime: "2.3.0"}
      timeout: 9h
      expect: {takes: 1h}
    free: {sql: SELECT 1, run_on: {serverless: {initial: SMALL, max: SMALL}}, expect: {takes: 3m}}
"""
TAG = '{{"sfml":{{"pipeline":"{pipeline}","task":"{task}","run":"{run}"}}}}'
VIEWS = {
    "QUERY_ATTRIBUTION_HISTORY": "QUERY_TAG VARCHAR, WAREHOUSE_NAME VARCHAR, CREDITS_ATTRIBUTED_COMPUTE DOUBLE",
    "WAREHOUSE_METERING_HISTORY": "WAREHOUSE_NAME VARCHAR, CREDITS_USED_COMPUTE DOUBLE",
    "SNOWPARK_CONTAINER_SERVICES_HISTORY": "COMPUTE_POOL_NAME VARCHAR, CREDITS_USED DOUBLE",
    "SERVERLESS_TASK_HISTORY": "TASK_NAME VARCHAR, DATABASE_NAME VARCHAR, SCHEMA_NAME VARCHAR, CREDITS_USED DOUBLE",
}


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection to an account with those tables; each row has a time from now or from long ago."""
    with (
        LocalServer(tmp_path_factory.mktemp("metered")) as server,
        snowflake.connector.connect(**server.connect_args()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE DATABASE SNOWFLAKE")
        cursor.execute("CREATE SCHEMA SNOWFLAKE.ACCOUNT_USAGE")
        for name, columns in VIEWS.items():
            cursor.execute(
                f"CREATE TABLE SNOWFLAKE.ACCOUNT_USAGE.{name} (START_TIME TIMESTAMP_LTZ, {columns})"
            )
        rows: list[tuple[str, tuple[Any, ...], int]] = [
            (
                "QUERY_ATTRIBUTION_HISTORY",
                (TAG.format(pipeline="shop", task="take", run="r1"), "WH", 1.5),
                1,
            ),
            (
                "QUERY_ATTRIBUTION_HISTORY",
                (TAG.format(pipeline="shop", task="take", run="r2"), "WH", 1.0),
                2,
            ),
            (
                "QUERY_ATTRIBUTION_HISTORY",
                (TAG.format(pipeline="shop", task="train", run="r2"), "WH", 0.5),
                2,
            ),
            (
                "QUERY_ATTRIBUTION_HISTORY",
                (TAG.format(pipeline="other", task="x", run="r3"), "WH", 9.0),
                1,
            ),
            ("QUERY_ATTRIBUTION_HISTORY", ('not json with "sfml" in it', "WH", 9.0), 1),
            (
                "QUERY_ATTRIBUTION_HISTORY",
                (TAG.format(pipeline="shop", task="take", run="r0"), "WH", 9.0),
                90,
            ),
            ("WAREHOUSE_METERING_HISTORY", ("WH", 20.0), 1),
            ("WAREHOUSE_METERING_HISTORY", ("WH", 20.0), 90),
            ("WAREHOUSE_METERING_HISTORY", ("OTHER", 99.0), 1),
            ("SNOWPARK_CONTAINER_SERVICES_HISTORY", ("POOL", 3.85), 3),
            ("SERVERLESS_TASK_HISTORY", ("SHOP$FREE", "ML", "SHOP", 0.25), 1),
            ("SERVERLESS_TASK_HISTORY", ("SHOP$FREE", "ML", "ELSEWHERE", 9.0), 1),
        ]
        for name, values, days in rows:
            places = ", ".join(["%s"] * len(values))
            cursor.execute(
                f"INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.{name}"
                f" SELECT DATEADD('DAY', -{days}, CURRENT_TIMESTAMP()), {places}",
                values,
            )
        yield connection


@pytest.fixture
def graph(tmp_path: Path) -> TaskGraph:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "run.py").write_text("print(1)\n", encoding="utf-8")
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SPEC, encoding="utf-8")
    found = read(tmp_path / "shop.yaml", target="prod", user="ada").graph
    assert found is not None
    return found


@pytest.fixture
def costs(graph: TaskGraph) -> Estimate:
    return estimate([graph])


def spent(metering: Metering, graph: TaskGraph) -> Spent:
    return Spent(
        30,
        metering.attributed(["shop"]),
        metering.warehouses(["WH"]),
        metering.pools(["POOL"]),
        metering.serverless(graph.target, ["SHOP$FREE"]),
        {"SHOP$FREE": ("shop", "free")},
        tuple(metering.missing),
    )


def test_the_views_are_read_by_tag_and_time(metered: Any, graph: TaskGraph) -> None:
    found = spent(Metering(metered, 30), graph)
    assert found.missing == ()
    assert sorted(found.attributed or (), key=lambda one: one.task or "") == [
        Attributed("shop", "take", "WH", 2.5, 2),
        Attributed("shop", "train", "WH", 0.5, 1),
    ]
    assert found.warehouses == {"WH": 20.0}
    assert found.pools == {"POOL": 3.85}
    assert found.serverless == {"SHOP$FREE": 0.25}


def test_how_far_the_estimate_was_off(metered: Any, graph: TaskGraph, costs: Estimate) -> None:
    """720 hours were looked at; a month has 730. By hand: WH 20 x 730 / 720 = 20.28, of it 3.04 ours."""
    found = spent(Metering(metered, 30), graph)
    by_name = {f"{one.kind} {one.name}".strip(): one for one in compared_with(costs, found)}
    assert by_name["warehouse WH"].actual == pytest.approx(20 * 730 / 720)
    assert by_name["warehouse WH"].remark == "17.24 of it idle time and others' queries"
    assert by_name["warehouse WH"].verdict == "within the estimate"
    assert by_name["pool POOL"].verdict == "within the estimate"
    assert by_name["serverless"].verdict == f"{0.25 * 730 / 720 / costs.serverless.low:.2f} times the least"
    assert by_name["pipeline shop"].actual == pytest.approx(3.25 * 730 / 720)
    assert not by_name["pipeline shop"].is_whole and by_name["pipeline shop"].verdict == "?"
    assert [(task, round(credits, 2)) for _, task, credits in tasks_of(found, ["shop"])] == [
        ("take", 2.53),
        ("train", 0.51),
        ("free", 0.25),
    ]
    document = {
        "format_version": 1,
        **cost_json(costs, Price()),
        "actual": actual_json(found, compared_with(costs, found)),
    }
    Draft202012Validator(schema("output/cost.schema.json")).validate(document)
    text = actual_text(found, compared_with(costs, found))
    assert ">= 3.30 .. ?" in text and "shop.take  2.53" in text


@pytest.mark.parametrize(
    ("metered_credits", "verdict"),
    [(1_000.0, "times the most"), (0.001, "times the least"), (20.0, "within the estimate")],
)
def test_the_verdict(metered_credits: float, verdict: str, costs: Estimate) -> None:
    found = Spent(30, (), {"WH": metered_credits}, {"POOL": 4.0}, {})
    warehouse = next(one for one in compared_with(costs, found) if one.kind == "warehouse")
    assert verdict in warehouse.verdict


def test_views_that_cannot_be_read_are_unknown(small: Small) -> None:
    """The local Snowflake meters nothing."""
    small.edit("first: {sql: 'select 1'}", "first: {sql: 'select 1', expect: {takes: 1m}}")
    code, text = small.run("cost", "specs/small.yaml", "--actual")
    assert code == 0
    assert "? QUERY_ATTRIBUTION_HISTORY: " in text and "pipeline small  0.00  ?" in text
    assert "not emulated" in text and "IMPORTED PRIVILEGES" not in text


def test_a_role_that_sees_no_views_is_told_what_it_needs(costs: Estimate) -> None:
    found = Spent(30, None, {}, {}, {}, missing=("QUERY_ATTRIBUTION_HISTORY: it does not exist",))
    assert "IMPORTED PRIVILEGES" in actual_text(found, compared_with(costs, found))
