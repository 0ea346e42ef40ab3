"""What a part and a backfill cost is said before they run, by earlier runs where the spec expects nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small import APPLY, Small

from sfml.base.resources import schema
from sfml.testing.local_snowflake import LocalSnowflake

PROJECT = """version: 1
targets:
  dev:
    connection: work
    account: LOCAL-LOCAL
    owner_role: SYSADMIN
    database: %s
    schema: PUBLIC
    warehouse: W
    sizes: {W: {size: XSMALL}}
"""
SPEC = """version: 1
pipeline: priced
graph:
  version: 1
  config: {day: a}
  tasks:
    first: {sql: select 1}
    second: {sql: select 2, after: [first], expect: {takes: 10m..20m}}
schedule: {version: 1, schedule: manual}
"""
HERE = "specs/small.yaml"


@pytest.fixture
def priced(
    local_snowflake: LocalSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Small]:
    """A deployed pipeline on a target that is an account."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "sfml.yaml").write_text(PROJECT % local_snowflake.database, encoding="utf-8")
    (tmp_path / HERE).write_text(SPEC, encoding="utf-8")
    place = local_snowflake.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    entry = "\n".join(["[work]", *(f"{key} = {json.dumps(place[key])}" for key in keys)])
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", entry)
    monkeypatch.setattr("sfml.operations.runs._ACCOUNT_INTERVAL", 0.1)
    local_snowflake.sql("CREATE WAREHOUSE IF NOT EXISTS W")
    small = Small(tmp_path, local_snowflake)
    code, text = small.run(*APPLY)
    assert code == 0, text
    yield small
    local_snowflake.sql("DROP WAREHOUSE W")


def planned(small: Small, command: str, *arguments: str) -> dict[str, Any]:
    code, text = small.run(command, HERE, *arguments, "--dry-run", "-o", "json")
    assert code == 0, text
    value: dict[str, Any] = json.loads(text)
    name = "part" if command == "run" else command
    Draft202012Validator(schema(f"output/{name}.schema.json")).validate(value)
    return value


def test_a_part_and_a_backfill_say_what_they_cost_before_they_run(priced: Small) -> None:
    first = planned(priced, "run", "--only", "first")
    assert first["credits"]["high"] is None, "nothing says how long it takes"
    code, text = priced.run("run", HERE, "--only", "first", "--dry-run")
    assert code == 0 and "credits" in text and "?" in text, text
    assert priced.run("run", HERE)[0] == 0
    first = planned(priced, "run", "--only", "first")
    assert 0 < first["credits"]["low"] <= first["credits"]["high"] < 0.2
    sentence = "durations of `first` in `priced` are the 10th to 90th percentile of 1 run in the history"
    assert sentence in first["notes"]
    second = planned(priced, "run", "--only", "second")
    assert second["credits"]["high"] > 0.3 and not any("durations" in note for note in second["notes"])
    one, three = (planned(priced, "backfill", "--over", f"day={days}") for days in ("x", "x,y,z"))
    assert three["credits"]["low"] == pytest.approx(3 * one["credits"]["low"])
    assert one["credits"]["high"] >= second["credits"]["high"] and sentence in one["notes"]
