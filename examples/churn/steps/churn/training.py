"""From customers to a model that may be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from churn.model import auc, fit, probability
from sfml_steps import Context, StepError, step

FEATURES = ("TENURE", "CALLS", "LATE")


class Prepared(TypedDict):
    """The table of features, a row a customer; `summary` is shown with the run."""

    summary: str
    table: str


class Trained(TypedDict):
    """The weights, and how well they order customers that training did not see."""

    summary: str
    model: dict[str, float]
    auc: float


@step
def prepare_customers(ctx: Context, source: str, table: str = "CHURN_FEATURES") -> Prepared:
    """Write features between 0 and 1; every fourth customer is kept from training."""
    customers = ctx.session.table(source).count()
    if not customers:
        raise StepError(f"table {source} has no customers")
    ctx.session.sql(
        f"CREATE OR REPLACE TABLE {table} AS SELECT CUSTOMER_ID,"
        " LEAST(TENURE_MONTHS, 60) / 60 AS TENURE, LEAST(SUPPORT_CALLS, 10) / 10 AS CALLS,"
        " LEAST(LATE_PAYMENTS, 5) / 5 AS LATE, CHURNED, CUSTOMER_ID % 4 = 0 AS HELD_OUT"
        f" FROM {source}"
    ).collect()
    return {"summary": f"{customers} customers", "table": table}


@step
def train_model(ctx: Context, features: str) -> Trained:
    """Fit the model to three quarters of the customers, and measure it on the others."""
    rows = [row.as_dict() for row in ctx.session.table(features).collect()]
    seen = [row for row in rows if not row["HELD_OUT"]]
    unseen = [row for row in rows if row["HELD_OUT"]]
    model = fit([numbers(row) for row in seen], [row["CHURNED"] for row in seen])
    measured = auc([probability(model, numbers(row)) for row in unseen], [row["CHURNED"] for row in unseen])
    return {"summary": f"AUC {measured:.3f}", "model": dict(model), "auc": measured}


def numbers(row: Mapping[str, object]) -> dict[str, float]:
    """The features of a row as the model takes them."""
    return {name: float(str(row[name])) for name in FEATURES}


@step
def check_model(ctx: Context, auc: float, at_least: float) -> Literal["score_customers", "report_weak_model"]:
    """Only a model that reaches the threshold gives scores."""
    return "score_customers" if auc >= at_least else "report_weak_model"
