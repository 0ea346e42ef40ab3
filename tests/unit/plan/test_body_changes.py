"""What of a body differs, in the spec's words: every part of it, however many change at once."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.plan.test_plan_diff import ON_WH, PROD, SUNDAYS, closure

from sfml.graph.model import OnPool, StepBody, Target, TaskGraph, TaskNode
from sfml.lower.desired import DesiredTask
from sfml.lower.lower import lower
from sfml.plan.bodies import body_changes
from sfml.plan.model import Comparable

STEP = TaskNode("gate", StepBody("clv.steps.gate", {"at_least": 0.4}), ON_WH, packages=("pandas==2.2.0",))
JOB = TaskNode("train", StepBody("clv.steps.train", {"rows": 1}), OnPool("ML_POOL"), env_vars={"LEVEL": "1"})


def task(node: TaskNode, target: Target = PROD) -> DesiredTask:
    graph = TaskGraph("clv", "specs/clv.yaml", target, SUNDAYS, (node,))
    return lower(graph, closure, "0.1.0", job_files=lambda path: ()).tasks[0]


def sql_of(node: TaskNode) -> str:
    definition = task(node).definition
    return getattr(definition, "sql", "") or getattr(definition, "preview_sql", "")


def changes(old: TaskNode, new: TaskNode) -> dict[str, tuple[Comparable, Comparable]]:
    return {one.path: (one.old, one.new) for one in body_changes(sql_of(old), task(new))}


def test_packages_access_and_arguments_are_told_apart() -> None:
    new = replace(
        STEP,
        body=StepBody("clv.steps.gate", {"at_least": 0.2}),
        packages=("pandas==2.3.0",),
        external_access=("PYPI",),
        secrets={"token": "ML.S.TOKEN"},
    )
    snowpark = "snowflake-snowpark-python"
    assert changes(STEP, new) == {
        "with.at_least": (0.4, 0.2),
        "packages": ((snowpark, "pandas==2.2.0"), (snowpark, "pandas==2.3.0")),
        "external_access": (None, ("PYPI",)),
        "secrets": (None, ("'token' = ML.S.TOKEN",)),
    }


def test_a_step_of_another_name_is_one_change() -> None:
    assert set(changes(STEP, replace(STEP, body=StepBody("clv.steps.prepare", {"at_least": 0.4})))) == {
        "step"
    }


def test_a_package_with_a_comma_is_one_package() -> None:
    new = replace(STEP, packages=("pandas>=2,<3", "numpy"))
    assert changes(STEP, new)["packages"][1] == ("snowflake-snowpark-python", "pandas>=2,<3", "numpy")


def test_what_a_job_is_made_of_is_told_apart() -> None:
    new = replace(
        JOB,
        body=StepBody("clv.steps.train", {"rows": 2}),
        run_on=OnPool("ML_POOL", instances=2, runtime="2.3.0", warehouse="OTHER"),
        env_vars={"LEVEL": "2"},
        external_access=("PYPI",),
        secrets={"TOKEN": "ML.S.TOKEN"},
    )
    found = changes(JOB, new)
    assert found["with.rows"] == (1, 2)
    assert found["instances"] == (1, 2)
    assert found["runtime"] == (None, "2.3.0")
    assert found["query_warehouse"] == ("ML_WH", "OTHER")
    assert found["env_vars.LEVEL"] == ("1", "2")
    assert found["external_access"] == (None, ("PYPI",))
    assert set(found) - {"min_instances", "secrets"} == {
        *("with.rows", "instances", "runtime", "query_warehouse", "env_vars.LEVEL", "external_access")
    }


def test_what_the_statement_does_not_show_is_still_a_change() -> None:
    assert set(changes(JOB, replace(JOB, pip=("xgboost",)))) <= {"definition", "code"}
    assert changes(JOB, replace(JOB, pip=("xgboost",)))
