"""Saved plans, moves, drift and import on a local Snowflake.

Commands run in the test's own process, which loads Snowflake's clients once: there are some fifty of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from conftest import Done, Project
from here import Here

from sfml.base.resources import schema

PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true, schema: SHOP}
"""
JOBS = """version: 1
config: {threshold: 0.4}
tasks:
  load:
    sql: select 1           # the body
    # as long as the source takes
    timeout: 90s
  score: {sql: "select 2", after: [load]}   # flow style
  gate:
    step: shop.gate.check
    after: [score]
    with: {at_least: 0.3}
    outcomes: [report]
  report: {sql: select 3}
"""
GATE = """from typing import Literal
from sfml_steps import Context, step

@step
def check(ctx: Context, at_least: float) -> Literal["report"]:
    return "report"
"""
SPEC = "specs/shop.yaml"


def valid(done: Done, name: str) -> Any:
    jsonschema.Draft202012Validator(schema(f"output/{name}.schema.json")).validate(done.json)
    return done.json


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose local Snowflake runs for all tests of this file; each leaves account and spec equal."""
    project = Here(tmp_path_factory.mktemp("shop"))
    project.write("sfml.yaml", PROJECT)
    project.write(
        SPEC,
        "version: 1\npipeline: shop\ngraph: shop/jobs.yaml\nschedule: {cron: '0 3 * * *', timezone: UTC}\n",
    )
    project.write("specs/shop/jobs.yaml", JOBS)
    project.write("steps/shop/__init__.py", "")
    project.write("steps/shop/gate.py", GATE)
    project.sfml("local", "start")
    project.sfml("apply", SPEC, "--auto-approve", "-q")
    yield project
    project.sfml("local", "stop", ok=None)


def sql(project: Project, *statements: str) -> None:
    project.sfml("local", "sql", "use schema sfml.shop;\n" + ";\n".join(statements))


def alter(project: Project, *clauses: str) -> None:
    """Alter tasks behind sfml's back, and leave the graph started."""
    sql(
        project,
        "alter task shop suspend",
        *(f"alter task {one}" for one in clauses),
        "alter task shop resume",
    )


def test_a_saved_plan_is_carried_out_once_and_refused_when_anything_moved_on(shop: Project) -> None:
    shop.edit("specs/shop/jobs.yaml", "timeout: 90s", "timeout: 2m")
    planned = shop.sfml("plan", SPEC, "--out", "plan.json", "--detailed-exitcode", ok=None)
    assert planned.code == 2 and "Next:  sfml apply plan.json" in planned.out
    jsonschema.validate(
        json.loads((shop.folder / "plan.json").read_text()), schema("output/plan_file.schema.json")
    )
    shop.edit("specs/shop/jobs.yaml", "timeout: 2m", "timeout: 3m")
    refused = shop.sfml("apply", "plan.json", ok=False)
    assert "the spec or the step code changed since" in refused.err
    shop.edit("specs/shop/jobs.yaml", "timeout: 3m", "timeout: 2m")
    done = valid(shop.sfml("apply", "plan.json", "-o", "json"), "plan")
    assert done["applied"] and [one["task"] for one in done["changes"] if one["action"] == "alter"] == [
        "load"
    ]
    again = shop.sfml("apply", "plan.json", ok=False)
    assert "`plan.json` no longer holds: the deployed graph changed since" in again.err
    assert "sfml plan specs/shop.yaml -t local --out plan.json" in again.err


def test_a_plan_is_told_why_where_and_what_it_risks(shop: Project) -> None:
    shop.edit("steps/shop/gate.py", 'return "report"', 'return "report" if at_least else "report"')
    shop.edit("specs/shop/jobs.yaml", "at_least: 0.3", "at_least: 0.2")
    plan = valid(shop.sfml("plan", SPEC, "-o", "json"), "plan")
    (gate,) = [one for one in plan["changes"] if one["action"] == "alter"]
    fields = {field["path"]: field for field in gate["fields"]}
    assert fields["code"]["files"] == [{"path": "shop/gate.py", "status": "changed", "names": ["check"]}]
    assert fields["code"]["reason"] == "code changed"
    assert (fields["with.at_least"]["old"], fields["with.at_least"]["new"]) == (0.3, 0.2)
    assert fields["with.at_least"]["place"] == "specs/shop/jobs.yaml:12"
    assert gate["risks"] == [{"label": "gate", "message": "changes how the gate decides"}]
    assert len(plan["next_runs"]) == 5
    text = shop.sfml("plan", SPEC).out
    assert "shop/gate.py: check changed" in text and "! changes how the gate decides" in text
    assert (
        "| alter | `gate` | `with.at_least` | `0.3` | `0.2` |"
        in shop.sfml("plan", SPEC, "-o", "markdown").out
    )
    shop.sfml("apply", SPEC, "--auto-approve", "-q")


def test_a_task_moves_to_its_new_name(shop: Project) -> None:
    shop.edit("specs/shop/jobs.yaml", "  report: {sql", "  tell: {sql")
    shop.edit("specs/shop/jobs.yaml", "outcomes: [report]", "outcomes: {report: tell}")
    shop.edit("specs/shop/jobs.yaml", "tasks:\n", "moved: [{from: report, to: tell}]\ntasks:\n")
    text = shop.sfml("plan", SPEC).out
    assert "→ tell" in text or ("> tell" in text and "was SHOP$REPORT" in text and "1 to move" in text)
    shop.sfml("apply", SPEC, "--auto-approve", "-q")
    assert "no changes" in shop.sfml("plan", SPEC).out
    shown = shop.sfml("local", "sql", "show tasks in schema sfml.shop").out
    assert (
        "SHOP$TELL" in shown
        and "SHOP$REPORT\n" not in shown
        and '"moved":{"SHOP$TELL":"SHOP$REPORT"}' in shown
    )


def test_a_task_of_the_same_name_that_is_not_ours_is_found_before_anything_changes(shop: Project) -> None:
    sql(shop, "create task shop$extra warehouse = local_wh as select 'theirs'")
    before = (shop.folder / "specs/shop/jobs.yaml").read_text(encoding="utf-8")
    shop.write("specs/shop/jobs.yaml", before + "  extra: {sql: select 9}\n")
    for command in (("plan", SPEC), ("apply", SPEC, "--auto-approve")):
        refused = shop.sfml(*command, ok=False)
        assert "already has `SHOP$EXTRA`, which does not belong to this graph" in refused.err
    shop.write("specs/shop/jobs.yaml", before)
    assert "no changes" in shop.sfml("plan", SPEC).out
    sql(shop, "drop task shop$extra")


def test_drift_is_accepted_into_the_spec_where_the_values_come_from(shop: Project) -> None:
    alter(
        shop,
        "shop$load set user_task_timeout_ms = 600000, comment = 'watched'",
        "shop$score set warehouse = big_wh",
        "shop$score modify as select 42",
        "shop set suspend_task_after_num_failures = 3",
        "shop set config = '{\"threshold\": 0.5}'",
        "shop$gate modify when 1 = 1",
    )
    drift = valid(shop.sfml("drift", SPEC, "-o", "json", "--detailed-exitcode", ok=None), "drift")
    found = {f"{task['task']}.{field['path']}": field for task in drift["tasks"] for field in task["fields"]}
    assert set(found) == {
        *("load.timeout_ms", "load.comment", "score.warehouse", "score.definition"),
        *("shop.suspend_after_failures", "shop.config.threshold", "gate.when"),
    }
    plan = shop.sfml("plan", SPEC, "-o", "json").json
    told = {field["reason"] for change in plan["changes"] for field in change["fields"]}
    assert told == {"drifted"}
    alter(shop, "shop$gate remove when")
    before = (shop.folder / "specs/shop/jobs.yaml").read_text(encoding="utf-8")
    accepted = valid(shop.sfml("drift", SPEC, "--accept", "-o", "json"), "drift")
    assert len(accepted["accepted"]) == 6
    after = (shop.folder / "specs/shop/jobs.yaml").read_text(encoding="utf-8")
    assert "    sql: select 1           # the body\n" in after and "timeout: 10m\n" in after
    assert "    # as long as the source takes\n" in after and "comment: watched\n" in after
    assert "{sql: select 42, after: [load], run_on: {warehouse: BIG_WH}}   # flow style" in after
    assert "config: {threshold: 0.5}" in after and before != after
    assert shop.sfml("plan", SPEC, "--detailed-exitcode").code == 0
    assert shop.sfml("drift", SPEC, "--detailed-exitcode").code == 0


def test_what_cannot_be_accepted_is_said_and_revert_puts_back_what_was_applied(shop: Project) -> None:
    refused = shop.sfml("drift", SPEC, "--revert", ok=False)
    assert "were accepted into the spec since the last apply" in refused.err
    shop.edit("specs/shop/jobs.yaml", "timeout: 10m", "timeout: 12m")
    shop.sfml("apply", SPEC, "--auto-approve", "-q")
    alter(shop, "shop$score add after shop", "shop$load set user_task_timeout_ms = 1500", "shop$tell suspend")
    sql(shop, "alter task shop suspend", "drop task shop$tell", "alter task shop resume")
    done = shop.sfml("drift", SPEC, "--detailed-exitcode", ok=None)
    assert done.code == 2
    for words in (
        "the order of tasks changed in the account",
        "1500 ms is not a whole number of seconds",
        "tell  is gone from the account",
    ):
        assert words in done.out, done.out
    before = (shop.folder / "specs/shop/jobs.yaml").read_bytes()
    assert "left to do by hand" in shop.sfml("drift", SPEC, "--accept").out
    assert (shop.folder / "specs/shop/jobs.yaml").read_bytes() == before
    shop.edit("specs/shop/jobs.yaml", "timeout: 12m", "timeout: 11m")
    reverted = valid(shop.sfml("drift", SPEC, "--revert", "--auto-approve", "-o", "json"), "drift")
    assert reverted["reverted"]
    shop.edit("specs/shop/jobs.yaml", "timeout: 11m", "timeout: 12m")
    assert shop.sfml("plan", SPEC, "--detailed-exitcode").code == 0, (
        "as it was applied, not as the spec said by then"
    )
    assert "no drift" in shop.sfml("drift", SPEC).out


def test_a_graph_of_others_is_imported_and_adopted_as_it_is(shop: Project) -> None:
    sql(
        shop,
        "create task \"Night load\" warehouse = local_wh schedule = '30 MINUTES' comment = 'theirs' as select 1",
        "create task fetch_x warehouse = local_wh after \"Night load\" as select 'a;b' /* {{ kept }} */",
        "alter task fetch_x resume",
        'alter task "Night load" resume',
    )
    done = valid(shop.sfml("import", '"Night load"', "--name", "nightly", "-o", "json"), "import")
    assert done["changes"] == done["losses"] == [] and done["tasks"] == {"FETCH_X": "fetch_x"}
    assert (shop.folder / "specs/nightly/sql/fetch_x.sql").read_text() == "select 'a;b' /* {{ kept }} */"
    again = shop.sfml("import", '"Night load"', "--name", "nightly", ok=False)
    assert "nothing was written" in again.err
    refused = shop.sfml("apply", "specs/nightly.yaml", "--auto-approve", ok=False)
    assert "was not made by sfml" in refused.err and "--adopt" in refused.err
    plan = shop.sfml("plan", "specs/nightly.yaml", "--adopt", "-o", "json").json
    fields = [field for change in plan["changes"] for field in change["fields"]]
    assert [(one["path"], one["reason"]) for one in fields] == [("record", "adopted")]
    ids = task_ids(shop)
    shop.sfml("apply", "specs/nightly.yaml", "--adopt", "--auto-approve", "-q")
    assert shop.sfml("plan", "specs/nightly.yaml", "--detailed-exitcode").code == 0
    assert task_ids(shop) == ids, "they are the same tasks as before"
    ours = shop.sfml("import", '"Night load"', "--name", "other", ok=False)
    assert "was made by sfml, from specs/nightly.yaml" in ours.err


def task_ids(project: Project) -> dict[str, str]:
    (answer,) = project.sfml("local", "sql", "show tasks in schema sfml.shop", "-o", "json").json["results"]
    columns = answer["columns"]
    return {row[columns.index("name")]: row[columns.index("id")] for row in answer["rows"]}


def test_a_value_that_several_tasks_share_is_not_accepted_for_one_of_them(shop: Project) -> None:
    text = (
        "version: 1\npipeline: parts\ngraph:\n  tasks:\n"
        "    load: {for_each: {part: [a, b]}, sql: select 1, timeout: 1m}\n"
    )
    shop.write("specs/parts.yaml", text)
    shop.sfml("apply", "specs/parts.yaml", "--auto-approve", "-q")
    sql(shop, "alter task parts$load_a set user_task_timeout_ms = 120000")
    refused = shop.sfml("drift", "specs/parts.yaml", "--accept", ok=False)
    assert "would change other settings too: timeout_ms of load_b" in refused.err
    assert (shop.folder / "specs/parts.yaml").read_text(encoding="utf-8") == text


def test_a_failed_run_is_forfeited_by_a_change(shop: Project) -> None:
    """Its tasks are those of the graph by now: a graph that was modified since cannot be retried."""
    shop.write(
        "specs/failing.yaml",
        "version: 1\npipeline: failing\ngraph: {tasks: {a: {sql: select * from NOWHERE, timeout: 60s}}}\n",
    )
    shop.sfml("apply", "specs/failing.yaml", "--auto-approve", "--run", "-q", ok=False)
    assert "forfeits" not in shop.sfml("plan", "specs/failing.yaml").out, "nothing changes"
    shop.edit("specs/failing.yaml", "60s", "90s")
    plan = valid(shop.sfml("plan", "specs/failing.yaml", "-o", "json"), "plan")
    assert [risk["label"] for risk in plan["risks"]] == ["forfeits retry"]
    assert "! forfeits RETRY LAST of the failed run of " in shop.sfml("plan", "specs/failing.yaml").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("drift", SPEC, "--accept", "--revert"), "exclude each other"),
        (("plan", SPEC, "--out", "plan.txt"), "should end in .json"),
        (("apply", "no.json"), "cannot be read"),
        (("apply", "broken.json"), "not a saved plan"),
        (("import", "a.b.c.d"), "not the name of a task"),
        (("import", "SHOP", "--out", "/tmp"), "not in the project"),
    ],
)
def test_wrong_usage_is_told(shop: Project, arguments: tuple[str, ...], words: str) -> None:
    shop.write("broken.json", "{")
    done = shop.sfml(*arguments, ok=None)
    assert done.code == 2 and words in done.err


def test_there_must_be_something_to_compare(shop: Project) -> None:
    shop.write("specs/small.yaml", "version: 1\npipeline: small\ngraph: {tasks: {a: {sql: select 1}}}\n")
    assert "small is not deployed in target local" in shop.sfml("drift", "specs/small.yaml", ok=False).err
    assert "there is no task `NOTHING`" in shop.sfml("import", "nothing", ok=False).err
    assert not (shop.folder / "specs" / "nothing.yaml").exists()
