"""A function definition → `StepFunction`."""

from __future__ import annotations

import ast

from sfml.catalog.annotations import FindModule, definition, last_name, literal_parts, shape_of
from sfml.catalog.model import Outcome, Parameter, StepFunction
from sfml.catalog.modules import Module
from sfml.source import Position, Span


def step_function(name: str, function: ast.FunctionDef, module: Module, find: FindModule) -> StepFunction:
    """The function as its source declares it; `name` is the one it is asked for by."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [
        *(None for _ in range(len(positional) - len(arguments.defaults))),
        *arguments.defaults,
    ]
    fillable = [*zip(positional, defaults, strict=True)][1:]
    fillable += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return StepFunction(
        name=name,
        module=module.name,
        span=_name_span(function, module),
        signature=f"def {function.name}({', '.join(argument.arg for argument in positional)})",
        docstring=ast.get_docstring(function),
        is_step=any(_is_step(decorator) for decorator in function.decorator_list),
        takes_context=bool(positional),
        parameters=tuple(
            Parameter(
                argument.arg,
                shape_of(argument.annotation, module, find),
                ast.unparse(argument.annotation) if argument.annotation is not None else None,
                default is None,
                module.span(argument),
            )
            for argument, default in fillable
        ),
        takes_any=arguments.kwarg is not None,
        outcomes=_outcomes(function.returns, module, find),
        returns=shape_of(function.returns, module, find) if function.returns is not None else None,
        returns_span=module.span(function.returns) if function.returns is not None else None,
    )


def _is_step(decorator: ast.expr) -> bool:
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) == "step"


def _name_span(function: ast.FunctionDef, module: Module) -> Span:
    """Where the function's name stands, after `def`."""
    start = module.span(function).start
    column = start.column + len("def ")
    return Span(module.file, Position(start.line, column), Position(start.line, column + len(function.name)))


def _outcomes(returns: ast.expr | None, module: Module, find: FindModule) -> tuple[Outcome, ...] | None:
    parts = literal_parts(returns)
    where = module
    if parts is None and isinstance(returns, ast.Name):  # an alias: `Verdict = Literal["good", "bad"]`
        found = definition(returns.id, module, find)
        if found is not None and isinstance(found[1], (ast.Assign, ast.AnnAssign)):
            where, parts = found[0], literal_parts(found[1].value)
    if parts is None:
        return None
    return tuple(Outcome(part.value, where.span(part)) for part in parts if isinstance(part.value, str))
