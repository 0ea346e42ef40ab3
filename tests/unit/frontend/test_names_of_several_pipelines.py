"""SF213: names in Snowflake that tasks of several pipelines share, which share a schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.between_pipelines import together
from sfml.frontend.reading import read

PROJECT = """version: 1
targets:
  one: {kind: local, default: true, schema: SHARED}
  each: {kind: local}
"""
FIRST = """version: 1
pipeline: first
graph:
  tasks: {load: {sql: select 1, name: LOAD}, fit: {sql: select 1, after: load}}
  finalizer: {end: {sql: select 1, name: '"End"'}}
"""


def found(folder: Path, graph: str, target: str = "one", pipeline: str = "second") -> list[str]:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "first.yaml").write_text(FIRST, encoding="utf-8")
    (folder / "second.yaml").write_text(
        f"version: 1\npipeline: {pipeline}\ngraph: {graph}\n", encoding="utf-8"
    )
    readings = together([read(folder / f"{name}.yaml", target=target) for name in ("first", "second")])
    findings = [finding for reading in readings for finding in reading.diagnostics]
    assert all(finding.code == "SF213" and finding.labels for finding in findings)
    return [finding.message for finding in findings]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            "{tasks: {a: {sql: select 1, name: load}}}",
            "task `a` of `second` has the name of a task of `first`: `SFML.SHARED.LOAD`",
        ),
        (
            "{tasks: {a: {sql: select 1, name: FIRST}}}",
            "task `a` of `second` has the name of the root of `first`: `SFML.SHARED.FIRST`",
        ),
        (
            "{tasks: {a: {sql: select 1, name: FIRST$FIT}}}",
            "task `a` of `second` has the name of a task of `first`: `SFML.SHARED.FIRST$FIT`",
        ),
        (
            "{root: {name: LOAD, sql: select 1}, tasks: {a: {sql: select 1}}}",
            "the root of `second` has the name of a task of `first`: `SFML.SHARED.LOAD`",
        ),
        (
            "{tasks: {a: {sql: select 1}}, finalizer: {z: {sql: select 1, name: '\"End\"'}}}",
            "task `z` of `second` has the name of a task of `first`: `SFML.SHARED.End`",
        ),
    ],
)
def test_a_name_that_another_pipeline_has_in_the_schema(tmp_path: Path, graph: str, message: str) -> None:
    assert found(tmp_path, graph) == [message]
    assert found(tmp_path, graph, target="each") == []


@pytest.mark.parametrize(
    "graph",
    [
        "{tasks: {load: {sql: select 1}, fit: {sql: select 1}}}",
        "{tasks: {a: {sql: select 1, name: '\"load\"'}, b: {sql: select 1, name: END}}}",
        "{root: {name: '\"first\"', sql: select 1}, tasks: {a: {sql: select 1}}}",
    ],
)
def test_other_names_are_no_findings(tmp_path: Path, graph: str) -> None:
    assert found(tmp_path, graph) == []


def test_one_root_is_one_finding(tmp_path: Path) -> None:
    graph = "{tasks: {load: {sql: select 1}, fit: {sql: select 1}}}"
    assert found(tmp_path, graph, pipeline="FIRST") == [
        "pipeline `FIRST` has the root task of another, `SFML.SHARED.FIRST`"
    ]
