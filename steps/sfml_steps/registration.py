"""`@step`: marks the functions that a spec may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_STEPS: set[Callable[..., Any]] = set()


def step(function: Function) -> Function:
    """Register a function as a step and return it as it is, callable and testable like any other.

    Its first parameter is a `Context` or a Snowpark `Session`; the others are filled from `with:` by name.
    What it returns must be JSON (or `None`), and for a branch one of its outcomes.

    >>> from sfml_steps import Context, StepError, step
    >>> @step
    ... def count_churned(ctx: Context, churned: int, customers: int) -> dict[str, object]:
    ...     if customers == 0:
    ...         raise StepError("there are no customers: load some before this task runs")
    ...     share = churned / customers
    ...     ctx.logger.info("%d of %d customers churned", churned, customers)
    ...     return {"summary": f"{share:.0%} churned", "share": share}
    >>> count_churned(Context.for_test(), churned=3, customers=12)
    {'summary': '25% churned', 'share': 0.25}
    """
    _STEPS.add(function)
    return function


def is_step(function: object) -> bool:
    """Whether a function was decorated with `@step`."""
    return callable(function) and function in _STEPS


def step_modules() -> set[str]:
    """Names of the modules that define a step, of those imported so far."""
    return {str(function.__module__) for function in _STEPS}
