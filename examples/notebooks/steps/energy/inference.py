"""Batch inference with the version that serves."""

from __future__ import annotations

from typing import TypedDict

from sfml_steps import Context, step


class Forecast(TypedDict):
    """The table of predictions; `summary` is shown with the run."""

    summary: str
    table: str


@step
def predict(ctx: Context, model_name: str, table: str) -> Forecast:
    """Predict the use at each whole degree, with the model's default version."""
    from snowflake.ml.registry import Registry

    model = Registry(ctx.session).get_model(model_name).default
    degrees = ctx.session.create_dataframe([(float(one),) for one in range(-5, 36)], schema=["DEGREES"])
    model.run(degrees, function_name="predict").write.mode("overwrite").save_as_table(table)
    rows = ctx.session.table(table).count()
    return {"summary": f"{rows} predictions", "table": table}
