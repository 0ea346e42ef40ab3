"""A step function as its source declares it."""

from __future__ import annotations

from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog.shapes import ANYTHING, Shape


@record
class Parameter:
    """A parameter that `with:` may fill; `annotation` is as written."""

    name: str
    shape: Shape
    annotation: str | None
    is_required: bool
    span: Span


@record
class Outcome:
    """One value of a `Literal[…]` that the function returns."""

    name: str
    span: Span


@record
class StepFunction:
    """`parameters` leave out the first one (the context); `takes_any` tells of `**kwargs`.

    `outcomes` are set where the result is a `Literal` of texts; `returns` is None where the function says
    nothing about its result. `context` is the name of the first parameter, where a call could give it by that.
    `problem` says why a call gives no result; `decorator_arguments` is what `@step(…)` has in its parentheses,
    `lookalike` a decorator called `step` that is not the runtime's.
    """

    name: str
    module: str
    span: Span
    signature: str
    docstring: str | None
    is_step: bool
    takes_context: bool
    parameters: tuple[Parameter, ...]
    takes_any: bool
    outcomes: tuple[Outcome, ...] | None
    returns: Shape | None
    returns_span: Span | None
    context: str | None = None
    problem: str | None = None
    decorator_arguments: Span | None = None
    lookalike: Span | None = None

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)

    @property
    def result(self) -> Shape:
        return ANYTHING if self.returns is None else self.returns


@record
class SourceFile:
    """A file that travels with a step; `path` is posix, relative to its steps root: `clv/train.py`."""

    path: str
    content: bytes
