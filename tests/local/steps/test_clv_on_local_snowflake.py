"""The CLV steps, one after the other, on a real local Snowflake: from purchases to predictions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session

from clv.features import Features, prepare_data
from clv.gate import check_model_quality
from clv.inference import Scoring, score_customers
from clv.train import INPUTS, Training, train_model
from sfml_local.http.app import LocalServer
from sfml_steps import Context
from sfml_steps.cleanup import remove_versions
from sfml_steps.files import StageFiles
from sfml_steps.registry import promote_model

CDNOW = Path(__file__).resolve().parents[3] / "data" / "cdnow.csv"

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def clv(server: LocalServer) -> Iterator[Session]:
    """A session in a schema with a stage and the purchases of some made-up customers."""
    with Session.builder.configs(server.connect_args()).create() as session:
        session.sql("CREATE SCHEMA CLV_STEPS").collect()
        session.use_schema("CLV_STEPS")
        session.sql("CREATE STAGE SFML").collect()
        session.write_pandas(purchases(400), "PURCHASES", auto_create_table=True)
        yield session


def purchases(customers: int) -> pandas.DataFrame:
    """Customer n buys n % 5 + 1 times, every n % 40 + 5 days from July on, for n % 30 + 5 each."""
    first = pandas.Timestamp("1997-06-01")
    rows = [
        (n, (first + pandas.Timedelta(days=k * (n % 40 + 5))).date(), 1, float(n % 30 + 5))
        for n in range(1, customers + 1)
        for k in range((n % 5 + 1) * 2)
    ]
    return pandas.DataFrame(rows, columns=["CUSTOMER_ID", "PURCHASED_ON", "UNITS", "AMOUNT"])


def context(session: Session, task: str, run: str = "run-1") -> Context:
    return Context.for_test(
        session=session,
        files=StageFiles(session),
        stage="@SFML.CLV_STEPS.SFML",
        pipeline="clv",
        task=task,
        run_id=run,
    )


@pytest.fixture(scope="module")
def prepared(clv: Session) -> Features:
    return prepare_data(context(clv, "prepare_data"), "PURCHASES", "1997-09-30")


@pytest.fixture(scope="module")
def trained(clv: Session, prepared: Features) -> Training:
    return train_model(context(clv, "train_model"), prepared["features"])


@pytest.fixture
def registry(clv: Session) -> Iterator[Registry]:
    """An empty registry."""
    registry = Registry(clv, options={"enable_monitoring": False})
    yield registry
    for model in registry.models():
        registry.delete_model(model.name)


def test_features_are_those_of_the_unit_tests_engine(clv: Session, prepared: Features) -> None:
    """The same few customers by the same functions, here in SQL."""
    assert prepared["customers"] == 400
    frame = clv.table(prepared["features"]).filter("CUSTOMER_ID IN (5, 41)").to_pandas()
    rows = {int(row["CUSTOMER_ID"]): row for row in frame.to_dict(orient="records")}
    # 5: twice, 10 days apart, in June: the last on the 11th. 41: four times, 6 days apart.
    expected = {
        5: {"PURCHASES": 2, "DAYS_SINCE_LAST": 111, "MONETARY_VALUE": 10, "GAP_MEAN": 10, "GAP_STD": 0},
        41: {"PURCHASES": 4, "DAYS_SINCE_LAST": 103, "MONETARY_VALUE": 16, "GAP_MEAN": 6, "GAP_STD": 0},
    }
    for customer, values in expected.items():
        assert {name: rows[customer][name] for name in values} == values


def test_a_refused_candidate_never_reaches_an_empty_registry(
    clv: Session, trained: Training, registry: Registry
) -> None:
    """The first version becomes the default by itself, so a refused one must not be logged at all."""
    ctx = context(clv, "check_model_quality")
    assert check_model_quality(ctx, trained["metrics"], trained["baselines"], 0.99) == "send_alert"
    assert registry.models() == []
    # What training left is on the stage, ready for a run that promotes it.
    assert ctx.read_file(trained["candidate"]["model"])


def test_a_promoted_version_is_the_default_and_scores(
    clv: Session, prepared: Features, trained: Training, registry: Registry
) -> None:
    promotion = promote_model(context(clv, "promote_model"), trained["candidate"], "CLV_MODEL")
    assert promotion["version"] == "V_RUN_1"
    assert promotion["previous"] is None
    model = registry.get_model("CLV_MODEL")
    assert model.default.version_name == "V_RUN_1"
    assert model.default.show_metrics() == pytest.approx(trained["candidate"]["metrics"])

    scoring: Scoring = score_customers(
        context(clv, "score_customers"), prepared["features"], "CLV_MODEL", promotion["version"]
    )
    assert scoring["customers"] == 400
    written = clv.table("CLV_PREDICTIONS").to_pandas().set_index("CUSTOMER_ID")
    assert set(written["MODEL_VERSION"]) == {"V_RUN_1"}
    assert written["SCORED_AT"].notna().all()

    import xgboost

    inputs = clv.table(prepared["features"]).to_pandas().set_index("CUSTOMER_ID")
    booster: Any = model.default.load(force=True)
    expected = pandas.Series(booster.predict(xgboost.DMatrix(inputs[list(INPUTS)])), index=inputs.index)
    assert written["PREDICTED_SPEND"].sort_index().tolist() == pytest.approx(
        expected.sort_index().tolist(), rel=1e-5
    )


def test_a_retried_promotion_logs_nothing_twice(clv: Session, trained: Training, registry: Registry) -> None:
    first = promote_model(context(clv, "promote_model", "r-1"), trained["candidate"], "CLV_MODEL")
    again = promote_model(context(clv, "promote_model", "r-1"), trained["candidate"], "CLV_MODEL")
    assert again == first
    assert [version.version_name for version in registry.get_model("CLV_MODEL").versions()] == ["V_R_1"]


def test_old_versions_are_removed_but_never_the_default(
    clv: Session, trained: Training, registry: Registry
) -> None:
    ctx = context(clv, "cleanup")
    assert remove_versions(ctx, "CLV_MODEL", 2) == []
    for run in ("1", "2", "3"):
        promoted = promote_model(context(clv, "promote_model", run), trained["candidate"], "CLV_MODEL")
    assert promoted["previous"] == "V_2"

    model = registry.get_model("CLV_MODEL")
    model.default = "V_1"
    assert remove_versions(ctx, "CLV_MODEL", 3) == []
    model.version("V_2").set_alias("CHAMPION")
    assert remove_versions(ctx, "CLV_MODEL", 1) == []
    model.version("V_2").unset_alias("CHAMPION")
    assert remove_versions(ctx, "CLV_MODEL", 1) == ["V_2"]
    assert {version.version_name for version in model.versions()} == {"V_1", "V_3"}
    assert model.default.version_name == "V_1"


@pytest.mark.skipif(not CDNOW.is_file(), reason="the CDNOW purchases are not here: make data")
def test_the_model_earns_its_place_on_real_customers(clv: Session) -> None:
    frame = pandas.read_csv(CDNOW)
    frame["PURCHASED_ON"] = pandas.to_datetime(frame["PURCHASED_ON"]).dt.date
    clv.write_pandas(frame, "CDNOW_TRANSACTIONS", auto_create_table=True, overwrite=True)
    ctx = context(clv, "train_model", "real")
    prepared = prepare_data(ctx, "CDNOW_TRANSACTIONS", "1997-09-30", table="REAL_FEATURES")
    assert (prepared["customers"], prepared["active"]) == (23_570, 7_317)

    result = train_model(ctx, prepared["features"])
    metrics, baselines = result["metrics"], result["baselines"]
    assert result["customers"] == {"train": 18_832, "test": 4_738}
    assert baselines["number_of_purchases"]["spearman"] == pytest.approx(0.473, abs=0.001)
    assert metrics["spearman"] > baselines["number_of_purchases"]["spearman"] + 0.01
    assert metrics["mae"] < baselines["scaled_spend_so_far"]["mae"] - 2
    assert check_model_quality(ctx, metrics, baselines, 0.4) == "promote_model"
