"""The runtime: from a task's call to its return value."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sample_steps
from task_session import TaskSession

from sfml_steps import StepError
from sfml_steps.runtime import run_step, wants_session

STEPS = Path(__file__).resolve().parents[3] / "steps"


def call(function: str, arguments: dict[str, Any] | None = None, **more: Any) -> str:
    return json.dumps(
        {
            "pipeline": "clv",
            "task": "t",
            "step": f"{sample_steps.__name__}.{function}",
            "root": "CLV",
            "stage": "@DB.CLV.SFML",
            "with": arguments or {},
            **more,
        }
    )


def test_every_kind_of_value_is_resolved() -> None:
    session = TaskSession(
        results={"CLV$PREPARE": '{"table":"T","splits":[{"rows":3}]}'}, config={"threshold": 0.4, "name": "M"}
    )
    arguments = {
        "table": {"$result": ["CLV$PREPARE", "table"]},
        "rows": [{"$result": ["CLV$PREPARE", "splits", 0, "rows"]}],
        "whole": {"nested": {"$result": ["CLV$PREPARE"]}},
        "threshold": {"$config": "threshold"},
        "run": {"$run": "id"},
        "text": {"$text": ["model ", {"$config": "name"}, " from ", {"$config": "threshold"}, " on"]},
        "literal": {"$literal": {"$config": "threshold"}},
        "object": {"$object": {"$config": {"$run": "id"}}},
        "day": "1997-09-30",
        "empty": {},
    }
    text = run_step(session, call("echo", arguments))
    assert json.loads(text or "") == {
        "table": "T",
        "rows": [3],
        "whole": {"nested": {"table": "T", "splits": [{"rows": 3}]}},
        "threshold": 0.4,
        "run": "run-1",
        "text": "model M from 0.4 on",
        "literal": {"$config": "threshold"},
        "object": {"$config": "run-1"},
        "day": "1997-09-30",
        "empty": {},
    }
    assert session.returned == text


def test_a_result_is_read_once_however_often_it_is_named() -> None:
    session = TaskSession(results={"P": '{"a":1,"b":2}'})
    run_step(session, call("echo", {"a": {"$result": ["P", "a"]}, "b": {"$result": ["P", "b"]}}))
    reads = [name for name, _ in session.calls if name == "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"]
    assert len(reads) == 1


def test_the_first_parameter_may_be_a_session() -> None:
    assert run_step(TaskSession(), call("with_session", {"table": "T"})) == '"TaskSession T"'


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Session", True),
        ("'Session'", True),
        ("S", True),
        ("'S'", True),
        ("Optional[Session]", True),
        ("'Session | None'", True),
        ("'snowpark.Session'", True),
        ("Context", False),
        ("Optional[Context]", False),
        ("Union[Context, Session]", False),
        ("'C'", False),
        ("Any", False),
    ],
)
def test_an_annotation_tells_a_session_from_a_context(annotation: str, expected: bool) -> None:
    names: dict[str, Any] = {}
    text = f"class Session: ...\nclass Context: ...\nS, C = Session, Context\ndef f(first: {annotation}): ..."
    exec(f"from typing import Any, Optional, Union\n{text}", names)
    assert wants_session(inspect.signature(names["f"]), names) is expected


def test_a_step_sees_its_run_and_the_configuration() -> None:
    session = TaskSession(
        config={"threshold": 0.99}, info={"CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": "1767225600"}
    )
    assert json.loads(run_step(session, call("described")) or "") == {
        "id": "run-1",
        "task": "t",
        "root": "CLV",
        "pipeline": "clv",
        "scheduled_at": "2026-01-01T00:00:00+00:00",
        "config": {"threshold": 0.99},
        "stage": "@DB.CLV.SFML",
    }


def test_a_runtime_value_that_snowflake_lacks_is_none() -> None:
    missing = RuntimeError("100072 (22000): NULL result in a non-nullable column")
    session = TaskSession(info={"CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": missing})
    assert json.loads(run_step(session, call("described")) or "")["scheduled_at"] is None


def test_the_query_tag_carries_the_run() -> None:
    session = TaskSession()
    run_step(session, call("answer", {"value": None}))
    assert json.loads(session.query_tag or "") == {"sfml": {"pipeline": "clv", "task": "t", "run": "run-1"}}


def test_a_refused_query_tag_fails_no_step() -> None:
    class Refusing(TaskSession):
        @property
        def query_tag(self) -> str | None:
            return None

        @query_tag.setter
        def query_tag(self, tag: str | None) -> None:
            if tag is not None:
                raise RuntimeError("not allowed here")

    assert run_step(Refusing(), call("answer", {"value": 1})) == "1"


def test_no_result_leaves_the_return_value_unset() -> None:
    session = TaskSession()
    assert run_step(session, call("answer", {"value": None})) is None
    assert session.returned is None


OUTCOMES = {"good": "GOOD_TASK", "bad": "BAD_TASK"}


def test_a_branch_leaves_the_raw_name_that_snowflake_compares() -> None:
    session = TaskSession()
    run_step(session, call("answer", {"value": "good"}, outcomes=OUTCOMES))
    assert session.returned == "GOOD_TASK"


@pytest.mark.parametrize("value", ["GOOD_TASK", "Good", "", None, True, ["good"]])
def test_an_undeclared_outcome_fails_the_task(value: Any) -> None:
    session = TaskSession()
    with pytest.raises(StepError, match=r"none of its outcomes \(good, bad\)"):
        run_step(session, call("answer", {"value": value}, outcomes=OUTCOMES))
    assert session.returned is None


def test_the_result_of_a_branch_reads_as_its_outcome() -> None:
    session = TaskSession(results={"CLV$CHECK": "GOOD_TASK"})
    known = {"branches": {"CLV$CHECK": {"GOOD_TASK": "good"}}}
    assert run_step(session, call("read", {"task": "check"}, **known)) == '"good"'
    assert run_step(session, call("answer", {"value": {"$result": ["CLV$CHECK"]}}, **known)) == '"good"'


def test_an_ancestor_that_left_nothing_reads_as_none() -> None:
    session = TaskSession(results={"CLV$P": None})
    assert run_step(session, call("read", {"task": "p"})) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": {"$result": ["P", "c"]}}, r"the result of P has no `c`; it has `a`"),
        ({"value": {"$result": ["P", "a", "b"]}}, r"the result of P\.a has no `b`; it has only the value 1"),
        ({"value": {"$result": ["NOTHING", "a"]}}, r"the result of NOTHING is empty, so it has no `a`"),
        ({"value": {"$result": ["TEXT"]}}, r"TEXT returned 'GOOD', which is not JSON"),
        ({"value": {"$config": "missing"}}, r"has no `missing`; it has threshold"),
        ({"value": {"$secret": "x"}}, r"`\$secret`, which this runtime does not know"),
        ({"valu": 1}, r"answer\(ctx.*does not take what `with:` gives it: .*value"),
        ({}, r"missing a required argument: 'value'"),
    ],
)
def test_a_value_that_cannot_be_had_is_a_sentence(arguments: dict[str, Any], message: str) -> None:
    session = TaskSession(results={"P": '{"a":1}', "NOTHING": None, "TEXT": "GOOD"}, config={"threshold": 1})
    with pytest.raises(StepError, match=message):
        run_step(session, call("answer", arguments))


def test_only_ancestors_can_be_read() -> None:
    with pytest.raises(StepError, match=r"CLV\$OTHER cannot be read here: no task of that name runs before"):
        run_step(TaskSession(), call("read", {"task": "other"}))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (f"{sample_steps.__name__}.undecorated", "write @step above it"),
        (f"{sample_steps.__name__}.absent", "has no function `absent`"),
        ("no_such_package.module.function", "there is no module `no_such_package.module`"),
    ],
)
def test_a_step_that_cannot_be_found_is_a_sentence(step: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        run_step(TaskSession(), call("x").replace(f"{sample_steps.__name__}.x", step))


def test_a_missing_package_of_a_step_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_package.py").write_text("import no_such_distribution\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(StepError, match=r"imports `no_such_distribution`.*`packages`"):
        run_step(TaskSession(), call("x").replace(f"{sample_steps.__name__}.x", "needs_package.step"))


def test_outside_a_task_graph_it_says_so() -> None:
    with pytest.raises(StepError, match="outside a task graph"):
        run_step(TaskSession(info={"CURRENT_TASK_GRAPH_RUN_GROUP_ID": None}), call("answer", {"value": 1}))


def test_log_lines_have_a_time_and_a_level(capsys: pytest.CaptureFixture[str]) -> None:
    run_step(TaskSession(), call("speak"))
    output = capsys.readouterr()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(stamp + r" INFO hello\n", output.out)
    assert re.fullmatch(stamp + r" WARNING careful\n", output.err)


def test_the_runtime_needs_nothing_but_the_standard_library() -> None:
    """It is imported in every procedure: no `sfml`, no Snowflake client, no pandas, and quickly."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sfml_steps.runtime, sfml_steps.registry, "
        "sfml_steps.cleanup, sfml_steps.gate, sfml_steps.notification; "
        "print(sorted(sys.modules.keys() & {'sfml', 'snowflake.snowpark', 'snowflake.connector', "
        "'snowflake.ml', 'pandas', 'xgboost'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(STEPS)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
