"""Hand-made graphs for the tests of lowering."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sfml.base.source import Span
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Mode,
    NotifyBody,
    OnPool,
    OnWarehouse,
    Reference,
    Serverless,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    Target,
    TaskGraph,
    TaskNode,
    Template,
)

TARGET = Target(
    name="prod",
    kind="account",
    database="ML_PROD",
    schema="CLV",
    warehouse="ML_WH",
    compute_pool="ML_POOL",
    mode=Mode.PRODUCTION,
)
WAREHOUSE = OnWarehouse("ML_WH")


@dataclass(frozen=True)
class File:
    path: str
    content: bytes


RUNTIME = (
    File("sfml_steps/__init__.py", b""),
    File("sfml_steps/runtime.py", b"def run_step(session, call):\n    return call\n"),
)


def closure(step: str) -> Iterable[File]:
    """The runtime and a module of the step's name, whose package has no `__init__.py`."""
    module = step.rsplit(".", 1)[0].replace(".", "/")
    return (*RUNTIME, File(f"{module}.py", f"NAME = {step!r}\n".encode()))


def result(task: str, *keys: str | int) -> Reference:
    return Reference(Source.RESULT, task, keys)


def config(key: str) -> Reference:
    return Reference(Source.CONFIG, None, (key,))


def sql(name: str, **settings: Any) -> TaskNode:
    return TaskNode(name, SqlBody(f"select '{name}'"), settings.pop("run_on", WAREHOUSE), **settings)


def step(name: str, function: str | None = None, **settings: Any) -> TaskNode:
    arguments = settings.pop("arguments", {})
    return TaskNode(
        name,
        StepBody(function or f"clv.{name}.{name}", arguments),
        settings.pop("run_on", WAREHOUSE),
        **settings,
    )


def graph(*tasks: TaskNode, **settings: Any) -> TaskGraph:
    return TaskGraph(
        pipeline=settings.pop("pipeline", "clv"),
        spec_path=settings.pop("spec_path", "specs/clv.yaml"),
        target=settings.pop("target", TARGET),
        settings=settings.pop("settings", GraphSettings()),
        tasks=tasks,
        **settings,
    )


def clv(**settings: Any) -> TaskGraph:
    """The pipeline of the README: train on a pool, gate, promote or alert, score, clean up."""
    return graph(
        step(
            "prepare_data",
            arguments={"source": "CDNOW_TRANSACTIONS", "calibration_end": "1997-09-30"},
            packages=("snowflake-snowpark-python", "pandas"),
            timeout=3600,
            spans={"": Span.of("specs/clv/job_config.yaml", 7, 3, 7, 15)},
        ),
        step(
            "train_model",
            after=("prepare_data",),
            arguments={"features": result("prepare_data", "features")},
            run_on=OnPool("ML_POOL"),
            timeout=14400,
        ),
        step(
            "check_model_quality",
            "clv.gate.check_model_quality",
            after=("train_model",),
            arguments={
                "value": result("train_model", "metrics", "spearman"),
                "at_least": config("threshold"),
            },
            outcomes={"promote_model": ("promote_model",), "send_alert": ("send_alert",)},
        ),
        step(
            "promote_model",
            "sfml_steps.registry.promote_model",
            after=("check_model_quality",),
            arguments={"candidate": result("train_model", "candidate")},
        ),
        TaskNode(
            "send_alert",
            NotifyBody("ML_ALERTS", Template(("it's below ", config("threshold"), "\\ or so"))),
            WAREHOUSE,
            after=("check_model_quality",),
        ),
        step("score_customers", "clv.inference.score_customers", after=("promote_model",)),
        finalizer=step("cleanup", "sfml_steps.cleanup.remove_run_artifacts", is_finalizer=True),
        description="Weekly customer lifetime value retraining",
        config={"model_name": "CLV_MODEL", "threshold": 0.4},
        settings=GraphSettings(
            schedule=CronSchedule("0 0 * * 0", "UTC"),
            retries=1,
            timeout=21600,
            suspend_after_failures=3,
            on_error="ML_ERRORS",
            spans={"retries": Span.of("specs/clv/schedule_config.yaml", 4, 10, 4, 11)},
        ),
        **settings,
    )


def wide() -> TaskGraph:
    """Everything that `clv` does not use: several successors, a join, serverless, streams, odd names."""
    return graph(
        sql(
            "check",
            outcomes={"good": ("left", "right"), "fine": ("left",), "same": ()},
            run_on=Serverless("XSMALL", "XSMALL", "LARGE", 600),
            log_level="DEBUG",
            tags={"cost_center": "ml's"},
            execute_as_user="robot",
        ),
        sql("left", after=("check",), when="1=1 or 2=2", comment="it's\nthe left"),
        sql("right", after=("check",), session_parameters={"timezone": "UTC", "WEEK_START": 1}),
        sql("join", after=("left", "right"), run_if="none_failed_min_one_succeeded"),
        sql("gate", after=("join",), outcomes={"go": ("a_go",), "stop": ("stop",)}),
        sql("a_go", after=("gate",), when="1=1 or 2=2"),
        sql("stop", after=("gate",)),
        pipeline="wide",
        settings=GraphSettings(
            schedule=StreamSchedule(("RAW.ORDERS", "RAW.ITEMS"), 60),
            overlap="ALLOW_CHILD_OVERLAP",
            on_success="ML_OK",
            when="1=1",
            log_level="INFO",
            tags={"owner": "ml"},
        ),
    )


def every(seconds: int, **settings: Any) -> TaskGraph:
    return graph(sql("only"), settings=GraphSettings(schedule=IntervalSchedule(seconds), **settings))
