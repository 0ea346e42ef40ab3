"""Features of customers, kept in a Feature Store."""

from __future__ import annotations

from typing import TypedDict

from sfml_steps import Context, step

SPEND = """
SELECT CUSTOMER, COUNT(*) AS ORDERS, SUM(SPEND) AS SPEND,
       DATEDIFF('day', MAX(DAY), '2026-10-01'::DATE) AS LAST_DAYS, MAX(DAY)::TIMESTAMP_NTZ AS SEEN_AT
FROM {table} GROUP BY CUSTOMER
"""


class Features(TypedDict):
    """The table that the feature view is made of; `summary` is shown with the run."""

    summary: str
    table: str


@step
def compute_features(ctx: Context, orders: str, table: str, store: str) -> Features:
    """Sum up what each customer spent each day, and register the feature view unless it is there."""
    from snowflake.ml.feature_store import CreationMode, Entity, FeatureStore, FeatureView
    from snowflake.snowpark import functions as f

    session = ctx.session
    days = session.table(orders).group_by("CUSTOMER", "DAY").agg(f.sum("AMOUNT").alias("SPEND"))
    days.write.mode("overwrite").save_as_table(table)
    rows = session.table(table).count()
    database, schema = str(session.get_current_database()), str(session.get_current_schema())
    features = FeatureStore(
        session,
        database,
        store,
        default_warehouse=str(session.get_current_warehouse()),
        creation_mode=CreationMode.CREATE_IF_NOT_EXIST,
    )
    registered = {row["NAME"] for row in features.list_feature_views().collect()}
    if "SPEND" not in registered:
        customer = features.register_entity(Entity("CUSTOMER", join_keys=["CUSTOMER"]))
        spend = FeatureView(
            "SPEND",
            [customer],
            session.sql(SPEND.format(table=f"{database}.{schema}.{table}")),
            timestamp_col="SEEN_AT",
            refresh_freq="1 day",
        )
        features.register_feature_view(spend, "v1")
    return {"summary": f"{rows} days of customers", "table": table}
