"""The model registry through `snowflake.ml.registry`, unchanged."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from snowflake.ml.model import ExportMode, ModelVersion
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.core.names import ObjectName
from sfml_local.http.app import LocalServer
from sfml_local.services.models.store import get_model

if TYPE_CHECKING:
    import xgboost

# The client takes these defaults apart from the job's runtime: a warehouse is to score the model.
OPTIONS = {"relax_version": False, "enable_explainability": False}

X = pd.DataFrame({"AGE": np.arange(50), "SPEND": np.arange(50.0)[::-1] % 7, "VIP": np.arange(50) % 2 == 0})
Y = X.AGE * 2.0 + X.SPEND


def model(scale: float = 1.0) -> xgboost.XGBRegressor:
    import xgboost

    return xgboost.XGBRegressor(n_estimators=5, max_depth=2).fit(X, Y * scale)


def log(registry: Registry, name: str, version: str, scale: float = 1.0, **options: Any) -> ModelVersion:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return registry.log_model(
            model(scale),
            model_name=name,
            version_name=version,
            sample_input_data=X.head(5),
            target_platforms=["WAREHOUSE"],
            conda_dependencies=["xgboost", "scikit-learn"],
            options=OPTIONS,
            **options,
        )


@pytest.fixture(scope="module")
def shared(server: LocalServer) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        rows = ", ".join(f"({row.AGE}, {row.SPEND}, {row.VIP})" for row in X.itertuples())
        session.sql("CREATE TABLE CUSTOMERS (AGE INT, SPEND FLOAT, VIP BOOLEAN)").collect()
        session.sql(f"INSERT INTO CUSTOMERS VALUES {rows}").collect()
        yield session


@pytest.fixture(scope="module")
def registry(shared: Session) -> Registry:
    return Registry(shared, database_name="SFML", schema_name="PUBLIC", options={"enable_monitoring": False})


@pytest.fixture(scope="module")
def logged(registry: Registry) -> ModelVersion:
    """A model with one version, which tests only read."""
    return log(registry, "READ_ONLY", "V1", metrics={"spearman": 0.5}, comment="the first")


@pytest.fixture(scope="module")
def pair(registry: Registry) -> tuple[ModelVersion, ModelVersion]:
    """A model with two versions, the second of which predicts ten times as much."""
    return log(registry, "PAIR", "V1"), log(registry, "PAIR", "V2", scale=10)


def test_a_version_keeps_what_was_said_of_it(logged: ModelVersion) -> None:
    assert logged.comment == "the first"
    assert logged.get_metric("spearman") == 0.5
    logged.set_metric("mae", 3)
    assert logged.show_metrics() == {"spearman": 0.5, "mae": 3}
    logged.delete_metric("mae")
    assert logged.show_metrics() == {"spearman": 0.5}
    assert [function["name"] for function in logged.show_functions()] == ["PREDICT"]


def test_the_first_version_is_the_default_and_later_ones_are_not(
    registry: Registry, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    found = registry.get_model("PAIR")
    assert found.default.version_name == "V1"
    assert [version.version_name for version in found.versions()] == ["V1", "V2"]
    assert found.first().version_name == "V1"
    assert found.last().version_name == "V2"
    found.default = "V2"
    assert registry.get_model("PAIR").default.version_name == "V2"
    found.default = "V1"


def test_aliases_tags_and_comments(registry: Registry, pair: tuple[ModelVersion, ModelVersion]) -> None:
    found = registry.get_model("PAIR")
    pair[0].set_alias("PROD")
    assert found.version("PROD").version_name == "V1"
    pair[1].set_alias("PROD")
    assert found.version("PROD").version_name == "V2"
    pair[1].unset_alias("PROD")
    with pytest.raises(ValueError, match="PROD"):
        found.version("PROD")
    found.set_tag("STAGE", "it's live")
    assert found.get_tag("STAGE") == "it's live"
    assert found.show_tags() == {"SFML.PUBLIC.STAGE": "it's live"}
    found.unset_tag("STAGE")
    assert found.get_tag("STAGE") is None
    found.comment = "two of them"
    assert registry.get_model("PAIR").comment == "two of them"


def test_models_are_shown(registry: Registry, logged: ModelVersion) -> None:
    shown = registry.show_models()
    row = shown[shown["name"] == "READ_ONLY"].iloc[0]
    assert (row["default_version_name"], row["owner"]) == ("V1", "SYSADMIN")
    assert "READ_ONLY" in {found.name for found in registry.models()}
    with pytest.raises(ValueError, match="NO_SUCH"):
        registry.get_model("NO_SUCH")


def test_inference_on_a_table_and_on_a_frame(shared: Session, logged: ModelVersion) -> None:
    expected = model().predict(X)
    from_frame = logged.run(X, function_name="predict")
    assert np.allclose(from_frame["output_feature_0"], expected)
    from_table = logged.run(shared.table("CUSTOMERS"), function_name="predict").to_pandas()
    predicted = from_table.sort_values("AGE")["output_feature_0"]
    assert np.allclose(predicted, expected)


def test_inference_in_sql(shared: Session, pair: tuple[ModelVersion, ModelVersion]) -> None:
    sql = (
        "SELECT AGE, MODEL(SFML.PUBLIC.PAIR, V1)!PREDICT(AGE, SPEND, VIP):output_feature_0::FLOAT AS ONE,"
        " MODEL(PAIR, LAST)!PREDICT(AGE, SPEND, VIP):output_feature_0::FLOAT AS TEN FROM CUSTOMERS ORDER BY AGE"
    )
    rows = shared.sql(sql).collect()
    assert np.allclose([row.ONE for row in rows], model().predict(X), rtol=1e-4)
    assert np.allclose([row.TEN for row in rows], model(10).predict(X), rtol=1e-4)


def test_a_model_that_raises_is_an_error_of_its_code(
    server: LocalServer, shared: Session, registry: Registry
) -> None:
    log(registry, "BROKEN", "V1")
    folder = get_model(server.account, ObjectName("SFML", "PUBLIC", "BROKEN")).version("V1").folder
    (folder / "functions" / "predict.py").write_text("def infer(df):\n    raise ValueError('bad features')\n")
    with pytest.raises(SnowparkSQLException, match="ValueError: bad features") as failed:
        shared.sql("SELECT MODEL(BROKEN)!PREDICT(AGE, SPEND, VIP) AS P FROM CUSTOMERS").collect()
    assert failed.value.sql_error_code == 100357
    assert "in function PREDICT with handler functions.predict.infer" in str(failed.value)
    assert "predictor.py" not in str(failed.value)


def test_loading_and_exporting(logged: ModelVersion, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = logged.load(force=True)
    assert np.allclose(loaded.predict(X), model().predict(X))
    logged.export(str(tmp_path), export_mode=ExportMode.FULL)
    assert (tmp_path / "MANIFEST.yml").is_file()


def test_only_the_owner_loads(shared: Session, logged: ModelVersion) -> None:
    shared.use_role("OTHER_ROLE")
    try:
        with pytest.raises(Exception, match=r"owner|OWNERSHIP"):
            logged.load(force=True)
    finally:
        shared.use_role("SYSADMIN")


def test_the_default_is_never_deleted(registry: Registry, pair: tuple[ModelVersion, ModelVersion]) -> None:
    found = registry.get_model("PAIR")
    with pytest.raises(SnowparkSQLException, match="default version"):
        found.delete_version("V1")
    assert len(found.versions()) == 2


def test_a_procedure_promotes_and_scores(shared: Session, registry: Registry) -> None:
    log(registry, "PROMOTED", "V1")
    log(registry, "PROMOTED", "V2", scale=10)
    (row,) = shared.sql("""
        WITH PROMOTE AS PROCEDURE (VERSION STRING) RETURNS VARIANT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
        PACKAGES = ('snowflake-snowpark-python', 'snowflake-ml-python', 'xgboost') HANDLER = 'main' AS $$
from snowflake.ml.registry import Registry
def main(session, version):
    model = Registry(session).get_model("PROMOTED")
    model.default = version
    frame = session.table("CUSTOMERS").to_pandas()
    return [float(p) for p in model.default.load(force=True).predict(frame)]
$$ CALL PROMOTE('V2')""").collect()
    assert registry.get_model("PROMOTED").default.version_name == "V2"
    assert np.allclose(sorted(json.loads(row[0])), sorted(model(10).predict(X)), rtol=1e-4)


def test_a_version_made_again_serves_the_new_model(shared: Session, registry: Registry) -> None:
    log(registry, "AGAIN", "V1")
    second = log(registry, "AGAIN", "V2")
    before = second.run(X, function_name="predict")["output_feature_0"]
    registry.get_model("AGAIN").delete_version("V2")
    third = log(registry, "AGAIN", "V2", scale=10)
    after = third.run(X, function_name="predict")["output_feature_0"]
    assert np.allclose(before, model().predict(X))
    assert np.allclose(after, model(10).predict(X))


def test_copies_names_and_deletion(shared: Session, registry: Registry, logged: ModelVersion) -> None:
    copy = registry.log_model(logged, model_name="COPY", version_name="C1")
    assert copy.version_name == "C1"
    registry.get_model("COPY").rename("RENAMED")
    assert [version.version_name for version in registry.get_model("RENAMED").versions()] == ["C1"]
    expected = model().predict(X)
    renamed = registry.get_model("RENAMED").version("C1")
    assert np.allclose(renamed.run(X, function_name="predict")["output_feature_0"], expected)
    registry.delete_model("RENAMED")
    with pytest.raises(ValueError, match="RENAMED"):
        registry.get_model("RENAMED")
    assert np.allclose(logged.run(X, function_name="predict")["output_feature_0"], expected)


def test_names_are_taken_once(shared: Session, registry: Registry, logged: ModelVersion) -> None:
    with pytest.raises(ValueError, match="already exist"):
        log(registry, "READ_ONLY", "V1")
    with pytest.raises(SnowparkSQLException, match="already exists"):
        shared.sql("CREATE MODEL READ_ONLY FROM MODEL READ_ONLY VERSION V1").collect()


def test_a_schemas_models_go_with_it(shared: Session, registry: Registry, logged: ModelVersion) -> None:
    shared.sql("CREATE SCHEMA GOING").collect()
    shared.sql("USE SCHEMA PUBLIC").collect()
    shared.sql("CREATE MODEL GOING.M FROM MODEL READ_ONLY VERSION V1").collect()
    shared.sql("DROP SCHEMA GOING").collect()
    assert "M" not in {row["name"] for row in shared.sql("SHOW MODELS IN ACCOUNT").collect()}
    with pytest.raises(SnowparkSQLException, match=r"Schema 'SFML\.GOING' does not exist"):
        shared.sql("CREATE MODEL GOING.M FROM MODEL READ_ONLY VERSION V1").collect()


def test_everything_survives_a_restart(folder: Path) -> None:
    # Sessions are closed with their server: the client asks every open one whether it is still there.
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        registry = Registry(session, options={"enable_monitoring": False})
        log(registry, "KEPT", "V1", metrics={"m": 1})
        log(registry, "KEPT", "V2").set_alias("PROD")
        registry.get_model("KEPT").default = "V2"
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        found = Registry(session, options={"enable_monitoring": False}).get_model("KEPT")
        assert found.default.version_name == "V2"
        assert found.version("V1").get_metric("m") == 1
        predicted = found.version("PROD").run(X, function_name="predict")["output_feature_0"]
        assert np.allclose(predicted, model().predict(X))
