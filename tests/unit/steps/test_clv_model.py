"""Training on made-up customers, and the gate's decisions."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clv.gate import check_model_quality, shortfalls
from clv.train import INPUTS, naive, share_of, spearman, train_model
from sfml_steps import Context, StepError
from sfml_steps.models import loaded
from sfml_steps.results import result_text

if TYPE_CHECKING:
    import pandas
    from snowflake.snowpark import Session

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("xgboost"), reason="XGBoost is not installed")


def made_up(customers: int = 1500) -> pandas.DataFrame:
    """Customers whose later spend follows from how often and how dearly they came back."""
    import numpy

    random = numpy.random.default_rng(3)
    frequency = random.poisson(1.0, customers).astype(float)
    active = frequency > 0
    value = numpy.where(active, random.gamma(4, 10, customers), 0)
    recency = numpy.where(active, random.integers(0, 182, customers), 182).astype(float)
    gap = numpy.where(active, random.integers(1, 182, customers), 182).astype(float)
    spend = 20 + frequency * value
    target = frequency * value * (1 - recency / 182) * random.gamma(8, 1 / 8, customers)
    return pandas.DataFrame(
        {
            "CUSTOMER_ID": range(1, customers + 1),
            "FREQUENCY": frequency,
            "RECENCY": recency,
            "MONETARY_VALUE": value,
            "GAP_MEAN": gap,
            "GAP_STD": 0.0,
            "GAP_LAST": gap,
            "SPEND": spend,
            "PURCHASES": frequency + 1,
            "TARGET": target,
        }
    )


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    from snowflake.snowpark import Session

    with Session.builder.config("local_testing", True).create() as session:
        frame = made_up()
        session.create_dataframe(frame).write.save_as_table("F")
        session.create_dataframe(frame.sample(frac=1, random_state=1)).write.save_as_table("SHUFFLED")
        session.create_dataframe(frame.head(1)).write.save_as_table("ONE")
        yield session


def test_training_leaves_a_candidate_that_beats_the_baselines(session: Session, tmp_path: Path) -> None:
    import xgboost

    ctx = Context.for_test(session=session, pipeline="clv", task="train_model", run_id="r1")
    result = train_model(ctx, "F")
    assert result["customers"]["train"] + result["customers"]["test"] == 1500
    assert 0.15 < result["customers"]["test"] / 1500 < 0.25
    assert shortfalls(result["metrics"], result["baselines"], 0.5) == []
    assert result_text(result, "train") is not None

    candidate = result["candidate"]
    assert candidate["model"] == "@SFML/clv/runs/r1/train_model/model.ubj"
    booster = loaded(ctx.read_file(candidate["model"]), candidate["format"], tmp_path)
    sample = pandas.DataFrame(json.loads(ctx.read_file(candidate["sample"])))
    assert list(sample.columns) == list(INPUTS)
    assert (booster.predict(xgboost.DMatrix(sample)) > 0).all()


def test_training_depends_on_neither_order_nor_threads(session: Session) -> None:
    ctx = Context.for_test(session=session)
    first = ctx.read_file(train_model(ctx, "F", threads=1)["candidate"]["model"])
    second = ctx.read_file(train_model(ctx, "SHUFFLED", threads=2)["candidate"]["model"])
    assert first == second


def test_too_few_customers_are_a_sentence(session: Session) -> None:
    with pytest.raises(StepError, match="ONE has 1 customers, too few"):
        train_model(Context.for_test(session=session), "ONE")


def test_a_customer_always_falls_on_the_same_side() -> None:
    assert [round(share_of(customer), 6) for customer in (1, 2, 3)] == [0.456186, 0.692418, 0.135932]
    assert share_of(1.0) == share_of(1)


def test_ranks_share_ties() -> None:
    assert spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1)
    assert spearman([3, 2, 1], [10, 20, 30]) == pytest.approx(-1)
    # ranks 1.5, 1.5, 3 against 1, 2, 3
    assert spearman([0, 0, 1], [1, 2, 3]) == pytest.approx(math.sqrt(3) / 2, abs=1e-4)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0


def test_the_scale_of_spending_comes_from_training_customers_alone() -> None:
    train = pandas.DataFrame({"SPEND": [10.0, 30.0], "PURCHASES": [1, 2], "TARGET": [0.0, 20.0]})
    test = pandas.DataFrame({"SPEND": [10.0, 20.0], "PURCHASES": [2, 1], "TARGET": [1.0, 12.0]})
    found = naive(train, test)
    assert found["scaled_spend_so_far"]["mae"] == pytest.approx((4 + 2) / 2)
    assert found["spend_so_far"]["spearman"] == pytest.approx(1)
    assert found["number_of_purchases"]["spearman"] == pytest.approx(-1)


BASELINES = {
    "spend_so_far": {"spearman": 0.39},
    "number_of_purchases": {"spearman": 0.47},
    "scaled_spend_so_far": {"mae": 37.8},
}


@pytest.mark.parametrize(
    ("metrics", "at_least", "reasons"),
    [
        ({"spearman": 0.49, "mae": 34.4}, 0.4, []),
        ({"spearman": 0.49, "mae": 34.4}, 0.49, []),
        ({"spearman": 0.49, "mae": 34.4}, 0.99, ["spearman 0.490 is below the threshold 0.99"]),
        (
            {"spearman": 0.47, "mae": 34.4},
            0.4,
            ["spearman 0.470 does not beat number of purchases with 0.470"],
        ),
        ({"spearman": 0.49, "mae": 37.8}, 0.4, ["mae 37.800 does not beat scaled spend so far with 37.800"]),
        ({"spearman": math.nan, "mae": math.nan}, 0.4, ["below", "spend so far", "purchases", "scaled"]),
        ({"spearman": 0.3, "mae": 99}, 0.4, ["below", "spend so far", "purchases", "scaled"]),
    ],
)
def test_the_gate_wants_the_threshold_and_every_baseline_beaten(
    metrics: dict[str, float], at_least: float, reasons: list[str]
) -> None:
    found = shortfalls(metrics, BASELINES, at_least)
    assert len(found) == len(reasons)
    assert all(expected in reason for expected, reason in zip(reasons, found, strict=True))
    outcome: Any = check_model_quality(Context.for_test(), metrics, BASELINES, at_least)
    assert outcome == ("send_alert" if reasons else "promote_model")
