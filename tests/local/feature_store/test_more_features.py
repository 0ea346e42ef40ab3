"""More of `snowflake.ml.feature_store` unmodified: versions, groups, several entities, and what a spine may be."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.core.clock import ManualClock

if TYPE_CHECKING:
    from snowflake.ml.feature_store import Entity, FeatureStore, FeatureView
    from snowflake.snowpark import Session


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def spent_view(features: FeatureStore, customer: Entity, spent: Any) -> FeatureView:
    """What each customer has spent, on a dynamic table."""
    from snowflake.ml.feature_store import FeatureView

    draft = FeatureView("SPENT", [customer], spent, timestamp_col="ORDERED_AT", refresh_freq="1 day")
    return features.register_feature_view(draft, "v1")


@pytest.fixture(scope="module")
def visits_view(features: FeatureStore, customer: Entity, session: Session) -> FeatureView:
    """Visits of customers to cities: a view, by two join keys of two entities."""
    from snowflake.ml.feature_store import Entity, FeatureView

    city = features.register_entity(Entity("CITY", join_keys=["COUNTRY", "CITY"], desc="where"))
    session.sql(
        "CREATE OR REPLACE TABLE shop.public.visits AS SELECT column1 AS customer, column2 AS country,"
        " column3 AS city, column4 AS visits, column5::TIMESTAMP_NTZ AS at FROM VALUES"
        " (1, 'FR', 'Paris', 2, '2026-01-01'), (1, 'FR', 'Paris', 5, '2026-02-01'), (1, 'US', 'Paris', 9, '2026-01-01')"
    ).collect()
    draft = FeatureView(
        "VISITS", [customer, city], session.table("shop.public.visits"), timestamp_col="AT", desc="visits"
    )
    return features.register_feature_view(draft, "v1")


def rows(frame: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in frame.collect())


# -- versions and lists


def test_versions_stand_beside_each_other(features: FeatureStore, customer: Entity, session: Session) -> None:
    from snowflake.ml.feature_store import FeatureView

    for version, factor in (("v1", 1), ("v2", 100)):
        frame = session.sql(
            f"SELECT customer, COUNT(*) * {factor} AS n FROM shop.public.orders GROUP BY customer"
        )
        features.register_feature_view(FeatureView("COUNTED", [customer], frame), version)
    frame = session.sql("SELECT 1 AS customer, 7 AS n")
    with pytest.warns(UserWarning, match="already exists"):
        again = features.register_feature_view(FeatureView("COUNTED", [customer], frame), "v1")
    assert features.read_feature_view(again).filter("CUSTOMER = 1").collect()[0]["N"] >= 20
    assert features.read_feature_view("COUNTED", "v2").filter("CUSTOMER = 1").collect()[0]["N"] >= 2000
    listed = features.list_feature_views(feature_view_name="COUNTED").collect()
    assert sorted(row["VERSION"] for row in listed) == ["v1", "v2"]
    features.delete_feature_view("COUNTED", "v1")
    assert [row["VERSION"] for row in features.list_feature_views(feature_view_name="COUNTED").collect()] == [
        "v2"
    ]
    assert features.list_feature_views(feature_view_name="NOTHING").collect() == []


def test_lists_are_filtered_by_entity(
    features: FeatureStore, spent_view: FeatureView, visits_view: FeatureView
) -> None:
    names: Callable[..., set[str]] = lambda **by: {  # noqa: E731
        row["NAME"] for row in features.list_feature_views(**by).collect()
    }
    assert names(entity_name="CITY") == {"VISITS"}
    assert {"VISITS", "SPENT"} <= names(entity_name="CUSTOMER")
    assert names(entity_name="CITY", feature_view_name="SPENT") == set()


def test_one_that_is_computed_anew_each_time(
    features: FeatureStore, customer: Entity, session: Session
) -> None:
    from snowflake.ml.feature_store import FeatureView

    frame = session.sql("SELECT customer, COUNT(*) AS n FROM shop.public.orders GROUP BY customer")
    draft = FeatureView("WHOLE", [customer], frame, refresh_freq="1 day", refresh_mode="FULL")
    registered = features.register_feature_view(draft, "v1")
    assert (registered.refresh_mode, registered.refresh_mode_reason) == ("FULL", None)
    session.sql("INSERT INTO shop.public.orders VALUES (3000, 4, 1, '2026-02-01')").collect()
    features.refresh_feature_view(registered)
    actions = [row["REFRESH_ACTION"] for row in features.get_refresh_history(registered).collect()]
    assert actions == ["FULL", "FULL"]


def test_a_draft_goes_to_json_and_back(session: Session, spent_view: FeatureView) -> None:
    from snowflake.ml.feature_store import FeatureView

    again = FeatureView.from_json(spent_view.to_json(), session)
    assert (str(again.name), str(again.version), again.refresh_freq) == ("SPENT", "v1", "1 day")
    assert rows(again.feature_df) == rows(spent_view.feature_df)


def test_the_default_warehouse_of_the_store(features: FeatureStore, customer: Entity, spent: Any) -> None:
    from snowflake.ml.feature_store import FeatureView

    features.update_default_warehouse("FEATURES_WH")
    registered = features.register_feature_view(
        FeatureView("ON_DEFAULT", [customer], spent, refresh_freq="1 hour", initialize="ON_SCHEDULE"), "v1"
    )
    assert str(registered.warehouse) == "FEATURES_WH"
    with pytest.raises(SnowparkSQLException, match="is not initialized"):
        features.read_feature_view(registered).collect()
    features.delete_feature_view(registered)


def test_an_entity_that_is_there_stays_as_it_is(features: FeatureStore, customer: Entity) -> None:
    from snowflake.ml.feature_store import Entity

    with pytest.warns(UserWarning, match="already exists"):
        features.register_entity(Entity("CUSTOMER", join_keys=["OTHER"], desc="changed"))
    assert [str(key) for key in features.get_entity("CUSTOMER").join_keys] == ["CUSTOMER"]
    assert features.update_entity("CUSTOMER", desc=customer.desc) is not None
    with pytest.warns(UserWarning, match="does not exist"):
        assert features.update_entity("NOBODY", desc="x") is None
    with pytest.raises(ValueError, match="NOBODY"):
        features.delete_entity("NOBODY")


# -- refreshes


def test_only_that_view_is_refreshed(
    features: FeatureStore, spent_view: FeatureView, session: Session, clock: ManualClock
) -> None:
    session.sql("INSERT INTO shop.public.orders VALUES (2000, 3, 77, '2026-02-01')").collect()
    clock.advance(timedelta(minutes=1))
    features.refresh_feature_view("SPENT", "v1")
    last = features.get_refresh_history("SPENT", "v1").collect()[0]
    assert (last["STATE"], last["REFRESH_ACTION"]) == ("SUCCEEDED", "INCREMENTAL")
    features.suspend_feature_view("SPENT", "v1")
    features.refresh_feature_view("SPENT", "v1")
    assert features.get_feature_view("SPENT", "v1").status.value == "SUSPENDED"
    assert features.resume_feature_view("SPENT", "v1").status.value == "ACTIVE"


# -- values


@pytest.mark.parametrize("join_method", ["sequential", "cte"])
def test_join_keys_of_two_entities(
    features: FeatureStore,
    spent_view: FeatureView,
    visits_view: FeatureView,
    session: Session,
    join_method: Any,
) -> None:
    spine = session.sql(
        "SELECT column1 AS customer, column2 AS country, column3 AS city, column4::TIMESTAMP_NTZ AS moment,"
        " column5 AS left FROM VALUES (1, 'FR', 'Paris', '2026-01-15', TRUE), (1, 'FR', 'Paris', '2026-03-15', FALSE),"
        " (1, 'US', 'Paris', '2026-03-15', FALSE), (1, 'FR', 'Lyon', '2026-03-15', FALSE)"
    )
    made = features.generate_training_set(
        spine,
        [visits_view, spent_view.slice(["TOTAL"])],
        spine_timestamp_col="MOMENT",
        spine_label_cols=["LEFT"],
        exclude_columns=["COUNTRY"],
        join_method=join_method,
    )
    assert set(made.columns) == {"CUSTOMER", "CITY", "MOMENT", "LEFT", "VISITS", "TOTAL"}
    found = sorted(
        (row["CITY"], row["MOMENT"].month, row["VISITS"]) for row in made.collect() if row["VISITS"]
    )
    assert found == [("Paris", 1, 2), ("Paris", 3, 5), ("Paris", 3, 9)]
    assert sum(row["VISITS"] is None for row in made.collect()) == 1


def test_without_moments_the_latest_rows_are_joined(
    features: FeatureStore, customer: Entity, session: Session
) -> None:
    from snowflake.ml.feature_store import FeatureView

    frame = session.sql(
        "SELECT customer, MIN(id) AS first FROM shop.public.orders WHERE id < 100 GROUP BY customer"
    )
    view = features.register_feature_view(FeatureView("FIRST_ORDER", [customer], frame), "v1")
    spine = session.create_dataframe([(2,), (77,)], schema=["CUSTOMER"])
    assert rows(features.retrieve_feature_values(spine, [view])) == [(2, 2), (77, None)]
    again = features.retrieve_feature_values(spine, [view.to_json()])
    assert rows(again) == [(2, 2), (77, None)]


def test_chosen_rows_and_features_of_a_view(features: FeatureStore, visits_view: FeatureView) -> None:
    chosen = features.read_feature_view(visits_view, keys=[["1", "US", "Paris"]], feature_names=["VISITS"])
    assert [row["VISITS"] for row in chosen.collect()] == [9]


def test_a_data_set_may_be_a_table(
    features: FeatureStore, visits_view: FeatureView, session: Session
) -> None:
    spine = session.sql(
        "SELECT 1 AS customer, 'FR' AS country, 'Paris' AS city, '2026-03-01'::TIMESTAMP_NTZ AS moment"
    )
    made = features.generate_dataset(
        "VISITED", spine, [visits_view], version="v1", spine_timestamp_col="MOMENT", output_type="table"
    )
    assert [row["VISITS"] for row in made.collect()] == [5]
    assert (
        session.table('shop.features."VISITED_v1"').count() == 1
        or session.table("shop.features.VISITED_V1").count() == 1
    )
    with pytest.raises(Exception, match="already exists"):
        features.generate_training_set(
            spine, [visits_view], spine_timestamp_col="MOMENT", save_as="VISITED_v1"
        )


# -- what is online


def test_what_is_online_is_refused_in_words(
    features: FeatureStore, customer: Entity, spent_view: FeatureView
) -> None:
    from snowflake.ml.feature_store import FeatureGroup, StoreType
    from snowflake.ml.feature_store.stream_source import StreamSource
    from snowflake.snowpark.types import StringType, StructField, StructType, TimestampType

    with pytest.raises(Exception, match=r"not emulated .*CREATE_FEATURE_STORE_ONLINE_SERVICE"):
        features.create_online_service("SYSADMIN", "SYSADMIN")
    with pytest.raises(ValueError, match="registered with online=True"):
        features.register_feature_group(FeatureGroup("KNOWN", [spent_view]), "v1")
    assert features.list_feature_groups().collect() == []
    with pytest.raises(ValueError, match=r"(?i)online"):
        features.read_feature_view(spent_view, keys=[["1"]], store_type=StoreType.ONLINE)
    schema = StructType([StructField("CUSTOMER", StringType()), StructField("AT", TimestampType())])
    source = StreamSource("CLICKS", schema)
    features.register_stream_source(source)
    assert [row["NAME"] for row in features.list_stream_sources().collect()] == ["CLICKS"]
    with pytest.raises(Exception, match=r"(?i)not emulated|online"):
        features.stream_ingest("CLICKS", [{"CUSTOMER": "1", "AT": "2026-01-01"}])
