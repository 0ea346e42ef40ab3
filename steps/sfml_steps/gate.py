"""Quality gates: a metric against its bounds, or against that of the version that serves."""

from __future__ import annotations

import logging
import math
from decimal import Decimal
from typing import Literal

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step
from sfml_steps.versions import Version, champion_of, versions_of


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
    _demand_number(value)
    if at_least is not None and not value >= at_least:
        ctx.logger.warning("%s is below the least allowed, %s", value, at_least)
        return "failed"
    if at_most is not None and not value <= at_most:
        ctx.logger.warning("%s is above the most allowed, %s", value, at_most)
        return "failed"
    ctx.logger.info("%s is within its bounds (at least %s, at most %s)", value, at_least, at_most)
    return "passed"


@step
def compare_with_champion(
    ctx: Context,
    value: float,
    model_name: str,
    metric: str,
    better: Literal["higher", "lower"] = "higher",
    least_gain: float = 0.0,
    without_champion: Literal["passed", "failed"] = "passed",
) -> Literal["passed", "failed"]:
    """Return `passed` when a candidate is better than the model's champion by at least a gain, and `failed` otherwise.

    The champion is the version with the alias `CHAMPION`, or else the default version, which scores; its metric is
    the one that was logged with it. In a spec: `outcomes: {passed: promote_model, failed: send_alert}`.

    - `value`: the candidate's metric, usually a reference: `${train_model.metrics.auc}`. NaN does not pass.
    - `model_name`: the model, as `promote_model` gets it.
    - `metric`: the name of the metric among those of the champion.
    - `better`: whether more of it is better, or, as with errors, less.
    - `least_gain`: how much better the candidate must be, included; at 0 an equal one passes, and below 0 one that is
      worse by that much. `value` and metric are subtracted as they are written, so 0.3 is better than 0.2 by 0.1.
    - `without_champion`: the outcome when the model has no version, or none that the role can see.

    A champion without this metric fails the task. Both values are those that training measured, each on its own rows
    that were held out; to measure both on the same rows, let a step score the champion, and compare by `check_metric`.
    """
    _demand_number(value)
    champion = champion_of(versions_of(ctx.session, model_name))
    if champion is None:
        ctx.logger.warning("%s has no version that can be seen here: %s", model_name, without_champion)
        return without_champion
    reference = metric_of(champion, metric, model_name)
    gain = gain_over(reference, value, better)
    passed = gain is not None and gain >= Decimal(str(least_gain))
    ctx.logger.log(
        logging.INFO if passed else logging.WARNING,
        "%s is %s, and %s with the champion %s: better by %s, at least %s is asked for",
        *(metric, value, reference, champion.name, "?" if gain is None else gain, least_gain),
    )
    return "passed" if passed else "failed"


def _demand_number(value: object) -> None:
    """Raise StepError for a metric that is no number: `true` would count as 1, and a text cannot be compared."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise StepError(
            f"the metric `value` is {value!r}, which is no number: let training return a number for it"
        )


def metric_of(champion: Version, metric: str, model_name: str) -> float:
    """Return a metric that was logged with a version; raise StepError without one, because nothing can be compared."""
    value = champion.metrics.get(metric)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        known = ", ".join(sorted(champion.metrics)) or "none"
        raise StepError(
            f"{champion.name}, the champion of {model_name}, was logged with no number `{metric}` (its metrics: "
            f"{known}): name one that it has, or promote a version that has it with `sfml models promote`"
        )
    return float(value)


def gain_over(reference: float, value: float, better: Literal["higher", "lower"]) -> Decimal | None:
    """Return how much better a value is than another one, in the digits as they are written; None for no number."""
    if not math.isfinite(value):
        return None
    difference = Decimal(str(value)) - Decimal(str(reference))
    return difference if better == "higher" else -difference
