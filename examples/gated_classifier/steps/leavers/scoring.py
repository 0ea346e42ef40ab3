"""Scores customers with the version that serves."""

from __future__ import annotations

from typing import TypedDict

from leavers import INPUTS
from sfml_steps import Context, step


class Scored(TypedDict):
    """The table of scores; `summary` is shown with the run."""

    summary: str
    table: str


@step
def score_customers(ctx: Context, source: str, model_name: str, table: str) -> Scored:
    """Replace the scores by those of the model's default version."""
    from snowflake.ml.registry import Registry

    model = Registry(ctx.session).get_model(model_name).default
    rows = ctx.session.table(source).to_pandas()
    answered = model.run(rows[list(INPUTS)].fillna(0).astype(float), function_name="predict_proba")
    rows["PROBABILITY"] = answered.iloc[:, -1].to_numpy()
    scores = ctx.session.create_dataframe(rows[["CUSTOMER", "PROBABILITY"]])
    scores.write.mode("overwrite").save_as_table(table)
    return {"summary": f"{len(rows)} customers scored by {model.version_name}", "table": table}
