"""More of `snowflake.ml.modeling` unmodified: searches, clusters, encoders, and estimators in the registry.

Tests import them themselves: they take half a second, in each worker that only collects these tests.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from snowflake.ml.registry import Registry
from snowflake.snowpark import DataFrame, Session


@pytest.fixture(scope="module")
def frame(asking: Session, learnt: pd.DataFrame) -> DataFrame:
    asking.create_dataframe(learnt).write.save_as_table("ROWS_TO_LEARN", mode="overwrite")
    return asking.table("ROWS_TO_LEARN")


def share(frame: DataFrame, predicted: str = "P", true: str = "Y") -> float:
    """How many predictions are right."""
    rows = frame.to_pandas()
    return float((rows[predicted].astype(int) == rows[true].astype(int)).mean())


@pytest.mark.parametrize(("search", "n_jobs"), [("GridSearchCV", None), ("RandomizedSearchCV", 1)])
def test_a_search_finds_the_better_parameters(frame: DataFrame, search: str, n_jobs: int | None) -> None:
    """Without a number of jobs, the library starts a process for each core: once is enough to see that they serve."""
    from snowflake.ml.modeling import model_selection
    from snowflake.ml.modeling.xgboost import XGBClassifier

    choices = {"max_depth": [1, 3], "n_estimators": [1, 20]}
    grid = (
        {"param_grid": choices} if search == "GridSearchCV" else {"param_distributions": choices, "n_iter": 4}
    )
    model = getattr(model_selection, search)(
        estimator=XGBClassifier(),
        **grid,
        cv=3,
        scoring="accuracy",
        n_jobs=n_jobs,
        input_cols=["A", "B"],
        label_cols=["Y"],
        output_cols=["P"],
    )
    model.fit(frame)
    found = model.to_sklearn()
    assert found.best_params_["n_estimators"] == 20
    assert len(found.cv_results_["params"]) == 4
    assert share(model.predict(frame)) > 0.9
    assert model.score(frame) > 0.9


def test_clusters(frame: DataFrame) -> None:
    from snowflake.ml.modeling.cluster import KMeans

    model = KMeans(n_clusters=2, random_state=1, n_init=3, input_cols=["A", "B"], output_cols=["C"])
    rows = model.fit(frame).predict(frame).to_pandas()
    expected = model.to_sklearn().predict(rows[["A", "B"]])
    assert (rows["C"].astype(int) == expected).all() and set(expected) == {0, 1}


def test_encoders_and_scalers(frame: DataFrame) -> None:
    from snowflake.ml.modeling.preprocessing import (
        KBinsDiscretizer,
        LabelEncoder,
        MinMaxScaler,
        OneHotEncoder,
        OrdinalEncoder,
    )

    for step, output, expected in (
        (OrdinalEncoder(input_cols=["K"], output_cols=["O"]), "O", {"high": 0.0, "low": 1.0}),
        (LabelEncoder(input_cols=["K"], output_cols=["O"]), "O", {"high": 0.0, "low": 1.0}),
        (OneHotEncoder(input_cols=["K"], output_cols=["O"]), "O_high", {"high": 1.0, "low": 0.0}),
    ):
        rows = step.fit(frame).transform(frame).to_pandas()
        (column,) = [name for name in rows.columns if name.strip('"').upper() == output.upper()]
        assert {
            str(key): float(value) for key, value in zip(rows["K"], rows[column], strict=True)
        } == expected
    scaled = MinMaxScaler(input_cols=["A"], output_cols=["S"]).fit(frame).transform(frame).to_pandas()["S"]
    assert (scaled.min(), scaled.max()) == (0, pytest.approx(1))
    binned = KBinsDiscretizer(
        n_bins=4, encode="ordinal", strategy="quantile", input_cols=["A"], output_cols=["S"]
    )
    counts = binned.fit(frame).transform(frame).to_pandas()["S"].value_counts()
    assert sorted(counts) == [25, 25, 25, 25]


def test_a_pipeline_is_logged_and_predicts_from_the_registry(asking: Session, frame: DataFrame) -> None:
    from snowflake.ml.modeling.linear_model import LogisticRegression
    from snowflake.ml.modeling.pipeline import Pipeline
    from snowflake.ml.modeling.preprocessing import OrdinalEncoder, StandardScaler

    pipeline = Pipeline(
        steps=[
            ("encode", OrdinalEncoder(input_cols=["K"], output_cols=["KO"], drop_input_cols=True)),
            ("scale", StandardScaler(input_cols=["A", "B"], output_cols=["A", "B"])),
            (
                "model",
                LogisticRegression(input_cols=["A", "B", "KO"], label_cols=["Y"], output_cols=["P"]),
            ),
        ]
    )
    features = frame.select("A", "B", "K", "Y")
    pipeline.fit(features)
    version = Registry(asking).log_model(
        pipeline, model_name="MODELED", version_name="V1", sample_input_data=frame.select("A", "B", "K")
    )
    answer = version.run(features, function_name="predict")
    assert share(answer) > 0.9
    assert "PREDICT" in {function["name"] for function in version.show_functions()}


def test_an_estimator_is_logged_without_a_sample(asking: Session, frame: DataFrame) -> None:
    """Its signature is what it was fitted with."""
    from snowflake.ml.modeling.lightgbm import LGBMRegressor

    model = LGBMRegressor(
        input_cols=["A", "B"], label_cols=["T"], output_cols=["P"], n_estimators=50, min_child_samples=5
    )
    model.fit(frame)
    version = Registry(asking).log_model(model, model_name="REGRESSED", version_name="V1")
    rows = version.run(frame, function_name="predict").to_pandas()
    assert np.corrcoef(rows["P"].astype(float), rows["T"].astype(float))[0, 1] > 0.95
    again = version.load()
    assert hasattr(again, "predict")


def test_several_labels_and_probabilities(frame: DataFrame) -> None:
    from snowflake.ml.modeling.linear_model import LogisticRegression

    model = LogisticRegression(input_cols=["A", "B"], label_cols=["Y"], output_cols=["P"]).fit(frame)
    rows = model.predict_proba(frame, output_cols_prefix="Q_").to_pandas()
    columns = [name for name in rows.columns if name.startswith("Q_")]
    assert len(columns) == 2 and np.allclose(rows[columns].astype(float).sum(axis=1), 1)
