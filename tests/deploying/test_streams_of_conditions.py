"""A stream that a deployed condition reads and that is not there any more, or cannot be read, is never told as well."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pages import holds
from small import APPLY, SPEC, Small

import sfml
from sfml.base.resources import schema
from sfml.snowflake import fleet

CRON = "{cron: '0 0 * * 0', timezone: UTC}"
STATUS = Draft202012Validator(schema("output/status.schema.json"))


@pytest.fixture
def triggered(small: Small) -> Small:
    """A deployed pipeline whose root reads one stream, and whose second task another one, in quotes."""
    place = f"{small.local.database}.SMALL"
    condition = "SYSTEM$STREAM_HAS_DATA('\\\"to do\\\"')"
    small.edit("{sql: 'select 2', after", f"{{sql: 'select 2', when: \"{condition}\", after")
    small.edit(CRON, "{on_stream: [new_orders]}")
    (small.folder / "specs" / "beside.yaml").write_text(SPEC.replace("pipeline: small", "pipeline: beside"))
    for statement in (
        f"CREATE SCHEMA IF NOT EXISTS {place}",
        f"CREATE TABLE {place}.ORDERS (A INT)",
        f"CREATE TABLE {place}.TODO (A INT)",
        f"CREATE STREAM {place}.NEW_ORDERS ON TABLE {place}.ORDERS",
        f'CREATE STREAM {place}."to do" ON TABLE {place}.TODO',
    ):
        small.local.sql(statement)
    code, text = small.run(*APPLY)
    assert code == 0, text
    return small


def told(small: Small) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the problems and the text; alone as together with another pipeline."""
    code, text = small.run("status", "specs/small.yaml")
    problems = []
    for specs in (("specs/small.yaml",), ("specs/small.yaml", "specs/beside.yaml")):
        again, printed = small.run("status", *specs, "-o", "json")
        value = json.loads(printed)
        STATUS.validate(value)
        assert again == code
        assert value["pipelines"][0]["well"] is (code == 0)
        problems.append(value["pipelines"][0]["problems"])
    assert problems[0] == problems[1]
    return code, problems[0], text


def kinds(problems: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(one["kind"], one["tasks"]) for one in problems]


def test_all_is_well_while_the_streams_are_there_and_one_call_looks_for_them(triggered: Small) -> None:
    assert told(triggered)[:2] == (0, [])
    for specs in (("specs/small.yaml",), ("specs/small.yaml", "specs/beside.yaml")):
        triggered.local.faults.forget_calls()
        assert triggered.run("status", *specs)[0] == 0
        assert len([one for one in triggered.local.calls if "STREAMS" in one.text]) == 1
    triggered.local.faults.forget_calls()
    assert triggered.run("status", "specs/beside.yaml")[0] == 0
    assert [one for one in triggered.local.calls if "STREAMS" in one.text] == []


def test_a_dropped_stream_is_told_by_every_command(triggered: Small) -> None:
    place = f"{triggered.local.database}.SMALL"
    triggered.local.sql(f"DROP STREAM {place}.NEW_ORDERS")
    code, problems, text = told(triggered)
    assert (code, kinds(problems)) == (1, [("streams_gone", [])])
    assert f"stream {place}.NEW_ORDERS cannot be found" in text and "so no run begins" in text
    assert problems[0]["help"] == f"CREATE STREAM {place}.NEW_ORDERS ON TABLE …;"
    holds("running.md", text, "sfml status specs/shop.yaml")
    assert f"stream {place}.NEW_ORDERS cannot be found" in triggered.run("drift", "specs/small.yaml")[1]
    code, text = triggered.run("plan", "specs/small.yaml")
    assert code == 1 and f"stream {place}.NEW_ORDERS" in text, text
    code, text = triggered.run(*APPLY)
    warning = (
        f"warning: stream {place}.NEW_ORDERS cannot be found:  CREATE STREAM {place}.NEW_ORDERS ON TABLE …;"
    )
    assert code == 0 and warning in text, text
    assert warning in triggered.run(*APPLY, "--dry-run")[1]
    assert warning in triggered.run(*APPLY[:2], "specs/beside.yaml", "--auto-approve")[1]
    triggered.edit("select 1", "select 11")
    code, text = triggered.run(*APPLY)
    assert code == 1 and f"stream {place}.NEW_ORDERS" in text and "nothing was changed" in text, text
    triggered.local.sql(f"CREATE STREAM {place}.NEW_ORDERS ON TABLE {place}.ORDERS")
    assert triggered.run(*APPLY)[0] == 0
    assert told(triggered)[0] == 0


def test_what_is_deployed_counts_and_not_what_the_files_say(triggered: Small) -> None:
    triggered.local.sql(f"DROP STREAM {triggered.local.database}.SMALL.NEW_ORDERS")
    triggered.edit("{on_stream: [new_orders]}", CRON)
    assert kinds(told(triggered)[1]) == [("streams_gone", [])]
    assert triggered.run(*APPLY)[0] == 0
    assert told(triggered)[0] == 0


def test_a_stream_of_a_child_and_one_whose_table_was_dropped(triggered: Small) -> None:
    place = f"{triggered.local.database}.SMALL"
    triggered.local.sql(f'DROP STREAM {place}."to do"')
    triggered.local.sql(f"CREATE STREAM {place}.TO_DO ON TABLE {place}.TODO")
    triggered.local.sql(f"DROP TABLE {place}.ORDERS")
    code, problems, text = told(triggered)
    assert (code, kinds(problems)) == (1, [("streams_gone", ["second"]), ("streams_stale", [])])
    assert f'CREATE STREAM {place}."to do" ON TABLE' in text
    assert f"CREATE OR REPLACE STREAM {place}.NEW_ORDERS ON TABLE" in text
    assert "graph.tasks.second.when" in text and "schedule.schedule.on_stream" in text
    triggered.local.sql(f'CREATE STREAM {place}."to do" ON TABLE {place}.TODO')
    code, text = triggered.run("plan", "specs/small.yaml")
    assert code == 1 and "it is stale" in text and "cannot be used" in text, text
    triggered.edit("select 1", "select 11")
    code, text = triggered.run(*APPLY)
    assert code == 1 and "or name another stream" in text, text


def test_streams_that_cannot_be_listed_are_unknown_and_not_well(
    triggered: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = triggered.local.faults.fail("SHOW STREAMS", times=None)
    code, problems, text = told(triggered)
    assert (code, kinds(problems)) == (1, [("streams_unknown", ["second"])])
    assert "? streams" in text and "a fault set by a test" in text
    triggered.local.faults.remove(rule)
    assert told(triggered)[0] == 0
    place = f"{triggered.local.database}.SMALL"
    triggered.local.sql(f'DROP STREAM {place}."to do"')
    for number in range(3):
        triggered.local.sql(f"CREATE STREAM {place}.OTHER_{number} ON TABLE {place}.TODO")
    assert kinds(told(triggered)[1]) == [("streams_gone", ["second"])]
    monkeypatch.setattr(fleet, "SHOWN_AT_MOST", 4)  # as many streams as there are, and more than tasks
    code, printed = triggered.run("status", "specs/small.yaml", "specs/beside.yaml", "-o", "json")
    assert code == 1
    assert kinds(json.loads(printed)["pipelines"][0]["problems"]) == [("streams_unknown", ["second"])]


def test_a_run_tells_it(triggered: Small) -> None:
    place = f"{triggered.local.database}.SMALL"
    assert "note: stream" not in triggered.run("run", "specs/small.yaml")[1]
    triggered.local.sql(f"DROP STREAM {place}.NEW_ORDERS")
    assert f"note: stream {place}.NEW_ORDERS cannot be found" in triggered.run("run", "specs/small.yaml")[1]


def test_python_tells_it(triggered: Small) -> None:
    place = f"{triggered.local.database}.SMALL"
    triggered.local.sql(f"DROP STREAM {place}.NEW_ORDERS")
    (one,) = sfml.open(triggered.folder).status("small")
    assert not one.is_well and any(f"{place}.NEW_ORDERS" in line for line in one.problems), one.problems
