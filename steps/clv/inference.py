"""Predicts every customer's spend with a model version from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from sfml_steps import Context, StepError, step

if TYPE_CHECKING:
    from snowflake.snowpark import DataFrame

TABLE = "CLV_PREDICTIONS"


class Scoring(TypedDict):
    """The table of predictions, the version that made them, how many, and their sum.

    `summary` is shown with the run.
    """

    summary: str
    table: str
    model: str
    version: str
    customers: int
    predicted_spend: float


@step
def score_customers(
    ctx: Context, features: str, model_name: str, version: str, table: str = TABLE
) -> Scoring:
    """Replace the predictions by those of one model version, scored in the warehouse, a row a customer."""
    from snowflake.ml.registry import Registry
    from snowflake.snowpark import functions as f

    model = Registry(ctx.session).get_model(model_name).version(version)
    scored = model.run(ctx.session.table(features), function_name="predict")
    predictions(scored, model_name, version).write.mode("overwrite").save_as_table(table)
    written = ctx.session.table(table)
    # Of a column, COUNT leaves out what is empty.
    customers, total = written.agg(f.count("PREDICTED_SPEND"), f.sum("PREDICTED_SPEND")).collect()[0]
    expected = ctx.session.table(features).count()
    if customers != expected:
        raise StepError(f"{table} has {customers} predictions for the {expected} customers in {features}")
    ctx.logger.info("%s %s scored %s customers into %s", model_name, version, customers, table)
    return {
        "summary": f"{int(customers):,} customers scored into {table}",
        "table": table,
        "model": model_name,
        "version": version,
        "customers": int(customers),
        "predicted_spend": round(float(total), 2),
    }


def predictions(scored: DataFrame, model_name: str, version: str) -> DataFrame:
    """Customer, prediction and where it is from, out of what the registry adds to the features.

    The model's one output is its last column; its name is the registry's choice.
    """
    from snowflake.snowpark import functions as f
    from snowflake.snowpark.types import DoubleType

    return scored.select(
        "CUSTOMER_ID",
        f.col(scored.columns[-1]).cast(DoubleType()).alias("PREDICTED_SPEND"),
        f.lit(model_name).alias("MODEL_NAME"),
        f.lit(version).alias("MODEL_VERSION"),
        f.current_timestamp().alias("SCORED_AT"),
    )
