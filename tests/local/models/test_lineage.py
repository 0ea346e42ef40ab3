"""Lineage: what views, feature views, datasets and models were made from, as Snowflake's clients ask for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from snowflake.ml import dataset
from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException


def traced(session: Session, *asked: Any, **options: Any) -> list[tuple[str, str, str, int]]:
    """Domains and names of each edge, its direction and its distance."""
    found = []
    for row in session.lineage.trace(*asked, **options).collect():
        ends = [json.loads(row[column]) for column in ("SOURCE_OBJECT", "TARGET_OBJECT")]
        names = [f"{end['domain']} {end['name'].rpartition('.')[2]}" for end in ends]
        assert {end["status"] for end in ends} == {"ACTIVE"}
        found.append((*names, row["DIRECTION"], row["DISTANCE"]))
    return found


@pytest.fixture
def sales(session: Session) -> str:
    session.sql(
        "CREATE OR REPLACE TABLE SALES AS SELECT SEQ4() AS K, UNIFORM(0::FLOAT, 1::FLOAT, RANDOM()) AS X"
        " FROM TABLE(GENERATOR(ROWCOUNT => 20))"
    ).collect()
    session.sql("CREATE OR REPLACE VIEW LARGE AS SELECT * FROM SALES WHERE X > 0.1").collect()
    session.sql("CREATE OR REPLACE VIEW LARGEST AS SELECT MAX(X) AS X FROM LARGE").collect()
    return "SFML.PUBLIC.SALES"


def test_views_are_downstream_of_tables(session: Session, sales: str) -> None:
    edges = [("TABLE SALES", "VIEW LARGE", "Downstream", 1), ("VIEW LARGE", "VIEW LARGEST", "Downstream", 2)]
    assert traced(session, sales, "table", direction="downstream") == edges
    assert traced(session, sales, "table", direction="downstream", distance=1) == edges[:1]
    up = traced(session, "SFML.PUBLIC.LARGEST", "view", direction="upstream")
    assert up == [("VIEW LARGE", "VIEW LARGEST", "Upstream", 1), ("TABLE SALES", "VIEW LARGE", "Upstream", 2)]


def test_what_is_not_known_is_refused_by_name(session: Session, sales: str) -> None:
    with pytest.raises(SnowparkSQLException, match="does not know what filled the table SALES"):
        traced(session, sales, "table", direction="upstream")
    with pytest.raises(SnowparkSQLException, match="lineage of a COLUMN"):
        traced(session, f"{sales}.X", "column", direction="downstream")


def test_a_dataset_and_a_model_know_what_they_were_made_from(session: Session, sales: str) -> None:
    import numpy as np
    from sklearn.linear_model import LinearRegression

    made = dataset.create_from_dataframe(session, "SOLD", "v1", input_dataframe=session.table("LARGE"))
    part = made.create_version("v1_train", made.read.to_snowpark_dataframe().limit(5))
    assert made.lineage("downstream", domain_filter={"model"}) == []
    model = LinearRegression().fit(np.zeros((2, 2)), [0, 1])
    version = Registry(session, database_name="SFML", schema_name="PUBLIC").log_model(
        model,
        model_name="FITTED",
        version_name="V1",
        sample_input_data=made.read.to_snowpark_dataframe(),
        target_platforms=["SNOWPARK_CONTAINER_SERVICES"],
    )
    models = made.lineage("downstream", domain_filter={"model"})
    assert [(one.model_name, one.version_name) for one in models] == [("FITTED", "V1")]
    (source,) = version.lineage("upstream")
    assert (source.fully_qualified_name, source.selected_version.name) == ("SFML.PUBLIC.SOLD", "v1")
    (view,) = made.lineage("upstream")
    assert (view._lineage_node_domain, view._lineage_node_name) == ("view", "SFML.PUBLIC.LARGE")
    assert [one.selected_version.name for one in part.lineage("upstream")] == ["v1"]


def test_a_feature_view_is_one(session: Session, sales: str) -> None:
    store = FeatureStore(
        session, "SFML", "FEATURES", "LOCAL_WH", creation_mode=CreationMode.CREATE_IF_NOT_EXIST
    )
    entity = store.register_entity(Entity("ITEM", join_keys=["K"]))
    spent = session.sql(f"SELECT K, X FROM {sales}")
    view = store.register_feature_view(FeatureView("SPENT", [entity], spent, refresh_freq="1 day"), "v1")
    (table,) = view.lineage("upstream")
    assert (table._lineage_node_domain, table._lineage_node_name) == ("table", sales)
    found = store.generate_dataset(
        "TRAINING", session.sql(f"SELECT K FROM {sales}"), [view], version="v1", output_type="dataset"
    )
    (source,) = found.lineage("upstream", domain_filter={"feature_view"})
    assert (source.name, source.version) == ("SPENT", "v1")
    assert [one.fully_qualified_name for one in view.lineage("downstream")] == [found.fully_qualified_name]
