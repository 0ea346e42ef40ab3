"""What a graph names is looked for on a local target as on an account, and what nobody can know here is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from small import Small

GRAPH = """version: 1
pipeline: small
graph:
  tasks:
    train: {job: {folder: ../job, entrypoint: main.py}, run_on: {pool: P1, instances: 2}, timeout: 5m,
            external_access: [WEB], secrets: {KEY: MY_KEY}}
    tell: {notify: {integration: MAIL, message: done, email: [a@example.org]}, after: train}
    read: {sql: select 1, run_on: {warehouse: BIG}, after: train}
schedule: {schedule: manual, alerts: {on_error: ALARMS}}
"""
MADE = """
CREATE COMPUTE POOL P1 MIN_NODES = 1 MAX_NODES = 2 INSTANCE_FAMILY = CPU_X64_S;
CREATE WAREHOUSE BIG;
CREATE SCHEMA IF NOT EXISTS {place};
CREATE NETWORK RULE R TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('example.org');
CREATE EXTERNAL ACCESS INTEGRATION WEB ALLOWED_NETWORK_RULES = (R) ENABLED = TRUE;
CREATE NOTIFICATION INTEGRATION MAIL TYPE = EMAIL ENABLED = TRUE;
CREATE NOTIFICATION INTEGRATION ALARMS ENABLED = TRUE TYPE = QUEUE DIRECTION = OUTBOUND
  NOTIFICATION_PROVIDER = AWS_SNS AWS_SNS_TOPIC_ARN = 'a' AWS_SNS_ROLE_ARN = 'b';
CREATE SECRET {place}.MY_KEY TYPE = GENERIC_STRING SECRET_STRING = 'x';
CREATE IMAGE REPOSITORY {place}.IMAGES
"""
ACCOUNT_WIDE = (
    *(("INTEGRATION", "WEB"), ("INTEGRATION", "MAIL"), ("INTEGRATION", "ALARMS")),
    *(("WAREHOUSE", "BIG"), ("COMPUTE POOL", "P1")),
)


@pytest.fixture
def named(small: Small) -> Iterator[Small]:
    (small.folder / "job").mkdir()
    (small.folder / "job" / "main.py").write_text("print('trained')\n")
    (small.folder / "specs" / "small.yaml").write_text(GRAPH)
    yield small
    for kind, name in ACCOUNT_WIDE:
        small.local.sql(f"DROP {kind} IF EXISTS {name}")


def checks(small: Small) -> list[dict[str, Any]]:
    _, text = small.run("doctor", "specs/small.yaml", "-o", "json")
    found: list[dict[str, Any]] = json.loads(text)["checks"]
    return found


def test_what_the_local_snowflake_cannot_know_is_told_once_and_never_as_well(named: Small) -> None:
    found = checks(named)
    unknown = [
        (one["name"], one["text"].split()[0].rstrip(":,")) for one in found if one["state"] == "unknown"
    ]
    assert sorted(unknown) == [
        ("compute pool", "P1"),
        ("external access integration", "WEB"),
        ("image repository", "none"),
        ("notification integration", "ALARMS"),
        ("notification integration", "MAIL"),
        ("secret", f"{named.local.database}.SMALL.MY_KEY"),
        ("warehouse", "BIG"),
    ]
    assert len({(one["name"], one["text"]) for one in found}) == len(found)
    assert not [one for one in found if one["state"] == "fail"]
    for statement in MADE.format(place=f"{named.local.database}.SMALL").split(";"):
        named.local.sql(statement)
    found = checks(named)
    assert [one for one in found if one["state"] in ("unknown", "fail")] == []
    assert [one["text"] for one in found if one["name"] == "environment"] == [
        "8 things that the spec names are there"
    ]


def test_apply_says_which_integrations_are_not_known_here(named: Small) -> None:
    code, text = named.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 0, text
    assert "note: not known here, and needed on an account: notification integration ALARMS" in text
    code, text = named.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 0 and "not known here" not in text, "what is deployed was told before"


def test_a_pool_that_is_too_small_is_told_before_anything_is_changed(named: Small) -> None:
    named.local.sql("CREATE COMPUTE POOL P1 MIN_NODES = 1 MAX_NODES = 1 INSTANCE_FAMILY = CPU_X64_S")
    for more in ((), ("--create-missing",)):
        code, text = named.run("apply", "specs/small.yaml", "--auto-approve", *more)
        assert code == 1
        assert "is too small; nothing was changed" in text
        assert "compute pool P1, for train: it has at most 1 node, and train waits for 2" in text
        assert "ALTER COMPUTE POOL P1 SET MAX_NODES = 2;" in text
        assert "internal error" not in text
    (check,) = [one for one in checks(named) if one["name"] == "compute pool" and one["state"] == "fail"]
    assert check["help"] == "ALTER COMPUTE POOL P1 SET MAX_NODES = 2"
    named.edit("instances: 2", "instances: 2, min_instances: 1")
    assert named.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    named.edit("instances: 2, min_instances: 1", "instances: 2")
    code, text = named.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "is too small" in text, "the pool was named before, its size was not asked for"
    named.edit("instances: 2", "instances: 1")
    named.edit("select 1", "select 2")
    assert named.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0


def test_what_the_client_of_jobs_refuses_is_no_bug_of_ours(named: Small) -> None:
    named.edit("instances: 2", "instances: 90")
    code, text = named.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "internal error" not in text
    assert "cannot be registered: The requested min_instances (90) exceeds the max_nodes" in text
