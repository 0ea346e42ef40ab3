from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from made_graphs import closure, clv, every, graph, wide

from sfml.base.resources import schema
from sfml.graph.model import JobBody, OnPool, OnWarehouse, Seed, SqlBody, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.lower.manifest import manifest, manifest_bytes

SCHEMA = schema("output/manifest.schema.json")


def lowered(made: TaskGraph) -> DesiredGraph:
    return lower(made, closure, "0.1.0")


def a_job() -> DesiredGraph:
    node = TaskNode("fit", JobBody("jobs", "main.py"), OnPool("POOL"), env_vars={"A": "1"})
    made = graph(node, seeds=(Seed("T", "data/t.csv"),))
    return lower(made, closure, "0.1.0", job_files=lambda folder: ())


MADE = {"clv": lowered(clv()), "wide": lowered(wide()), "every": lowered(every(90)), "job": a_job()}


@pytest.mark.parametrize("desired", MADE.values(), ids=MADE.keys())
def test_manifests_are_what_the_schema_says(desired: DesiredGraph) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    errors = list(Draft202012Validator(SCHEMA).iter_errors(manifest(desired)))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_refuses_what_is_not_in_it() -> None:
    written = manifest(lowered(clv()))
    validator = Draft202012Validator(SCHEMA)
    assert not validator.is_valid({**written, "password": "x"})
    assert not validator.is_valid({name: value for name, value in written.items() if name != "tasks"})


def described(node: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Every property of the schema and whether it is described."""
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            target = SCHEMA["$defs"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else value
            yield f"{path}.{name}", "description" in value or "description" in target
        for name, value in node.items():
            yield from described(value, f"{path}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from described(value, f"{path}[{index}]")


def test_every_key_of_the_schema_is_described() -> None:
    found = dict(described(SCHEMA))
    assert len(found) > 80
    assert [path for path, is_described in found.items() if not is_described] == []


def test_it_is_sorted_indented_and_ends_in_a_newline() -> None:
    written = manifest_bytes(lowered(clv()))
    assert written.endswith(b"}\n")
    parsed = json.loads(written)
    assert written.decode() == json.dumps(parsed, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_kinds_and_places_of_work() -> None:
    tasks = {task["task"]: task for task in json.loads(manifest_bytes(lowered(clv())))["tasks"]}
    assert {name: (task["kind"], task["run_on"]) for name, task in tasks.items()} == {
        "prepare_data": ("step", {"warehouse": "ML_WH"}),
        "train_model": ("step", {"pool": "ML_POOL", "instances": 1}),
        "check_model_quality": ("step", {"warehouse": "ML_WH"}),
        "promote_model": ("step", {"warehouse": "ML_WH"}),
        "send_alert": ("notify", {"warehouse": "ML_WH"}),
        "score_customers": ("step", {"warehouse": "ML_WH"}),
    }


def test_it_leads_back_to_the_spec() -> None:
    assert manifest(lowered(clv()))["source_map"] == {
        "CLV": {"retries": "specs/clv/schedule_config.yaml:4"},
        "CLV$PREPARE_DATA": {"": "specs/clv/job_config.yaml:7"},
    }


def test_every_archive_that_a_task_runs_is_listed() -> None:
    written = json.loads(manifest_bytes(lowered(clv())))
    listed = {archive["sha256"] for archive in written["archives"]}
    tasks = [*written["tasks"], written["finalizer"]]
    assert listed == {task["code_sha256"] for task in tasks if task["code_sha256"]}


def test_it_holds_no_secret_that_a_spec_has_in_plain_text() -> None:
    statement = "ALTER USER u SET PASSWORD = 'hunter2'"
    job = TaskNode("fit", JobBody("j", "m.py"), OnPool("P"), env_vars={"API_KEY": "hunter2"})
    made = graph(TaskNode("a", SqlBody(statement), OnWarehouse("W")), job)
    desired = lower(made, closure, "0.1.0", job_files=lambda folder: ())
    text = manifest_bytes(desired).decode()
    assert "hunter2" not in text and "PASSWORD = '****'" in text
