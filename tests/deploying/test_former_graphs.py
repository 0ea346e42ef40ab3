"""A pipeline that is renamed, or whose target moves: its graph at the former place stays, and every command says so."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from pages import holds
from small import SPEC, Small

from sfml.plan.settings import split_comment

SPEC_PATH = "specs/small.yaml"


def text(small: Small, *words: str, code: int = 0) -> str:
    ended, printed = small.run(*words)
    assert ended == code, printed
    return printed


def plan(small: Small, spec: str = SPEC_PATH) -> list[str]:
    """The messages of the plan about former graphs."""
    value: dict[str, Any] = json.loads(text(small, "plan", spec, "-o", "json"))
    return [risk["message"] for risk in value["risks"] if risk["label"] == "former graph"]


def apply(small: Small, spec: str = SPEC_PATH) -> None:
    text(small, "apply", spec, "--auto-approve")


def move(small: Small, schema: str) -> None:
    file = small.folder / "sfml.yaml"
    head, _, _ = file.read_text(encoding="utf-8").partition(", schema")
    file.write_text(head.rstrip().removesuffix("}") + f", schema: {schema}}}\n", encoding="utf-8")


def git(small: Small, *commands: str) -> None:
    for command in commands:
        author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(("git", *author, *command.split()), cwd=small.folder, check=True)


@pytest.fixture
def renamed(small: Small) -> Small:
    """A pipeline that is deployed, and renamed since."""
    apply(small)
    small.edit("pipeline: small", "pipeline: large")
    return small


def test_every_command_names_the_graph_from_before_the_renaming(renamed: Small) -> None:
    database = renamed.local.database
    removal = f"sfml destroy small -t local --at {database}.SMALL"
    message = f"{database}.SMALL.SMALL, made by this spec before, stays, and its schedule is on"
    assert plan(renamed) == [f"{message}; to remove it:  {removal}"]
    printed = text(renamed, "apply", SPEC_PATH, "--auto-approve")
    assert message in printed and plan(renamed) == [f"{message}; to remove it:  {removal}"]
    for words in (("status", SPEC_PATH), ("status",)):
        printed = text(renamed, *words, code=1)
        assert f"{database}.SMALL.SMALL is still on" in printed and removal in printed
    (problem,) = json.loads(text(renamed, "status", "large", "-o", "json", code=1))["pipelines"][0][
        "problems"
    ]
    assert problem["kind"] == "former_graphs" and problem["help"].startswith(removal)
    assert f"{database}.SMALL.SMALL is still on" in text(renamed, "drift", SPEC_PATH)

    printed = text(renamed, *removal.split()[1:], "--auto-approve")
    assert f"small is not deployed in {database}.SMALL any more" in printed
    assert not renamed.bodies() and "all well" in text(renamed, "status", SPEC_PATH)
    assert plan(renamed) == []


def test_the_page_shows_what_status_says(small: Small) -> None:
    small.edit("pipeline: small", "pipeline: store")
    apply(small)
    small.edit("pipeline: store", "pipeline: small")
    apply(small)
    holds("running.md", text(small, "status", SPEC_PATH, code=1), "sfml status specs/shop.yaml")


def test_a_former_graph_that_is_off_is_no_problem(renamed: Small) -> None:
    apply(renamed)
    renamed.local.sql(f"ALTER TASK {renamed.local.database}.SMALL.SMALL SUSPEND")
    assert "all well" in text(renamed, "status", SPEC_PATH)
    assert "its schedule is off" in plan(renamed)[0]


def test_the_graph_of_a_moved_target_is_removed_by_the_spec_itself(small: Small) -> None:
    database = small.local.database
    apply(small)
    move(small, "ELSEWHERE")
    removal = f"sfml destroy {SPEC_PATH} -t local --at {database}.SMALL"
    (message,) = plan(small)
    assert message.endswith(removal)
    apply(small)
    assert small.is_on() and removal in text(small, "status", SPEC_PATH, code=1)
    text(small, *removal.split()[1:], "--auto-approve")
    assert not small.bodies() and "all well" in text(small, "status", SPEC_PATH)


def test_an_apply_that_was_cut_off_records_it_when_it_is_finished(renamed: Small) -> None:
    renamed.local.faults.fail("large$second", code="003001", sentence="Insufficient privileges")
    renamed.local.faults.fail("LARGE$SECOND", code="003001", sentence="Insufficient privileges")
    assert renamed.run("apply", SPEC_PATH, "--auto-approve")[0] == 1
    renamed.local.faults.clear()
    assert len(plan(renamed)) == 1
    apply(renamed)
    assert "is still on" in text(renamed, "status", SPEC_PATH, code=1)


def test_another_pipeline_is_no_former_graph(renamed: Small) -> None:
    other = renamed.folder / "specs" / "other.yaml"
    other.write_text(SPEC.replace("small", "other"), encoding="utf-8")
    assert plan(renamed, "specs/other.yaml") == []


def test_targets_and_users_with_places_of_their_own_are_no_former_graphs(small: Small) -> None:
    file = small.folder / "sfml.yaml"
    project = file.read_text(encoding="utf-8")
    own = f'  own: {{kind: local, database: {small.local.database}, schema: "{{{{ pipeline }}}}_{{{{ user }}}}"}}\n'
    file.write_text(project + own, encoding="utf-8")
    apply(small)
    for user in ("ada", "bob"):
        words = (SPEC_PATH, "-t", "own", "--user", user)
        assert "made by this spec" not in text(small, "apply", *words, "--auto-approve")
        assert "all well" in text(small, "status", *words)
    small.edit("pipeline: small", "pipeline: large")
    printed = text(small, "plan", SPEC_PATH, "-t", "own", "--user", "ada")
    assert "SMALL_ADA.SMALL, made by this spec" in printed and printed.count("made by this spec") == 1


def test_a_renamed_file_is_followed_by_git(small: Small) -> None:
    git(small, "init -q", "add -A", "commit -q -m a")
    apply(small)
    git(small, "mv specs/small.yaml specs/large.yaml")
    file = small.folder / "specs" / "large.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("small", "large"), encoding="utf-8")
    (message,) = plan(small, "specs/large.yaml")
    assert message.startswith(f"{small.local.database}.SMALL.SMALL, made by {SPEC_PATH} before, stays")
    holds("deploying.md", text(small, "plan", "specs/large.yaml"), "sfml plan specs/large.yaml")
    apply(small, "specs/large.yaml")
    assert "sfml destroy small" in text(small, "status", "large", code=1)


def test_without_git_a_renamed_file_is_a_question(renamed: Small) -> None:
    (renamed.folder / SPEC_PATH).rename(renamed.folder / "specs" / "large.yaml")
    (message,) = plan(renamed, "specs/large.yaml")
    assert message.startswith("? ") and f"made by {SPEC_PATH}, which is gone" in message
    apply(renamed, "specs/large.yaml")
    assert "all well" in text(renamed, "status", "large")


def test_an_account_tells_projects_apart_by_their_commits(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = small.local.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    lines = "\n".join(["[here]", *(f"{key} = {json.dumps(given[key])}" for key in keys)])
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", lines)
    account = f"connection: here, account: LOCAL-LOCAL, database: {small.local.database}, warehouse: LOCAL_WH"
    (small.folder / "sfml.yaml").write_text(
        f"version: 1\ntargets:\n  prod: {{{account}}}\n", encoding="utf-8"
    )
    for schema in ("SMALL", "LARGE"):
        small.local.sql(f"CREATE SCHEMA {small.local.database}.{schema}")
    git(small, "init -q", "add -A", "commit -q -m a")
    apply(small)
    small.edit("pipeline: small", "pipeline: large")
    assert plan(small)[0].startswith(f"{small.local.database}.SMALL.SMALL, made by this spec before")
    subprocess.run(("rm", "-rf", ".git"), cwd=small.folder, check=True)
    (message,) = plan(small)
    assert message.startswith("? ") and "perhaps of another project" in message


def test_a_graph_list_that_is_refused_is_a_question(renamed: Small) -> None:
    renamed.local.faults.fail("SHOW TASKS IN ACCOUNT", code="003001", sentence="Insufficient privileges")
    assert "? not known whether the pipeline was deployed elsewhere" in text(renamed, "plan", SPEC_PATH)
    apply(renamed)


def test_a_destroy_elsewhere_that_is_cut_off_says_how_it_goes_on(renamed: Small) -> None:
    database = renamed.local.database
    removal = ("destroy", "small", "--at", f"{database}.SMALL", "--auto-approve")
    renamed.local.faults.fail("SMALL$SECOND", code="003001", sentence="Insufficient privileges")
    printed = text(renamed, *removal, code=1)
    assert f"sfml destroy --at {database}.SMALL small -t local   finishes it" in printed
    assert "--restore" not in printed
    renamed.local.faults.clear()
    text(renamed, *removal)
    assert not renamed.bodies()


def test_at_takes_one_pipeline_and_a_schema(small: Small) -> None:
    assert "--at `NOWHERE` is not a schema" in text(small, "destroy", SPEC_PATH, "--at", "NOWHERE", code=2)
    (small.folder / "specs" / "other.yaml").write_text(SPEC.replace("small", "other"), encoding="utf-8")
    assert "--at goes with one pipeline" in text(small, "destroy", "specs", "--at", "A.B", code=2)


def test_the_record_names_pipeline_and_target(small: Small) -> None:
    apply(small)
    place = f"SHOW TASKS LIKE 'SMALL' IN SCHEMA {small.local.database}.SMALL"
    record = split_comment(str(small.local.sql(place)[0]["comment"]))[1]
    assert record is not None and (record["pipeline"], record["target"]) == ("small", "local")
    assert "former" not in record
