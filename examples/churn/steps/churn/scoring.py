"""Scores for every customer."""

from __future__ import annotations

from typing import TypedDict

from churn.model import probability
from churn.training import numbers
from sfml_steps import Context, step


class Scored(TypedDict):
    """The table of scores; `summary` is shown with the run."""

    summary: str
    table: str
    customers: int


@step
def score_customers(
    ctx: Context, features: str, model: dict[str, float], table: str = "CHURN_SCORES"
) -> Scored:
    """Replace the scores by those of this model."""
    rows = ctx.session.table(features).collect()
    scores = [(row["CUSTOMER_ID"], probability(model, numbers(row.as_dict()))) for row in rows]
    frame = ctx.session.create_dataframe(scores, schema=["CUSTOMER_ID", "PROBABILITY"])
    frame.write.mode("overwrite").save_as_table(table)
    return {"summary": f"{len(scores)} customers scored", "table": table, "customers": len(scores)}
