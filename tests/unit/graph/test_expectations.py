"""`expect`, `sizes` and `budget`: decoded with their places, and nothing deployed depends on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfml.frontend.compiled_spec import desired_graph
from sfml.frontend.reading import Reading, read
from sfml.graph.expectations import Budget, ExpectedRuns, PoolSize, Range, TaskExpectation, WarehouseSize
from sfml.lower.manifest import manifest
from sfml.plan.review_fingerprint import reviewed_fingerprint

PROJECT = """\
version: 1
targets:
  prod:
    connection: prod
    account: MYORG-PROD
    database: ML
    warehouse: ML_WH
    sizes:
      ml_wh: {size: x-small, generation: 2, auto_suspend: 1m}
      P: {family: gpu_nv_s, nodes: 2..4}
      Q: {family: GPU_NV_S, nodes: 3}
"""
SPEC = """\
version: 1
pipeline: shop
budget: {credits_per_month: 125000.5}
schedule: {version: 1, schedule: manual, expect: {runs: 2..20 a day}}
graph:
  tasks:
    take: {sql: SELECT 1, expect: {takes: 90s..2m, fails: 0.25}}
    plain: {sql: SELECT 1, expect: {takes: 1h30m}}
    unsaid: {sql: SELECT 1}
"""


def reading(folder: Path, project: str = PROJECT, spec: str = SPEC) -> Reading:
    (folder / "sfml.yaml").write_text(project, encoding="utf-8")
    (folder / "shop.yaml").write_text(spec, encoding="utf-8")
    return read(folder / "shop.yaml", user="ada")


def test_they_are_decoded(tmp_path: Path) -> None:
    graph = reading(tmp_path).graph
    assert graph is not None
    assert graph.task("take").expect == TaskExpectation(Range(90, 120), 0.25)
    assert graph.task("plain").expect == TaskExpectation(Range(5400, 5400), None)
    assert graph.task("unsaid").expect is None
    assert graph.settings.expected_runs == ExpectedRuns(Range(2, 20), "day")
    assert dict(graph.sizes) == {
        "ML_WH": WarehouseSize("ML_WH", "XSMALL", 2, 60),
        "P": PoolSize("P", "GPU_NV_S", 2, 4),
        "Q": PoolSize("Q", "GPU_NV_S", 3, 3),
    }
    assert isinstance(graph.budget, Budget)
    assert (graph.budget.credits_per_month, graph.budget.path) == (125000.5, "budget.credits_per_month")
    assert graph.budget.span.start.line == 3


def test_nothing_deployed_depends_on_them(tmp_path: Path) -> None:
    with_them = reading(tmp_path)
    plain = re.sub(r", expect: \{[^}]*\}", "", SPEC).replace("budget: {credits_per_month: 125000.5}", "")
    project = PROJECT.partition("    sizes:")[0]
    assert "expect" not in plain and "budget" not in plain
    without = reading(tmp_path, project, plain)
    one, other = desired_graph(with_them), desired_graph(without)
    assert one == other
    assert manifest(one) == manifest(other)
    assert reviewed_fingerprint(one) == reviewed_fingerprint(other)
    assert with_them.graph == without.graph


@pytest.mark.parametrize(
    ("written", "size"),
    [("2X-Large", "XXLARGE"), ("x3large", "XXXLARGE"), ("4x-large", "X4LARGE"), ("X6LARGE", "X6LARGE")],
)
def test_sizes_are_read_as_snowflake_writes_them(written: str, size: str, tmp_path: Path) -> None:
    graph = reading(tmp_path, PROJECT.replace("x-small, generation: 2", written)).graph
    assert graph is not None
    assert graph.sizes["ML_WH"] == WarehouseSize("ML_WH", size, None, 60)
