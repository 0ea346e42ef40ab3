"""Trains a model of what customers will spend, and measures it on customers it has not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from sfml_steps import Context, StepError, step
from sfml_steps.registry import Candidate

if TYPE_CHECKING:
    import pandas
    import xgboost

INPUTS = ("FREQUENCY", "RECENCY", "MONETARY_VALUE", "GAP_MEAN", "GAP_STD", "GAP_LAST")
SAMPLE_ROWS = 20
SEED = 7

# Spend is zero for most and long-tailed for the rest, which is what Tweedie distributions are for. Chosen by
# five-fold cross-validation on the training customers. The constraints keep it sensible where data is thin:
# more purchases, a later last one and dearer ones never predict less.
PARAMETERS = {
    "objective": "reg:tweedie",
    "tweedie_variance_power": 1.5,
    "tree_method": "hist",
    "max_depth": 3,
    "eta": 0.08,
    "min_child_weight": 20,
    "max_bin": 64,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "monotone_constraints": "(1,-1,1,0,0,0)",
    "seed": SEED,
}
ROUNDS = 100


class Metrics(TypedDict):
    """How well predictions fit held-out customers: rank correlation, explained variance, absolute error."""

    spearman: float
    r2: float
    mae: float


class Ranking(TypedDict):
    """A naive way to rank customers."""

    spearman: float


class Guess(TypedDict):
    """A naive guess of each customer's spend."""

    mae: float


class Baselines(TypedDict):
    """What a model must beat on the same customers: ranking by the past, and the past scaled."""

    spend_so_far: Ranking
    number_of_purchases: Ranking
    scaled_spend_so_far: Guess


class Training(TypedDict):
    """A candidate for the registry and what is known about it; `summary` is shown with the run."""

    summary: str
    candidate: Candidate
    metrics: Metrics
    baselines: Baselines
    customers: dict[str, int]


@step
def train_model(ctx: Context, features: str, holdout: float = 0.2, threads: int = 2) -> Training:
    """Train on most customers, measure on the held-out share, and leave a candidate for promotion."""
    import xgboost

    columns = ["CUSTOMER_ID", *INPUTS, "SPEND", "PURCHASES", "TARGET"]
    # Sorted, because rows are drawn at random by their position.
    frame = ctx.session.table(features).select(*columns).to_pandas().sort_values("CUSTOMER_ID")
    held_out = frame["CUSTOMER_ID"].map(lambda customer: share_of(customer) < holdout).astype(bool)
    train, test = frame[~held_out], frame[held_out]
    if train.empty or test.empty:
        raise StepError(f"{features} has {len(frame)} customers, too few to hold out a share of {holdout}")
    model = fitted(train, threads)
    metrics = measured(test, model.predict(xgboost.DMatrix(test[list(INPUTS)])))
    baselines = naive(train, test)
    log_result(ctx, metrics, baselines, {"train": len(train), "test": len(test)})
    sample = train[list(INPUTS)].head(SAMPLE_ROWS).to_dict(orient="records")
    candidate: Candidate = {
        "model": ctx.write_file("model.ubj", bytes(model.save_raw("ubj"))),
        "format": "xgboost",
        "sample": ctx.write_file("sample.json", json.dumps(sample).encode()),
        "packages": [f"xgboost=={xgboost.__version__}"],
        "metrics": {
            "spearman": metrics["spearman"],
            "r2": metrics["r2"],
            "mae": metrics["mae"],
            "training_customers": float(len(train)),
        },
    }
    best = max(baselines["number_of_purchases"]["spearman"], baselines["spend_so_far"]["spearman"])
    return {
        "summary": f"spearman {metrics['spearman']:.3f} (baseline {best:.3f}) on {len(test):,} held-out customers",
        "candidate": candidate,
        "metrics": metrics,
        "baselines": baselines,
        "customers": {"train": len(train), "test": len(test)},
    }


def share_of(customer: Any) -> float:
    """A customer's fixed place between 0 and 1: the same in every run, on every machine and in any order."""
    digest = hashlib.sha256(f"clv:{int(customer)}".encode()).hexdigest()
    return int(digest[:8], 16) / 2**32


def fitted(train: pandas.DataFrame, threads: int = 2) -> xgboost.Booster:
    """The model of TARGET by INPUTS."""
    import xgboost

    data = xgboost.DMatrix(train[list(INPUTS)], label=train["TARGET"])
    return xgboost.train({**PARAMETERS, "nthread": threads}, data, num_boost_round=ROUNDS)


def measured(test: pandas.DataFrame, predicted: Any) -> Metrics:
    """The metrics of predictions for held-out customers."""
    actual = test["TARGET"].to_numpy()
    unexplained = float(((actual - predicted) ** 2).sum())
    variance = float(((actual - actual.mean()) ** 2).sum())
    return {
        "spearman": spearman(predicted, actual),
        "r2": rounded(1 - unexplained / variance if variance else 0.0),
        "mae": rounded(abs(actual - predicted).mean()),
    }


def naive(train: pandas.DataFrame, test: pandas.DataFrame) -> Baselines:
    """The baselines on held-out customers; the scale is that of the training customers.

    The absolute error is no measure by itself: as most customers spend nothing more, guessing nothing for
    everyone has less of it than any guess that ranks them.
    """
    spent = float(train["SPEND"].sum())
    scale = float(train["TARGET"].sum()) / spent if spent else 0.0
    return {
        "spend_so_far": {"spearman": spearman(test["SPEND"], test["TARGET"])},
        "number_of_purchases": {"spearman": spearman(test["PURCHASES"], test["TARGET"])},
        "scaled_spend_so_far": {"mae": rounded((test["SPEND"] * scale - test["TARGET"]).abs().mean())},
    }


def spearman(left: Any, right: Any) -> float:
    """The correlation of ranks, ties sharing theirs; 0 where one side is constant."""
    import pandas

    ranks = pandas.DataFrame({"left": list(left), "right": list(right)}).rank()
    if ranks["left"].nunique() < 2 or ranks["right"].nunique() < 2:
        return 0.0
    return rounded(ranks["left"].corr(ranks["right"]))


def rounded(value: Any) -> float:
    """To what a few thousand customers can tell, so that a sum's last digits make no difference."""
    return round(float(value), 4)


def log_result(ctx: Context, metrics: Metrics, baselines: Baselines, customers: Mapping[str, int]) -> None:
    ctx.logger.info("trained on %(train)s customers, measured on %(test)s others", customers)
    ctx.logger.info(
        "spearman %.3f (by purchases %.3f, by spend %.3f), r2 %.3f, mae %.2f (scaled spend %.2f)",
        metrics["spearman"],
        baselines["number_of_purchases"]["spearman"],
        baselines["spend_so_far"]["spearman"],
        metrics["r2"],
        metrics["mae"],
        baselines["scaled_spend_so_far"]["mae"],
    )
