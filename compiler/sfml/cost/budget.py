"""Whether a pipeline stays within its budget: a rule over its estimate, at the budget's place in the spec."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic
from sfml.cost.amount import Amount
from sfml.cost.estimate import estimate
from sfml.graph.model import TaskGraph


def budget_findings(graph: TaskGraph) -> Iterator[Diagnostic]:
    """SF526 where the least that the pipeline costs is above its budget, SF527 where the most is, SF528 for no most."""
    budget = graph.budget
    if budget is None or graph.target.is_local:
        return
    costs = estimate([graph])
    most, credits = budget.credits_per_month, costs.credits
    of = f"the budget of {_number(most)} credits a month"
    at, path = budget.span, budget.path
    if credits.low > most:
        message = f"`{graph.pipeline}` costs {_words(credits)}, more than {of}"
        yield Diagnostic.error("SF526", message, at=at, path=path, help=_HELP)
    elif credits.high is None:
        message = f"whether `{graph.pipeline}` stays within {of} is unknown: {_words(credits)}"
        yield Diagnostic.warning("SF528", message, at=at, path=path, help=f"unknown is {costs.unknowns[0]}")
    elif credits.high > most:
        message = f"`{graph.pipeline}` may cost more than {of}: {_words(credits)}"
        yield Diagnostic.warning("SF527", message, at=at, path=path, help=_HELP)


_HELP = "`sfml cost` shows where the credits go; raise the budget if that is right"


def _words(credits: Amount) -> str:
    if credits.high is None:
        return f"{_number(credits.low)} credits or more"
    low, high = _number(credits.low), _number(credits.high)
    return f"{low} credits" if low == high else f"{low} to {high} credits"


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
