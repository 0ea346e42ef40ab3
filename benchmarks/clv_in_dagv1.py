"""The graph of specs/clv.yaml as it is written by hand today: dagv1 objects over Python functions."""

from __future__ import annotations

from typing import Any

from snowflake.core.task import Cron, OverlapPolicy, StoredProcedureCall
from snowflake.core.task.dagv1 import DAG, DAGTask, DAGTaskBranch
from snowflake.snowpark import Session

STAGE = "@SFML"
PACKAGES = ["snowflake-snowpark-python", "pandas"]
MODELLING = ["snowflake-snowpark-python", "snowflake-ml-python", "pandas", "xgboost"]


def prepare_data(session: Session) -> str:
    return "{}"


def train_model(session: Session) -> str:
    return "{}"


def check_model_quality(session: Session) -> str:
    return "promote_model"


def promote_model(session: Session) -> str:
    return "{}"


def score_customers(session: Session) -> str:
    return "{}"


def remove_run_artifacts(session: Session) -> str:
    return "{}"


def call(function: Any, packages: list[str]) -> StoredProcedureCall:
    return StoredProcedureCall(function, stage_location=STAGE, packages=packages)


def clv() -> DAG:
    with DAG(
        "CLV",
        schedule=Cron("0 0 * * 0", "UTC"),
        warehouse="ML_WH",
        task_auto_retry_attempts=1,
        user_task_timeout_ms=6 * 3_600_000,
        overlap_policy=OverlapPolicy.NO_OVERLAP,
        suspend_task_after_num_failures=3,
        error_integration="ML_ERRORS",
        config={"model_name": "CLV_MODEL", "threshold": 0.4},
        stage_location=STAGE,
    ) as dag:
        prepare = DAGTask("prepare_data", call(prepare_data, PACKAGES), warehouse="ML_WH")
        train = DAGTask(
            "train_model", call(train_model, MODELLING), warehouse="ML_WH", user_task_timeout_ms=4 * 3_600_000
        )
        gate = DAGTaskBranch("check_model_quality", call(check_model_quality, PACKAGES), warehouse="ML_WH")
        promote = DAGTask("promote_model", call(promote_model, MODELLING), warehouse="ML_WH")
        alert = DAGTask(
            "send_alert", "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION('{}', '{}')", warehouse="ML_WH"
        )
        score = DAGTask("score_customers", call(score_customers, MODELLING), warehouse="ML_WH")
        DAGTask("cleanup", call(remove_run_artifacts, MODELLING), warehouse="ML_WH", is_finalizer=True)
        prepare >> train >> gate >> [promote, alert]
        promote >> score
    return dag


if __name__ == "__main__":
    built = clv()
    assert len(built.tasks) == 7, built.tasks
