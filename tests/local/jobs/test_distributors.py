"""The estimators of Snowflake's container, which train on all nodes of a job."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from payloads import POOL, payload
from snowflake.ml.jobs import submit_directory
from snowflake.snowpark import Session

TRAINING = """
import json
from snowflake.ml.data import DataConnector
from snowflake.ml.modeling.distributors.lightgbm import LightGBMEstimator, LightGBMScalingConfig
from snowflake.ml.modeling.distributors.xgboost import XGBEstimator, XGBScalingConfig
from snowflake.ml.modeling.distributors.xgboost.xgboost_estimator import XGBEstimator as ByModule
from snowflake.snowpark.context import get_active_session

assert ByModule is XGBEstimator
rows = DataConnector.from_dataframe(get_active_session().table("POINTS"))
frame = rows.to_pandas()
inputs, label = ["X", "Z"], "Y"

def right(predictions):
    return float(((predictions > 0.5) == (frame[label] > 0)).mean())

def error_of(call):
    try:
        call()
    except ValueError as error:
        return str(error)

boosted = XGBEstimator(params={"n_estimators": 5, "objective": "binary:logistic"}, scaling_config=XGBScalingConfig())
xgb = boosted.fit(rows, input_cols=inputs, label_col=label)
import xgboost
one = XGBEstimator(
    n_estimators=2, objective="binary:logistic", scaling_config=XGBScalingConfig(num_workers=1, num_cpu_per_worker=1)
).fit(rows, input_cols=inputs, label_col=label, eval_set=rows)
light = LightGBMEstimator(
    n_estimators=5, objective="binary", params={"min_data_in_leaf": 5}, scaling_config=LightGBMScalingConfig()
).fit(rows, input_cols=inputs, label_col=label)
numbers = frame[inputs].astype(float)
__return__ = {
    "xgb": right(xgb.predict(xgboost.DMatrix(numbers))),
    "rounds": [xgb.num_boosted_rounds(), one.num_boosted_rounds()],
    "light": right(light.predict(numbers)),
    "trees": light.num_trees(),
    "names": [xgb.feature_names, light.feature_name()],
    "missing": error_of(lambda: boosted.fit(rows, input_cols=["W"], label_col=label)),
    "gpu": error_of(lambda: XGBEstimator(scaling_config=XGBScalingConfig(use_gpu=True)).fit(rows, label_col=label)),
}
"""


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("ray", "xgboost", "lightgbm")),
    reason="Ray, XGBoost or LightGBM is not installed",
)
def test_boosters_are_trained_on_all_nodes(shared: Session, tmp_path: Path) -> None:
    shared.sql(
        "CREATE OR REPLACE TABLE points AS SELECT MOD(seq4(), 20)::NUMBER(10, 2) AS x, MOD(seq4(), 7) AS z,"
        " IFF(MOD(seq4(), 20) > 9, 1, 0) AS y FROM TABLE(GENERATOR(ROWCOUNT => 400))"
    ).collect()
    job = submit_directory(
        payload(tmp_path / "p", TRAINING),
        POOL,
        entrypoint="main.py",
        stage_name="JOBS",
        target_instances=2,
        session=shared,
    )
    assert job.wait(240) == "DONE", job.get_logs(verbose=True)
    assert job.result() == {
        "xgb": 1.0,
        "rounds": [5, 2],
        "light": 1.0,
        "trees": 5,
        "names": [["X", "Z"], ["X", "Z"]],
        "missing": "the data has no column 'W'",
        "gpu": "use_gpu=True: the nodes of the local Snowflake have no GPU",
    }
    assert "Training XGBoost on 2 worker(s)" in job.get_logs()
