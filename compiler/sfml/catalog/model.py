"""Step functions as their source declares them."""

from __future__ import annotations

from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog.shapes import ANYTHING, Shape


@record
class Parameter:
    """A parameter that `with:` may fill; `annotation` is its text in the source.

    `object_type` is set if its values are never read from JSON: the type, and the call that makes one of a value.
    """

    name: str
    shape: Shape
    annotation: str | None
    is_required: bool
    span: Span
    object_type: tuple[str, str] | None = None


@record
class Outcome:
    """One value of a `Literal[…]` that the function returns."""

    name: str
    span: Span


@record
class ResultRead:
    """A place where a step reads the result of the task `task` through its context: `ctx.result("task")`."""

    task: str
    span: Span
    is_conditional: bool


@record
class StepFunction:
    """A step function. `parameters` leaves out the first one, the context; `takes_any` means `**kwargs`.

    `outcomes` is set if the return annotation is a `Literal` of texts; `returns` is None without an annotation.
    `context` is the name of the first parameter, if a call can pass it by name. `problem` says why a call has no
    result that a task can return. `decorator_arguments` is the span of the arguments in `@step(…)`; `lookalike` is the
    span of a decorator named `step` that is not the one of the step runtime.
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
    results_read: tuple[ResultRead, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)

    @property
    def result(self) -> Shape:
        return ANYTHING if self.returns is None else self.returns


@record
class SourceFile:
    """A file that travels with a step; `path` is a posix path relative to its steps root: `clv/train.py`."""

    path: str
    content: bytes
