"""The decorator `@step`, which marks the functions that a spec may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])

_STEPS: dict[int, Callable[..., Any]] = {}
"""Id of a decorated function → the function; by id, because a callable need not be hashable."""
_BY_NAME: dict[tuple[str, str], Callable[..., Any]] = {}


@overload
def step(function: Function) -> Function: ...


@overload
def step() -> Callable[[Function], Function]: ...


def step(function: Function | None = None) -> Function | Callable[[Function], Function]:
    """Register a function as a step, and return it unchanged, so that it can be called and tested like any other.

    Its first parameter is a `Context` or a Snowpark `Session`; the others are filled from `with:` by name. It returns
    a value that JSON can hold, or `None`; the step of a branch returns one of its outcomes. It is an ordinary function
    at the top of a module, not `async` and not a generator. The decorator takes no arguments, can be imported under
    any name, and can be combined with other decorators, above or below it.

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
    if function is None:  # written as `@step()`
        return step
    _STEPS[id(function)] = function
    _BY_NAME[_name_of(function)] = function
    return function


def decorated(function: Callable[..., Any], module: str, name: str) -> Callable[..., Any] | None:
    """Return the decorated function that a name of a module stands for; None when it is not a step.

    A decorator above `@step` puts another function in its place, which has `__wrapped__`, or another name. A function
    that was defined again under the same name without `@step` is not a step.
    """
    seen: Any = function
    while seen is not None:
        if _STEPS.get(id(seen)) is seen:
            return _STEPS[id(seen)]
        seen = getattr(seen, "__wrapped__", None)
    return _BY_NAME.get((module, name)) if _name_of(function) != (module, name) else None


def _name_of(function: object) -> tuple[str, str]:
    return str(getattr(function, "__module__", "")), str(getattr(function, "__name__", ""))


def is_step(function: object) -> bool:
    """Return whether a function was decorated with `@step`."""
    return callable(function) and decorated(function, *_name_of(function)) is not None


def step_modules() -> set[str]:
    """Return the names of the modules that define a step and were imported so far."""
    return {_name_of(function)[0] for function in _STEPS.values()}
