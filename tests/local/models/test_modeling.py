"""`snowflake.ml.modeling` unmodified: estimators that fit in procedures and predict in functions, on data frames.

Tests import them themselves: they take half a second, in each worker that only collects these tests.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark import functions as F


@pytest.fixture(scope="module")
def frame(asking: Session, learnt: pd.DataFrame) -> DataFrame:
    return asking.create_dataframe(learnt)


def test_a_regression_fits_in_a_procedure_that_is_traced(asking: Session, frame: DataFrame) -> None:
    from snowflake.ml.modeling.linear_model import LinearRegression
    from snowflake.ml.modeling.metrics import mean_squared_error, r2_score

    model = LinearRegression(input_cols=["A", "B"], label_cols=["T"], output_cols=["P"])
    model.fit(frame)
    assert np.allclose(model.to_sklearn().coef_, [2, -1]) and np.isclose(model.to_sklearn().intercept_, 1)
    predicted = model.predict(frame)
    assert mean_squared_error(df=predicted, y_true_col_names="T", y_pred_col_names="P") < 1e-20
    assert r2_score(df=predicted, y_true_col_name="T", y_pred_col_name="P") > 0.999
    spans = asking.sql(
        "SELECT RECORD, SCOPE FROM SNOWFLAKE.TELEMETRY.EVENTS WHERE RECORD_TYPE = 'SPAN' ORDER BY TIMESTAMP"
    ).collect()
    assert json.loads(spans[0][0])["name"] == "fit"
    assert json.loads(spans[0][1])["name"] == "snowpark.ml.modeling.linearregression.fit"


def test_a_pipeline_scales_encodes_and_classifies(frame: DataFrame) -> None:
    from snowflake.ml.modeling.metrics import accuracy_score
    from snowflake.ml.modeling.pipeline import Pipeline
    from snowflake.ml.modeling.preprocessing import OneHotEncoder, StandardScaler
    from snowflake.ml.modeling.xgboost import XGBClassifier

    pipeline = Pipeline(
        steps=[
            ("scale", StandardScaler(input_cols=["A", "B"], output_cols=["A", "B"])),
            ("encode", OneHotEncoder(input_cols=["K"], output_cols=["K1"], drop_input_cols=True)),
            (
                "model",
                XGBClassifier(label_cols=["Y"], output_cols=["P"], n_estimators=5, passthrough_cols=["T"]),
            ),
        ]
    )
    pipeline.fit(frame)
    predicted = pipeline.predict(frame)
    assert accuracy_score(df=predicted, y_true_col_names="Y", y_pred_col_names="P") > 0.9
    scaled = StandardScaler(input_cols=["A"], output_cols=["S"]).fit(frame).transform(frame)
    mean, deviation = scaled.agg(F.avg("S"), F.stddev_pop("S")).collect()[0]
    assert abs(mean) < 1e-9 and np.isclose(deviation, 1)


def test_what_is_fitted_and_transformed_at_once_and_correlated(frame: DataFrame) -> None:
    from snowflake.ml.modeling.decomposition import PCA
    from snowflake.ml.modeling.metrics import correlation

    answer = PCA(input_cols=["A", "B"], output_cols=["C"], n_components=1).fit_transform(frame)
    assert answer.columns[-1] == "C" and answer.count() == 100
    table = correlation(df=frame.select("A", "B", "T"))
    expected = frame.select("A", "B", "T").to_pandas().corr()
    assert np.allclose(table.loc[["A", "B", "T"], ["A", "B", "T"]], expected)
