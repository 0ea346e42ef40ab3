"""A quality gate for any metric."""

from __future__ import annotations

from typing import Literal

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step


@step
def check_metric(
    ctx: Context, value: float, at_least: float | None = None, at_most: float | None = None
) -> Literal["passed", "failed"]:
    """Return `passed` when a metric lies within its bounds, which are included, and `failed` otherwise.

    In a spec: `outcomes: {passed: promote_model, failed: send_alert}`.

    - `value`: the metric, usually a reference: `${train_model.metrics.auc}`. NaN does not pass.
    - `at_least`, `at_most`: the bounds, of which at least one must be given.

    >>> from sfml_steps.gate import check_metric
    >>> check_metric(Context.for_test(), value=0.71, at_least=0.7)
    'passed'
    """
    if at_least is None and at_most is None:
        raise StepError("check_metric needs `at_least`, `at_most` or both in `with:`")
    if at_least is not None and not value >= at_least:
        ctx.logger.warning("%s is below the least allowed, %s", value, at_least)
        return "failed"
    if at_most is not None and not value <= at_most:
        ctx.logger.warning("%s is above the most allowed, %s", value, at_most)
        return "failed"
    ctx.logger.info("%s is within its bounds (at least %s, at most %s)", value, at_least, at_most)
    return "passed"
