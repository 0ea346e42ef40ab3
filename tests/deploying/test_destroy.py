"""What `sfml destroy` takes away, what it leaves, and how it is finished or undone."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from small import Small

from sfml.base import resources

DESTROY = ("destroy", "specs/small.yaml", "--auto-approve")
APPLY = ("apply", "specs/small.yaml", "--auto-approve")


def files(small: Small) -> list[str]:
    return [str(row["name"]) for row in small.local.sql(f"LIST @{small.local.database}.SMALL.SFML")]


def test_it_removes_the_graph_and_its_files_and_nothing_else(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    schema = f"{small.local.database}.SMALL"
    for table in ("KEPT", "GONE"):
        small.local.sql(f"CREATE TABLE {schema}.{table} (A INT)")
    small.local.sql(f"CREATE TASK {schema}.OTHER WAREHOUSE = LOCAL_WH AS SELECT 1")
    code, text = small.run("destroy", "specs/small.yaml")
    assert code == 2 and "no terminal to ask" in text and small.is_on()

    code, text = small.run(*DESTROY, "--tables=gone,NEVER_THERE")
    assert code == 0, text
    assert f"local  {schema}   3 tasks to remove\n\n  - SMALL   the root; its schedule is on" in text
    assert "  - first\n  - second\n  - on the stage: 1 kept deployment, files of runs" in text
    assert f"  - table {schema}.GONE\n" in text and "Other tables and models stay." in text
    assert "small is not deployed in local any more." in text
    assert [row["name"] for row in small.local.sql(f"SHOW TASKS IN SCHEMA {schema}")] == ["OTHER"]
    assert [row["name"] for row in small.local.sql(f"SHOW TABLES IN SCHEMA {schema}")] == ["KEPT"]
    assert files(small) == []
    assert "Nothing to remove: small is not deployed in local." in small.run(*DESTROY)[1]
    assert small.run(*APPLY)[0] == 0
    for destroyed in (True, False):
        value = json.loads(small.run(*DESTROY, "-o", "json")[1])
        Draft202012Validator(resources.schema("output/destroy.schema.json")).validate(value)
        assert value["destroyed"] is destroyed


def test_one_that_was_cut_off_is_finished_by_the_next_or_undone(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    before = small.bodies()
    small.local.faults.fail(
        "DELETE /tasks/SMALL$FIRST", status=403, code="003001", sentence="Insufficient privileges"
    )
    code, text = small.run(*DESTROY)
    assert code == 1 and "sfml destroy specs/small.yaml -t local           finishes it" in text, text
    assert set(small.bodies()) == {"SMALL$FIRST"} and not small.is_on()
    code, text = small.run("status", "specs/small.yaml")
    assert code == 1 and "half applied: a destroy of small by " in text
    assert "sfml destroy specs/small.yaml -t local   finishes it" in text

    code, text = small.run("apply", "specs/small.yaml", "--restore", "--auto-approve")
    assert code == 0 and text.startswith("A destroy of small by "), text
    assert small.bodies() == before and small.is_on()

    small.local.faults.clear()
    small.local.faults.fail("REMOVE apply", code="003001", sentence="Insufficient privileges")
    assert small.run(*DESTROY)[0] == 1
    small.local.faults.clear()
    assert small.bodies() == {} and [file.rpartition("/")[2] for file in files(small)] == ["apply.json"]
    code, text = small.run(*DESTROY)
    assert code == 0 and files(small) == [], text


def test_a_task_of_somebody_else_stops_it_before_anything_is_changed(small: Small) -> None:
    schema = f"{small.local.database}.SMALL"
    assert small.run(*APPLY, "--no-resume")[0] == 0
    small.local.sql(f"CREATE TASK {schema}.THEIRS WAREHOUSE = LOCAL_WH AFTER {schema}.SMALL AS SELECT 1")
    code, text = small.run(*DESTROY)
    assert code == 1 and "THEIRS below SMALL is neither in the spec nor of its last deployment" in text
    assert len(small.bodies()) == 3
    small.local.sql(f"DROP TASK {schema}.THEIRS")
    small.local.sql(f"ALTER TASK {schema}.SMALL UNSET COMMENT")
    code, text = small.run(*DESTROY)
    assert code == 1 and "SMALL was not made by sfml; nothing was changed" in text


def test_a_production_target_wants_the_pipeline_named(small: Small) -> None:
    project = small.folder / "sfml.yaml"
    assert small.run(*APPLY)[0] == 0
    project.write_text(project.read_text().replace("kind: local", "kind: local, mode: production"))
    code, text = small.run(*DESTROY)
    assert code == 2 and "add --confirm small" in text
    code, text = small.run("destroy", "specs/small.yaml", "--confirm", "smal")
    assert code == 2 and "names another pipeline" in text and small.is_on()
    assert small.run("destroy", "specs/small.yaml", "--confirm", "small")[0] == 0
    assert small.bodies() == {}


def test_tables_that_nothing_declares_have_to_be_named(small: Small) -> None:
    code, text = small.run(*DESTROY, "--tables")
    assert code == 2 and "no task of small declares tables" in text
