"""A saved plan is read back as it was written, and says in words what moved on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest
from made_graphs import closure, graph, sql

from sfml.base.errors import ConflictingState, UsageError
from sfml.lower.desired import DesiredGraph, SqlDefinition
from sfml.lower.lower import lower
from sfml.plan.diff import make_plan
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.saved_plan import (
    Grounds,
    SavedPlan,
    desired_fingerprint,
    moved_on,
    observed_fingerprint,
    saved_from,
    saved_json,
)
from sfml.plan.settings import desired_settings
from sfml.render.plan import plan_json

SCHEMA = Path(__file__).parents[3] / "schemas" / "output" / "plan_file.schema.json"


def compiled(text: str = "select 1", **more: object) -> DesiredGraph:
    made = graph(sql("load"), sql("score", after=("load",)))
    return lower(dataclasses.replace(made, description=text, **more), closure, "0.1.0")  # type: ignore[arg-type]


def deployed(desired: DesiredGraph) -> ObservedGraph:
    tasks = []
    for task in desired.all_tasks:
        assert isinstance(task.definition, SqlDefinition)
        tasks.append(ObservedTask(task.name, "1", True, task.definition.sql, desired_settings(task)))
    return ObservedGraph(tasks[0], tuple(tasks[1:]), {"fingerprint": "x", "commit": "abc"})


def saved(desired: DesiredGraph, observed: ObservedGraph | None) -> SavedPlan:
    grounds = Grounds(
        "ORG-PROD", "ML_OWNER", "ML.CLV", desired_fingerprint(desired), observed_fingerprint(observed)
    )
    plan = plan_json(make_plan(desired, observed))
    return SavedPlan("0.1.0", "specs/clv.yaml", "prod", grounds, plan, {"a": "1"}, None, True)


OLD, NEW = compiled("old"), compiled("new")
SAVED = saved(NEW, deployed(OLD))


def test_it_is_read_back_as_it_was_written() -> None:
    text = saved_json(SAVED)
    assert saved_json(saved_from(text, "plan.json")) == text
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(json.loads(text))


def test_it_may_be_applied_while_nothing_moved_on() -> None:
    assert list(moved_on(SAVED, SAVED.grounds, SAVED.plan, "0.1.0")) == []
    assert list(moved_on(SAVED, SAVED.grounds, SAVED.plan, "9.9.9")) == [], "a newer tool that plans the same"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account": "ORG-DEV"}, "made for account ORG-PROD, and the connection leads to ORG-DEV"),
        ({"role": "PUBLIC"}, "made as role ML_OWNER"),
        ({"location": "ML.OTHER"}, "the target is now ML.OTHER"),
        ({"desired": "x"}, "the spec or the step code changed"),
        ({"observed": "x"}, "the deployed graph changed"),
    ],
)
def test_what_moved_on_is_said(change: dict[str, str], words: str) -> None:
    now = dataclasses.replace(SAVED.grounds, **change)
    assert words in "; ".join(moved_on(SAVED, now, SAVED.plan, "0.1.0"))


def test_a_tool_that_would_do_something_else_is_told() -> None:
    other = plan_json(make_plan(OLD, deployed(OLD)))
    (reason,) = moved_on(SAVED, SAVED.grounds, other, "0.2.0")
    assert reason == "sfml 0.2.0 would do something else than sfml 0.1.0 planned"


def test_risks_and_run_times_are_no_reason() -> None:
    later = {
        **SAVED.plan,
        "next_runs": ["2030-01-01T00:00:00+00:00"],
        "risks": [{"label": "running", "message": ""}],
    }
    assert list(moved_on(SAVED, SAVED.grounds, later, "0.1.0")) == []


def test_fingerprints_see_what_counts_and_nothing_else() -> None:
    seen = deployed(OLD)
    again = dataclasses.replace(seen, record={"fingerprint": "x", "commit": "def"})
    assert observed_fingerprint(seen) == observed_fingerprint(again), "who applied it does not count"
    off = dataclasses.replace(seen, root=dataclasses.replace(seen.root, started=False))
    new_id = dataclasses.replace(seen, root=dataclasses.replace(seen.root, id="2"))
    fewer = dataclasses.replace(seen, tasks=seen.tasks[:1])
    prints = {observed_fingerprint(one) for one in (seen, off, new_id, fewer, None)}
    assert len(prints) == 5
    assert desired_fingerprint(OLD) != desired_fingerprint(compiled("old", moved={"load": "fetch"}))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "else"}', "\x00"])
def test_other_files_are_no_plans(text: str) -> None:
    with pytest.raises(UsageError, match="not a saved plan"):
        saved_from(text, "x.json")


def test_a_plan_of_a_later_format_is_refused() -> None:
    text = json.dumps({**json.loads(saved_json(SAVED)), "format_version": 2})
    with pytest.raises(ConflictingState, match="format 2"):
        saved_from(text, "x.json")


def test_a_plan_that_lost_a_part_is_refused() -> None:
    value = json.loads(saved_json(SAVED))
    del value["grounds"]["observed"]
    with pytest.raises(UsageError, match="changed by hand"):
        saved_from(json.dumps(value), "x.json")
