"""The verbs of `snowflake.ml.feature_store`, each by its unchanged client."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from sfml_local.core.clock import ManualClock

if TYPE_CHECKING:
    from snowflake.ml.feature_store import Entity, FeatureStore, FeatureView
    from snowflake.snowpark import Session

_names = count(1)


def view(customer: Entity, frame: Any, **settings: Any) -> FeatureView:
    """A feature view under a name of its own."""
    from snowflake.ml.feature_store import FeatureView

    return FeatureView(f"VIEW_{next(_names)}", [customer], frame, **settings)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def refreshed(features: FeatureStore, customer: Entity, spent: Any) -> FeatureView:
    """A feature view on a dynamic table."""
    draft = view(customer, spent, timestamp_col="ORDERED_AT", refresh_freq="1 day", desc="what was spent")
    return features.register_feature_view(draft.attach_feature_desc({"TOTAL": "all of it"}), "v1")


@pytest.fixture
def static(features: FeatureStore, customer: Entity, session: Session) -> FeatureView:
    """A feature view on a view."""
    frame = session.sql("SELECT customer, COUNT(*) AS n FROM shop.public.orders GROUP BY customer")
    return features.register_feature_view(view(customer, frame).attach_feature_desc({"N": "how many"}), "v1")


def total(features: FeatureStore, registered: FeatureView, customer: int = 1) -> float:
    frame = features.read_feature_view(registered)
    return float(frame.filter(frame["CUSTOMER"] == customer).collect()[0]["TOTAL"])


# -- stores and entities


def test_a_store_is_found_again(features: FeatureStore, session: Session) -> None:
    from snowflake.ml.feature_store import CreationMode, FeatureStore

    again = FeatureStore(
        session, "SHOP", "FEATURES", "features_wh", creation_mode=CreationMode.FAIL_IF_NOT_EXIST
    )
    assert again.list_entities() is not None
    with pytest.raises(ValueError, match="ELSEWHERE"):
        FeatureStore(
            session, "SHOP", "ELSEWHERE", "features_wh", creation_mode=CreationMode.FAIL_IF_NOT_EXIST
        )


def test_entities(features: FeatureStore, customer: Entity) -> None:
    from snowflake.ml.feature_store import Entity

    features.register_entity(Entity("SHOP", join_keys=["CITY", "STREET"], desc="where"))
    listed = {row["NAME"]: json.loads(row["JOIN_KEYS"]) for row in features.list_entities().collect()}
    assert listed == {"CUSTOMER": ["CUSTOMER"], "SHOP": ["CITY", "STREET"]}
    features.update_entity("SHOP", desc="where it is")
    found = features.get_entity("SHOP")
    assert (found.desc, [str(key) for key in found.join_keys]) == ("where it is", ["CITY", "STREET"])
    features.delete_entity("SHOP")
    assert [row["NAME"] for row in features.list_entities().collect()] == ["CUSTOMER"]


def test_an_entity_that_is_used_stays(features: FeatureStore, refreshed: FeatureView) -> None:
    with pytest.raises(ValueError, match="Cannot delete Entity CUSTOMER"):
        features.delete_entity("CUSTOMER")


# -- feature views


def test_a_registered_view_is_found_as_it_was_made(features: FeatureStore, refreshed: FeatureView) -> None:
    found = features.get_feature_view(str(refreshed.name), "v1")
    assert (found.desc, found.refresh_freq, found.refresh_mode, str(found.timestamp_col)) == (
        "what was spent",
        "1 day",
        "INCREMENTAL",
        "ORDERED_AT",
    )
    assert {str(name): text for name, text in found.feature_descs.items()} == {"TOTAL": "all of it"}
    assert (found.status.value, found.owner) == ("ACTIVE", "SYSADMIN")
    assert "SUM(amount)" in found.query


def test_a_static_view_is_found_as_it_was_made(features: FeatureStore, static: FeatureView) -> None:
    found = features.get_feature_view(str(static.name), "v1")
    assert (found.status.value, found.refresh_freq) == ("STATIC", None)
    assert {str(name): text for name, text in found.feature_descs.items()} == {"N": "how many"}
    assert features.read_feature_view(found).count() == 5


def test_views_are_listed_with_their_entities(
    features: FeatureStore, refreshed: FeatureView, static: FeatureView
) -> None:
    listed = {row["NAME"]: row for row in features.list_feature_views(entity_name="CUSTOMER").collect()}
    assert {str(refreshed.name), str(static.name)} <= listed.keys()
    assert json.loads(listed[str(refreshed.name)]["ENTITIES"]) == ["CUSTOMER"]
    assert listed[str(refreshed.name)]["REFRESH_FREQ"] == "1 day"


def test_a_refresh_by_hand_is_in_the_history(
    features: FeatureStore, refreshed: FeatureView, session: Session
) -> None:
    before = total(features, refreshed)
    session.sql("INSERT INTO shop.public.orders VALUES (1000, 1, 1000, '2026-02-01')").collect()
    assert total(features, refreshed) == before
    features.refresh_feature_view(refreshed)
    assert total(features, refreshed) == before + 1000
    history = features.get_refresh_history(refreshed).collect()
    assert [(row["STATE"], row["REFRESH_ACTION"]) for row in history] == [
        ("SUCCEEDED", "INCREMENTAL"),
        ("SUCCEEDED", "REINITIALIZE"),
    ]
    verbose = features.get_refresh_history(refreshed, verbose=True).collect()
    assert [row["REFRESH_TRIGGER"] for row in verbose] == ["MANUAL", "CREATION"]


def test_the_clock_refreshes_it(
    features: FeatureStore, refreshed: FeatureView, session: Session, clock: ManualClock
) -> None:
    before = total(features, refreshed)
    session.sql("INSERT INTO shop.public.orders VALUES (1001, 1, 500, '2026-02-02')").collect()
    clock.advance(timedelta(days=1))
    assert total(features, refreshed) == before + 500


def test_suspending_and_resuming(
    features: FeatureStore, refreshed: FeatureView, session: Session, clock: ManualClock
) -> None:
    before = total(features, refreshed)
    assert features.suspend_feature_view(refreshed).status.value == "SUSPENDED"
    session.sql("INSERT INTO shop.public.orders VALUES (1002, 1, 10, '2026-02-03')").collect()
    clock.advance(timedelta(days=2))
    assert total(features, refreshed) == before
    assert features.resume_feature_view(refreshed).status.value == "ACTIVE"
    clock.advance(timedelta(days=1))
    assert total(features, refreshed) == before + 10


def test_a_view_with_a_cron_schedule_is_refreshed_by_a_task(
    features: FeatureStore, customer: Entity, spent: Any, session: Session, clock: ManualClock
) -> None:
    draft = view(customer, spent, refresh_freq="0 * * * * UTC")
    registered = features.register_feature_view(draft, "v1")
    assert features.get_feature_view(str(registered.name), "v1").refresh_freq == "0 * * * * UTC"
    before = total(features, registered)
    session.sql("INSERT INTO shop.public.orders VALUES (1003, 1, 20, '2026-02-03')").collect()
    clock.advance(timedelta(hours=1))
    assert total(features, registered) == before + 20
    features.suspend_feature_view(registered)
    (task,) = session.sql(f"SHOW TASKS LIKE '{registered.name}$v1' IN SCHEMA shop.features").collect()
    assert task["state"] == "suspended"
    features.delete_feature_view(registered)
    assert session.sql(f"SHOW TASKS LIKE '{registered.name}$v1' IN SCHEMA shop.features").collect() == []


def test_updating(features: FeatureStore, refreshed: FeatureView) -> None:
    name = str(refreshed.name)
    changed = features.update_feature_view(
        name, "v1", refresh_freq="2 hours", warehouse="other_wh", desc="changed"
    )
    assert (changed.refresh_freq, str(changed.warehouse), changed.desc) == ("2 hours", "OTHER_WH", "changed")
    assert (
        features.update_feature_view(name, "v1", refresh_freq="0 0 * * * UTC").refresh_freq == "0 0 * * * UTC"
    )
    assert features.update_feature_view(name, "v1", refresh_freq="5 minutes").refresh_freq == "5 minutes"


def test_the_comment_of_a_static_view_is_updated(features: FeatureStore, static: FeatureView) -> None:
    assert features.update_feature_view(str(static.name), "v1", desc="told").desc == "told"


def test_overwriting_turns_views_into_tables_and_back(
    features: FeatureStore, static: FeatureView, customer: Entity, spent: Any
) -> None:
    from snowflake.ml.feature_store import FeatureView

    name = str(static.name)
    table = FeatureView(name, [customer], spent, timestamp_col="ORDERED_AT", refresh_freq="1 hour")
    assert features.register_feature_view(table, "v1", overwrite=True).status.value == "ACTIVE"
    assert features.get_feature_view(name, "v1").refresh_freq == "1 hour"
    back = FeatureView(name, [customer], spent, timestamp_col="ORDERED_AT")
    assert features.register_feature_view(back, "v1", overwrite=True).status.value == "STATIC"
    assert total(features, features.get_feature_view(name, "v1")) > 0


def test_deleting(features: FeatureStore, refreshed: FeatureView, static: FeatureView) -> None:
    for registered in (refreshed, static):
        features.delete_feature_view(str(registered.name), "v1")
        with pytest.raises(ValueError, match="Failed to find FeatureView"):
            features.get_feature_view(str(registered.name), "v1")


def test_snapshots_are_kept_by_a_task(
    features: FeatureStore, customer: Entity, spent: Any, session: Session, clock: ManualClock
) -> None:
    draft = view(
        customer,
        spent,
        timestamp_col="ORDERED_AT",
        refresh_freq="0 * * * * UTC",
        refresh_mode="FULL",
        append_only=True,
    )
    registered = features.register_feature_view(draft, "v1")
    snapshots = session.table(f'shop.features."{registered.name}$v1$SNAPSHOTS"')
    kept = snapshots.count()
    clock.advance(timedelta(hours=1))
    failed = "SELECT error_message FROM TABLE(shop.INFORMATION_SCHEMA.TASK_HISTORY(ERROR_ONLY => TRUE))"
    assert session.sql(failed).collect() == []
    assert snapshots.count() == kept + 5


# -- values


def test_values_are_those_of_the_spines_moment(
    features: FeatureStore, refreshed: FeatureView, static: FeatureView, spine: Any
) -> None:
    found = features.retrieve_feature_values(spine, [refreshed, static], spine_timestamp_col="AT").collect()
    totals = {row["CUSTOMER"]: row["TOTAL"] for row in found}
    assert totals == {1: None, 2: total(features, refreshed, 2)}
    assert all(row["N"] >= 20 for row in found)


def test_slices_prefixes_and_moments_of_features(
    features: FeatureStore, refreshed: FeatureView, spine: Any
) -> None:
    frame = features.retrieve_feature_values(
        spine,
        [refreshed.slice(["TOTAL"])],
        spine_timestamp_col="AT",
        include_feature_view_timestamp_col=True,
        auto_prefix=True,
    )
    prefix = f"{refreshed.name}_v1_"
    assert set(frame.to_pandas().columns) == {"CUSTOMER", "AT", f"{prefix}TOTAL", f"{prefix}ORDERED_AT"}


def test_a_spine_may_hold_its_moments_as_text(
    features: FeatureStore, refreshed: FeatureView, session: Session
) -> None:
    spine = session.create_dataframe([(2, "2026-05-01 00:00:00")], schema=["CUSTOMER", "AT"])
    (found,) = features.retrieve_feature_values(spine, [refreshed], spine_timestamp_col="AT").collect()
    assert found["TOTAL"] == total(features, refreshed, 2)


def test_a_training_set_is_kept_as_a_table(
    features: FeatureStore, refreshed: FeatureView, spine: Any, session: Session
) -> None:
    made = features.generate_training_set(
        spine, [refreshed], save_as=f"TRAINING_{refreshed.name}", spine_timestamp_col="AT"
    )
    kept = session.table(f"shop.features.TRAINING_{refreshed.name}")
    assert kept.to_pandas().equals(made.to_pandas())
    tag, table = "shop.features.SNOWML_FEATURE_STORE_OBJECT", f"shop.features.TRAINING_{refreshed.name}"
    (row,) = session.sql(f"SELECT SYSTEM$GET_TAG('{tag}', '{table}', 'TABLE')").collect()
    assert "TRAINING_DATA" in row[0]


def test_a_dataset_knows_its_feature_views(
    features: FeatureStore, refreshed: FeatureView, spine: Any
) -> None:
    dataset = features.generate_dataset(
        f"SET_{refreshed.name}",
        spine,
        [refreshed],
        version="v1",
        spine_timestamp_col="AT",
        spine_label_cols=["CUSTOMER"],
    )
    assert list(dataset.read.to_pandas().columns) == ["CUSTOMER", "AT", "TOTAL"]
    (loaded,) = features.load_feature_views_from_dataset(dataset)
    assert str(loaded.name) == str(refreshed.name)


def test_tiles_are_summed_over_their_windows(
    features: FeatureStore, customer: Entity, session: Session
) -> None:
    from snowflake.ml.feature_store import Feature

    frame = session.sql("SELECT customer, amount, ordered_at FROM shop.public.orders WHERE id < 100")
    draft = view(
        customer,
        frame,
        timestamp_col="ORDERED_AT",
        refresh_freq="1h",
        feature_granularity="1h",
        features=[
            Feature.sum("AMOUNT", "24h").alias("SUMMED"),
            Feature.count("AMOUNT", "24h").alias("COUNTED"),
            Feature.avg("AMOUNT", "24h").alias("AVERAGE"),
            Feature.min("AMOUNT", "24h").alias("LEAST"),
            Feature.max("AMOUNT", "24h").alias("MOST"),
        ],
    )
    tiled = features.register_feature_view(draft, "v1")
    spine = session.sql("SELECT 1 AS customer, '2026-01-04 23:30:00'::TIMESTAMP_NTZ AS at")
    made = features.generate_training_set(spine, [tiled], spine_timestamp_col="AT", join_method="cte")
    (found,) = made.collect()
    of_the_day = (
        "SELECT SUM(amount), COUNT(*), AVG(amount), MIN(amount), MAX(amount) FROM shop.public.orders"
        " WHERE id < 100 AND customer = 1"
        " AND ordered_at >= '2026-01-03 23:00:00' AND ordered_at < '2026-01-04 23:00:00'"
    )
    expected = tuple(session.sql(of_the_day).collect()[0])
    assert tuple(found[key] for key in ("SUMMED", "COUNTED", "AVERAGE", "LEAST", "MOST")) == expected


# -- access, and the online store


def test_roles_are_set_up(session: Session) -> None:
    from snowflake.ml.feature_store import setup_feature_store

    setup_feature_store(session, "SHOP", "SHARED", "features_wh", consumer_role="READERS")
    future = session.sql("SHOW FUTURE GRANTS IN SCHEMA shop.shared").collect()
    assert ("SELECT", "SHOP.SHARED.<DYNAMIC_TABLE>", "READERS") in {
        (row["privilege"], row["name"], row["grantee_name"]) for row in future
    }


def test_what_is_there_is_granted_at_once(
    features: FeatureStore, refreshed: FeatureView, session: Session
) -> None:
    for statement in (
        "CREATE ROLE IF NOT EXISTS analysts",
        "GRANT SELECT ON ALL DYNAMIC TABLES IN SCHEMA shop.features TO ROLE analysts",
    ):
        session.sql(statement).collect()
    granted = {row["name"] for row in session.sql("SHOW GRANTS TO ROLE analysts").collect()}
    assert f'SHOP.FEATURES."{refreshed.name}$v1"' in granted
    session.sql("REVOKE SELECT ON ALL DYNAMIC TABLES IN SCHEMA shop.features FROM ROLE analysts").collect()
    assert session.sql("SHOW GRANTS TO ROLE analysts").collect() == []


def test_the_online_store_is_refused_by_name(features: FeatureStore, customer: Entity, spent: Any) -> None:
    from snowflake.ml.feature_store.feature_view import OnlineConfig

    draft = view(customer, spent, refresh_freq="1 day", online_config=OnlineConfig(enable=True))
    with pytest.raises(Exception, match="ONLINE FEATURE TABLE"):
        features.register_feature_view(draft, "v1")
