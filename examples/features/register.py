"""Makes the tables and the feature view that the pipeline reads: what a project has already, or another one makes.

Run it with the variables of `sfml local connection --format env`.
"""

import os

from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView
from snowflake.snowpark import Session

STATEMENTS = (
    "CREATE DATABASE IF NOT EXISTS shop",
    "USE SCHEMA shop.public",
    """CREATE OR REPLACE TABLE orders AS
       SELECT MOD(seq4(), 10) AS customer, seq4() * 2 AS amount,
              DATEADD('hour', seq4(), '2026-01-01'::TIMESTAMP_NTZ) AS ordered_at
       FROM TABLE(GENERATOR(ROWCOUNT => 200))""",
    """CREATE OR REPLACE TABLE leavers AS
       SELECT seq4() AS customer, '2026-02-01'::TIMESTAMP_NTZ AS at, MOD(seq4(), 3) = 0 AS has_left
       FROM TABLE(GENERATOR(ROWCOUNT => 10))""",
)
SPENT = "SELECT customer, SUM(amount) AS total, MAX(ordered_at) AS ordered_at FROM shop.public.orders GROUP BY customer"


def main(session: Session) -> None:
    """Make the tables, and register the feature view unless it is there."""
    for statement in STATEMENTS:
        session.sql(statement).collect()
    warehouse = session.get_current_warehouse()
    store = FeatureStore(
        session, "SHOP", "FEATURES", warehouse, creation_mode=CreationMode.CREATE_IF_NOT_EXIST
    )
    customer = store.register_entity(Entity("CUSTOMER", join_keys=["CUSTOMER"]))
    spent = FeatureView(
        "SPENT", [customer], session.sql(SPENT), timestamp_col="ORDERED_AT", refresh_freq="1 day"
    )
    store.register_feature_view(spent, "v1")


if __name__ == "__main__":
    keys = ("host", "port", "protocol", "account", "user", "password", "warehouse")
    options = {key: value for key in keys if (value := os.environ.get(f"SNOWFLAKE_{key.upper()}"))}
    with Session.builder.configs(options).create() as session:
        main(session)
