"""Steps and models as plain functions: no Snowflake, milliseconds."""

import pytest

from churn.model import auc, fit, probability
from churn.training import check_model
from sfml_steps import Context


def test_a_model_learns_what_separates() -> None:
    rows = [{"CALLS": n / 10} for n in range(10)]
    left = [int(n >= 5) for n in range(10)]
    model = fit(rows, left)
    assert probability(model, {"CALLS": 0.9}) > 0.8 > 0.2 > probability(model, {"CALLS": 0.0})
    assert auc([probability(model, row) for row in rows], left) == 1.0


def test_equal_scores_are_chance() -> None:
    assert auc([0.3, 0.3], [0, 1]) == 0.5


@pytest.mark.parametrize(("auc", "outcome"), [(0.75, "score_customers"), (0.74, "report_weak_model")])
def test_the_threshold_decides(auc: float, outcome: str) -> None:
    assert check_model(Context.for_test(), auc, at_least=0.75) == outcome
