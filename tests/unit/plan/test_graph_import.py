"""A spec that is imported from a graph describes just that graph."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from property_settings import examples
from rendered_graphs import Server, graphs

from sfml.frontend.reading import read
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.plan.diff import RECORD, make_plan
from sfml.plan.graph_import import ImportedFiles, imported_spec, pipeline_name, spec_names
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.observed_graph import observed_task
from sfml.plan.settings import with_defaults

PROJECT = """version: 1
defaults: {timeout: 5m, schedule: {retries: 3, overlap: ALLOW_ALL_OVERLAP}}
targets:
  prod: {connection: prod, database: ML_PROD, schema: CLV, warehouse: OTHER_WH}
"""


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sfml-import-"))
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


def compiled(project: Path, imported: ImportedFiles) -> DesiredGraph:
    for path, content in imported.files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(content)
    reading = read(project / imported.entry, user="ada")
    assert reading.graph is not None, reading.diagnostics
    return lower(reading.graph, reading.catalog.closure, "0")


def task(name: str, sql: str = "select 1", **values: Any) -> ObservedTask:
    given = {"name": name, "state": "started", "warehouse": "WH", "definition": sql, **values}
    return observed_task(given)


@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs(), st.data())
def test_its_plan_is_empty_but_for_the_mark(project: Path, graph: DesiredGraph, data: st.DataObject) -> None:
    """Whatever the graph, however it is rendered, and although the project's defaults say otherwise."""
    server = Server(data.draw)
    rendered = [server.render(one) for one in graph.all_tasks]
    rendered[0]["comment"] = data.draw(st.sampled_from([None, "nightly\n{{ not ours }}", 'it\'s: "#1"']))
    root, *others = [observed_task(values) for values in rendered]
    observed = ObservedGraph(root, tuple(others))
    imported = imported_spec(observed, "theirs", in_full=True)
    assert imported.losses == ()
    plan = make_plan(compiled(project, imported), observed, adopt=True)
    fields = [(change.name, field) for change in plan.changes for field in change.fields]
    assert [(name, field.path) for name, field in fields] == [(root.name, RECORD)], fields


def test_bodies_are_kept_to_the_byte() -> None:
    body = "  select 'ä\\n'\t-- {{ no }} ${neither};\n"
    imported = imported_spec(
        ObservedGraph(task("ROOT", body), (task("A", body, predecessors=["ROOT"]),)), "p"
    )
    assert imported.files["p/sql/a.sql"] == body.encode() == imported.files["p/sql/root-task.sql"]


@pytest.mark.parametrize(
    ("root", "names", "found"),
    [
        ("ETL", ["ETL$LOAD", "ETL$config"], ["load", "config_2"]),
        ("ETL", ["LOAD", "ETL$LOAD"], ["load", "load_2"]),
        ('"My etl"', ['"a b"', '"a-b"', '"1st"'], ["t_1st", "a_b", "a_b_2"]),
        ("R", ['"日本"'], ["task"]),
    ],
)
def test_tasks_get_plain_names_of_their_own(root: str, names: list[str], found: list[str]) -> None:
    tasks = tuple(task(name if name.startswith('"') else f'"{name}"', predecessors=[root]) for name in names)
    assert sorted(spec_names(ObservedGraph(task(root), tasks)).values()) == sorted(found)


@pytest.mark.parametrize(
    ("root", "name"), [("ETL", "etl"), ('"Night load"', "night_load"), ('"2x"', "t_2x"), ('"--"', "pipeline")]
)
def test_the_pipeline_is_named_after_the_root(root: str, name: str) -> None:
    assert pipeline_name(root) == name


def test_what_a_spec_has_no_words_for_is_told() -> None:
    root = task(
        "R",
        user_task_timeout_ms=1500,
        config={"deep": {"a": 1}},
        condition="SYSTEM$STREAM_HAS_DATA('A') and 1 = 1",
    )
    off = replace(task("A", predecessors=["R"]), started=False)
    found = "\n".join(imported_spec(ObservedGraph(root, (off,)), "r").losses)
    for words in ("`deep` of the CONFIG", "1500 ms", "started by streams", "a is suspended"):
        assert words in found


def test_a_triggered_graph_keeps_its_streams_and_interval() -> None:
    root = task("R", condition="system$stream_has_data('DB.S.X')  OR SYSTEM$STREAM_HAS_DATA('Y')")
    root = replace(root, settings=with_defaults({**root.settings, "minimum_trigger_interval": 90}))
    imported = imported_spec(ObservedGraph(root, (task("A", predecessors=["R"]),)), "r")
    written = yaml.safe_load(imported.files["r/schedule_config.yaml"])
    assert written["schedule"] == {"on_stream": ["DB.S.X", "Y"], "every": "1m30s"}
    assert "when" not in written and imported.losses == ()
