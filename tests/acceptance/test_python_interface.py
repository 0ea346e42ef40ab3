"""`import sfml`: its names, its page, and that it does what the commands do without a word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from conftest import ROOT
from here import Here

import sfml
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.resources import schema

NAMES = {
    "Account",
    "Applied",
    "Artefact",
    "Backfill",
    "BackfillPlan",
    "Change",
    "Finding",
    "Findings",
    "Graph",
    "InvalidSpec",
    "ModelVersion",
    "Models",
    "Pipeline",
    "Plan",
    "Project",
    "Risk",
    "Run",
    "RunPlan",
    "Runs",
    "SfmlError",
    "Status",
    "Statuses",
    "Task",
    "TaskRun",
    "__distribution__",
    "__version__",
    "open",
}
BROKEN = """version: 1
pipeline: broken
graph: {version: 1, tasks: {a: {sql: select 1, after: [nope]}}}
schedule: {version: 1, schedule: manual}
"""
FAILS = """version: 1
pipeline: fails
graph: {version: 1, config: {limit: 3}, tasks: {a: {sql: select 1}, b: {sql: select nothing, after: [a]}}}
schedule: {version: 1, schedule: manual}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A new project whose local Snowflake runs for all tests of this file."""
    folder = tmp_path_factory.mktemp("python") / "shop"
    Here(folder.parent).sfml("init", "shop")
    project = Here(folder)
    project.sfml("local", "start")
    yield project
    project.sfml("local", "stop", ok=None)


def valid(value: object, name: str) -> None:
    jsonschema.Draft202012Validator(schema(f"output/{name}.schema.json")).validate(value)


def test_its_names_are_these() -> None:
    assert set(sfml.__all__) == NAMES
    assert all(getattr(sfml, name) is not None for name in NAMES)
    assert set(dir(sfml)) >= NAMES
    with pytest.raises(AttributeError):
        sfml.nothing_of_the_kind  # noqa: B018


def test_importing_loads_nothing_of_a_client(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    (tmp_path / "p.yaml").write_text(FAILS)
    loaded = subprocess.run(
        (
            sys.executable,
            "-c",
            "import sys, sfml\nfirst = set(sys.modules)\nsfml.open('.').pipeline('fails').check()\n"
            "heavy = {'snowflake.connector', 'snowflake.core', 'fakesnow', 'pandas'}\n"
            "print(len(first & {'yaml', 'click'}), *(set(sys.modules) & heavy))",
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.split() == ["0"]


def test_the_page_runs(shop: Here, capfd: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    place = ModuleType("page").__dict__
    with chdir(shop.folder):
        for block in blocks:
            exec(compile(block, "docs/python.md", "exec"), place)
    assert place["run"].outcome == "succeeded" and not list(place["findings"])
    assert place["applied"].deployment == 1 and (shop.folder / "build" / "shop" / "manifest.json").is_file()
    valid(place["run"].to_dict(), "run")
    valid(place["plan"].to_dict(), "plan")
    valid(place["applied"].to_dict(), "plan")
    valid(place["findings"].to_dict(), "validate")
    valid(place["statuses"].to_dict(), "status")
    valid(place["shop"].graph.to_dict(), "manifest")
    for name in ("project", "shop", "findings", "plan", "run", "statuses"):
        html = place[name]._repr_html_()
        assert (html.startswith("<") and str(place["shop"].name) in html) or name == "findings"
    assert "<svg" in place["shop"].graph._repr_html_()


def test_the_status_of_a_project_is_that_of_the_command(
    shop: Here, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (shop.folder / "specs" / "broken.yaml").write_text(BROKEN)
    (shop.folder / "specs" / "unread.yaml").write_text(FAILS.replace("fails", "unread"))
    try:
        with chdir(shop.folder):
            statuses = sfml.open(".").status()
            wrong = {status.pipeline: status for status in statuses}["broken"]
            assert (wrong.is_well, wrong.is_deployed, wrong.differs) == (False, None, None)
            assert wrong.problems == ("its spec has errors",) and wrong in [*statuses.needing_attention]
            assert "broken" in repr(statuses) and "1 needs attention" in str(statuses)
            [one] = sfml.open("specs").status("unread", target="local")
            assert (one.is_well, one.is_deployed, one.problems, one.outcome) == (True, False, (), None)
            with pytest.raises(UsageError, match="no pipeline `nope`"):
                sfml.open(".").status("nope")
        out, err = capfd.readouterr()
        assert out == err == "", "nothing is printed"
        printed = json.loads(shop.sfml("status", "-o", "json", ok=False).out)
        assert timeless(printed) == timeless(statuses.to_dict())
    finally:
        (shop.folder / "specs" / "broken.yaml").unlink()
        (shop.folder / "specs" / "unread.yaml").unlink()


def timeless(statuses: dict[str, Any]) -> dict[str, Any]:
    """Without the schedules' texts, which say how long it is until the next run."""
    return {**statuses, "pipelines": [{**one, "schedule": None} for one in statuses["pipelines"]]}


def test_it_prints_nothing_by_itself(shop: Here, capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    (shop.folder / "specs" / "fails.yaml").write_text(FAILS)
    fails = sfml.open(shop.folder / "specs").pipeline("fails")
    with chdir(shop.folder), fails.connect() as account:
        plan = account.plan()
        with pytest.raises(UsageError) as asked:
            account.apply(plan)
        assert asked.value.help and "approve=True" in asked.value.help
        account.apply(plan, approve=True, progress=lines.append)
        assert any("created" in line for line in lines)
        with pytest.raises(ConflictingState, match="changed since the plan was made"):
            account.apply(plan, approve=True)
        assert account.plan().is_empty
        run = account.run(config={"limit": 5}).wait()
        assert (run.state, run.outcome) == ("FAILED", "failed") and "nothing" in str(run.reason).lower()
        assert [task.state for task in run.tasks] == ["SUCCEEDED", "FAILED"] and run["b"].error
        with pytest.raises(KeyError, match=r"did you mean `b`|its tasks are"):
            run["bb"]
        with pytest.raises(UsageError, match="`limits` is not a key") as misspelt:
            account.run(config={"limits": 5})
        assert misspelt.value.help == "did you mean `limit`?"
        runs = account.runs(limit=5)
        assert [one.run_id for one in runs] == [run.run_id] and runs[0]["a"].state == "SUCCEEDED"
        valid(runs.to_dict(), "history")
        part = account.plan_run(recover=run.run_id[:8])
        assert (part.recovers, part.runs, part.reuses) == (run.run_id, ("b",), {"a": run.run_id})
        valid(part.to_dict(), "part")
        made = part.dag()
        assert made.name.startswith("FAILS$$PART_") and {task.name for task in made.tasks} == {"A", "B"}
        assert "reused: succeeded in" in str(part) and part._repr_html_().startswith("<pre>")
        again = account.run(recover="last").wait(progress=lines.append)
        assert again.state == "FAILED" and again["a"].reused_from == run.run_id
        valid(again.to_dict(), "run")
        assert account.run(only="a").wait()["b"].state is None
        assert [one.run_id for one in account.runs()][1:] == [again.run_id, run.run_id]
        planned = account.plan_backfill({"limit": "1..2"})
        assert planned.runs == ("limit 1", "limit 2") and planned._repr_html_().startswith("<table>")
        assert [task.full_name for task in planned.dag().tasks] == ["FAILS$$LANE_1$A", "FAILS$$LANE_1$B"]
        valid(planned.to_dict(), "backfill")
        filled = account.backfill({"limit": "1..2"}, progress=lines.append)
        assert (filled.ran, filled.is_done) == (2, False)
        assert filled.states == {"limit 1": "failed", "limit 2": "failed"}
        assert account.backfill({"limit": [1, "2"]}).ran == 0
        assert account.backfill({"limit": 2}, retry_failed=True).ran == 1 and "limit 2" in lines[-1]
        valid(filled.to_dict(), "backfill")
        with pytest.raises(UsageError, match="0 runs at once"):
            account.backfill({"limit": 3}, at_once=0)
        with pytest.raises(UsageError, match="by --over and by --config"):
            account.backfill({"limit": 3}, config={"limit": 4})
        assert filled._repr_html_().startswith("<table>")
        with pytest.raises(UsageError, match="go with a part"):
            account.run(deployment=1)
        with pytest.raises(UsageError, match="no plan"):
            account.plan_run()
        with pytest.raises(ConflictingState, match="deployment 3 of fails is not kept"):
            account.rollback(to=3)
    assert capfd.readouterr() == ("", "")


def test_an_earlier_deployment_is_put_back(shop: Here) -> None:
    file = shop.folder / "specs" / "twice.yaml"
    for body in ("select 1", "select 2"):
        file.write_text(FAILS.replace("fails", "twice").replace("select nothing", body))
        with sfml.open(shop.folder).pipeline("twice").connect() as account:
            account.apply(approve=True)
    with sfml.open(shop.folder).pipeline("twice").connect() as account:
        back = account.rollback(to=1)
        assert back.deployment == 3 and [one.action for one in back.plan.changes].count("alter") == 1
        assert [one.task for one in account.plan().changes if one.action == "alter"] == ["b"]


def test_findings_are_raised_whole(shop: Here) -> None:
    (shop.folder / "specs" / "broken.yaml").write_text(BROKEN)
    broken = sfml.open(shop.folder).pipeline("broken")
    findings = broken.check()
    assert [one.code for one in findings.errors] == ["SF203"] and findings.errors[0].line == 3
    for fails in (findings.raise_for_errors, broken.compile, lambda: broken.graph):
        with pytest.raises(sfml.InvalidSpec, match="task `a` runs after unknown task `nope`"):
            fails()
    with pytest.raises(UsageError) as unknown:
        sfml.open(shop.folder).pipeline("brokn")
    assert unknown.value.help == "did you mean `broken`?"


def test_outside_of_a_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no sfml\.yaml"):
        sfml.open(tmp_path)
