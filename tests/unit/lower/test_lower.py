from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_graphs import File, closure, clv, every, graph, sql, step, wide

from sfml.graph.model import CronSchedule, GraphSettings, Manual, TaskGraph
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.lower import lower
from sfml.lower.values import task_value

FOLDER = Path(__file__).parent
NUMBERS = ("user_task_timeout_ms", "suspend_task_after_num_failures", "task_auto_retry_attempts")


def lowered(made: TaskGraph) -> DesiredGraph:
    return lower(made, closure, "0.1.0")


def fingerprints(desired: DesiredGraph) -> dict[str, str]:
    return {task.name: task.fingerprint for task in desired.all_tasks}


def changed(before: DesiredGraph, after: DesiredGraph) -> set[str]:
    old, new = fingerprints(before), fingerprints(after)
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def test_the_root_does_nothing_and_holds_the_graphs_settings() -> None:
    root = lowered(clv()).root
    assert (root.name, root.task, root.definition) == ("CLV", None, SqlDefinition("select 'dag dummy root'"))
    assert (root.warehouse, root.predecessors, root.condition) == ("ML_WH", (), None)
    assert root.config == {"model_name": "CLV_MODEL", "threshold": 0.4}
    assert (root.overlap_policy, root.task_auto_retry_attempts) == ("NO_OVERLAP", 1)
    assert (root.suspend_task_after_num_failures, root.user_task_timeout_ms) == (3, 21_600_000)
    assert (root.error_integration, root.success_integration) == ("ML_ERRORS", None)
    assert root.session_parameters == {"QUERY_TAG": '{"sfml":{"pipeline":"clv"}}'}


def test_tasks_keep_their_order_and_hang_below_the_root() -> None:
    desired = lowered(clv())
    assert [(task.name, task.predecessors) for task in desired.tasks] == [
        ("CLV$PREPARE_DATA", ("CLV",)),
        ("CLV$TRAIN_MODEL", ("CLV$PREPARE_DATA",)),
        ("CLV$CHECK_MODEL_QUALITY", ("CLV$TRAIN_MODEL",)),
        ("CLV$PROMOTE_MODEL", ("CLV$CHECK_MODEL_QUALITY",)),
        ("CLV$SEND_ALERT", ("CLV$CHECK_MODEL_QUALITY",)),
        ("CLV$SCORE_CUSTOMERS", ("CLV$PROMOTE_MODEL",)),
    ]
    assert desired.finalizer is not None
    assert (desired.finalizer.finalize, desired.finalizer.predecessors) == ("CLV", ())


def test_the_roots_comment_ends_in_its_record() -> None:
    desired = lowered(clv())
    assert desired.root.comment is not None
    description, record = desired.root.comment.split("\nsfml:")
    assert description == "Weekly customer lifetime value retraining"
    assert json.loads(record) == {
        "fingerprint": desired.fingerprint,
        "spec": "specs/clv.yaml",
        "version": "0.1.0",
    }


def test_a_root_without_description_has_the_record_alone() -> None:
    comment = lowered(graph(sql("only"))).root.comment
    assert comment is not None
    assert comment.startswith("sfml:{")


def test_neither_version_nor_path_of_the_spec_is_fingerprinted() -> None:
    """They are in the root's comment; a new version of the tool must not alter a deployed graph."""
    moved = dataclasses.replace(clv(), spec_path="elsewhere.yaml")
    assert lower(moved, closure, "9.9.9").fingerprint == lowered(clv()).fingerprint


def test_a_branch_of_single_successors_is_marked_for_the_dag() -> None:
    desired = lowered(clv())
    gate = desired.task("CLV$CHECK_MODEL_QUALITY")
    assert gate.is_branch
    assert gate.outcomes == {"promote_model": "PROMOTE_MODEL", "send_alert": "SEND_ALERT"}
    assert desired.task("CLV$SEND_ALERT").branch_of == ("CLV$CHECK_MODEL_QUALITY",)


def test_other_branches_are_tasks_with_conditions() -> None:
    desired = lowered(wide())
    check = desired.task("WIDE$CHECK")
    assert not check.is_branch
    assert check.outcomes == {"good": "GOOD", "fine": "FINE", "same": "SAME"}
    assert desired.task("WIDE$LEFT").branch_of == ()


def test_where_tasks_run() -> None:
    desired = lowered(clv())
    assert desired.task("CLV$TRAIN_MODEL").warehouse == "ML_WH", "the statement that starts a job needs one"
    serverless = lowered(wide()).task("WIDE$CHECK")
    assert serverless.warehouse is None
    assert serverless.user_task_managed_initial_warehouse_size == "XSMALL"
    assert serverless.target_completion_seconds == 600


def test_a_users_query_tag_is_left() -> None:
    desired = lowered(graph(sql("only", session_parameters={"query_tag": "mine", "timezone": "UTC"})))
    assert desired.tasks[0].session_parameters == {"QUERY_TAG": "mine", "TIMEZONE": "UTC"}


@pytest.mark.parametrize("zone", ["america/los_angeles", "AMERICA/LOS_ANGELES", "America/Los_Angeles"])
def test_a_time_zone_is_written_as_its_region_is_spelt(zone: str) -> None:
    settings = GraphSettings(schedule=CronSchedule("0 5 * * *", zone))
    schedule = lowered(graph(sql("only"), settings=settings)).root.schedule
    assert schedule == CronSchedule("0 5 * * *", "America/Los_Angeles")


def test_a_manual_graph_has_no_schedule() -> None:
    assert lowered(graph(sql("only"), settings=GraphSettings(schedule=Manual()))).root.schedule is None
    assert lowered(every(90)).root.schedule is not None


def test_steps_with_the_same_code_share_an_archive() -> None:
    made = graph(step("a", "clv.same.f"), step("b", "clv.same.g"), step("c", "clv.other.f"))

    def by_module(name: str) -> list[File]:
        return [File(name.rsplit(".", 1)[0].replace(".", "/") + ".py", b"")]

    desired = lower(made, by_module, "0.1.0")
    a, b, c = desired.tasks
    assert a.code_sha256 == b.code_sha256 != c.code_sha256
    assert {archive.sha256 for archive in desired.archives} == {a.code_sha256, c.code_sha256}


def test_editing_one_step_changes_the_tasks_that_run_it_alone() -> None:
    def edited(name: str) -> tuple[File, ...]:
        return (*closure(name), File("clv/more.py", b"")) if "train" in name else tuple(closure(name))

    assert changed(lowered(clv()), lower(clv(), edited, "0.1.0")) == {"CLV$TRAIN_MODEL"}


def test_every_field_of_a_task_is_in_its_fingerprint() -> None:
    """One task for each field, changed in it alone."""
    spared = {"fingerprint", "body_mark", "spans", "defaulted", "reads", "writes"}
    base = DesiredTask("A", "a", lowered(clv()).root.definition, branch_of=("B",), warehouse="W")
    others: dict[str, Any] = {
        "definition": lowered(clv()).task("CLV$SEND_ALERT").definition,
        "predecessors": ("B",),
        "branch_of": ("C",),
        "is_branch": True,
        "schedule": every(90).settings.schedule,
        "config": {"a": 1},
        "session_parameters": {"A": 1},
        "tags": {"a": "b"},
        "packages": ("pandas",),
        "outcomes": {"a": "A"},
    }
    for field in dataclasses.fields(DesiredTask):
        if field.name in spared:
            continue
        number = "seconds" in field.name or field.name in NUMBERS
        value = others.get(field.name, 7 if number else "other")
        other = dataclasses.replace(base, **{field.name: value})
        assert task_value(other) != task_value(base), field.name


def test_the_order_of_mappings_does_not_matter() -> None:
    one = graph(step("a", arguments={"x": 1, "y": {"p": 1, "q": 2}}), config={"k": 1, "l": 2})
    two = graph(step("a", arguments={"y": {"q": 2, "p": 1}, "x": 1}), config={"l": 2, "k": 1})
    assert lowered(one).fingerprint == lowered(two).fingerprint


PROGRAM = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("snowflake", "fakesnow", "duckdb", "pandas"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Refuse())
import hashlib, made_graphs
from sfml.lower.lower import lower
from sfml.lower.values import task_value
from sfml.lower.write import build_files
from sfml.render.mermaid import mermaid
for made in (made_graphs.clv(), made_graphs.wide()):
    desired = lower(made, made_graphs.closure, "0.1.0")
    for path, content in build_files(desired, mermaid(made)).items():
        print(path, hashlib.sha256(content).hexdigest())
"""


def compiled_elsewhere(folder: Path, seed: str, zone: str) -> str:
    paths = os.pathsep.join([str(FOLDER.parent), *(entry for entry in sys.path if entry)])
    environment = {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": paths, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=True
    ).stdout


def test_the_same_bytes_everywhere_and_without_snowflakes_packages(tmp_path: Path) -> None:
    """Under two hash seeds, in two folders and time zones, where importing a client fails."""
    first = compiled_elsewhere(tmp_path, "1", "UTC")
    assert first == compiled_elsewhere(FOLDER, "4242", "Pacific/Auckland")
    assert "manifest.json" in first
    assert "archives/" in first


def test_the_refusal_in_that_test_works(tmp_path: Path) -> None:
    program = PROGRAM.split("import hashlib")[0] + "import snowflake.core"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert "snowflake.core is not installed here" in ran.stderr


@pytest.mark.parametrize("made", [clv(), wide(), every(90)], ids=["clv", "wide", "every"])
def test_lowering_twice_gives_equal_values(made: TaskGraph) -> None:
    assert lowered(made) == lowered(made)
