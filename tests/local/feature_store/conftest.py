"""A Feature Store on a local Snowflake of its own, with a table of orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sfml_local.core.clock import ManualClock
from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from snowflake.ml.feature_store import Entity, FeatureStore
    from snowflake.snowpark import Session

START = datetime(2026, 3, 1, tzinfo=UTC)
ORDERS = """
CREATE TABLE shop.public.orders AS
SELECT seq4() AS id, MOD(seq4(), 5) AS customer, seq4() * 1.5::FLOAT AS amount,
       DATEADD('hour', seq4(), '2026-01-01'::TIMESTAMP_NTZ) AS ordered_at
FROM TABLE(GENERATOR(ROWCOUNT => 100))
"""


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Session]:
    from snowflake.snowpark import Session

    with (
        LocalServer(tmp_path_factory.mktemp("features") / "account", clock=clock) as server,
        Session.builder.configs(server.connect_args()).create() as session,
    ):
        session.sql("CREATE DATABASE shop").collect()
        session.sql("USE SCHEMA shop.public").collect()
        session.sql(ORDERS).collect()
        # Nobody created it: what names an account's own warehouse runs here.
        session.use_warehouse("features_wh")
        yield session


@pytest.fixture(scope="module")
def features(session: Session) -> FeatureStore:
    from snowflake.ml.feature_store import CreationMode, FeatureStore

    return FeatureStore(
        session,
        "SHOP",
        "FEATURES",
        default_warehouse="features_wh",
        creation_mode=CreationMode.CREATE_IF_NOT_EXIST,
    )


@pytest.fixture(scope="module")
def customer(features: FeatureStore) -> Entity:
    from snowflake.ml.feature_store import Entity

    return features.register_entity(Entity("CUSTOMER", join_keys=["CUSTOMER"], desc="who buys"))


@pytest.fixture(scope="module")
def spent(session: Session) -> Any:
    """What each customer has spent, and when last."""
    return session.sql(
        "SELECT customer, SUM(amount) AS total, MAX(ordered_at) AS ordered_at FROM shop.public.orders GROUP BY customer"
    )


@pytest.fixture(scope="module")
def spine(session: Session) -> Any:
    """Two customers, each at a moment before or after what is known of them."""
    return session.sql(
        "SELECT column1 AS customer, column2::TIMESTAMP_NTZ AS at FROM VALUES (1, '2025-12-01'), (2, '2026-05-01')"
    )
