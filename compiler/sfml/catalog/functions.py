"""A function definition → `StepFunction`."""

from __future__ import annotations

import ast

from sfml.base.source import Position, Span
from sfml.catalog.annotations import FindModule, definition, literal_parts, shape_of
from sfml.catalog.model import Outcome, Parameter, ResultRead, StepFunction
from sfml.catalog.modules import Module
from sfml.catalog.object_types import object_type
from sfml.catalog.step_definitions import Function, StepDefinition
from sfml.catalog.surroundings import nodes_of


def step_function(name: str, defined: StepDefinition, find: FindModule) -> StepFunction:
    """The step function of a definition; `name` is the dotted name in the spec."""
    module, function = defined.module, defined.function
    if function is None:  # a call makes the function, so its parameters are not known
        return _unread(name, defined)
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [
        *(None for _ in range(len(positional) - len(arguments.defaults))),
        *arguments.defaults,
    ]
    fillable = [*zip(positional, defaults, strict=True)][1:]
    fillable += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    returns = None if isinstance(function, ast.Lambda) else function.returns
    return StepFunction(
        name=name,
        module=module.name,
        span=_name_span(defined),
        signature=f"def {name.rpartition('.')[2]}({', '.join(argument.arg for argument in positional)})",
        docstring=None if isinstance(function, ast.Lambda) else ast.get_docstring(function),
        is_step=defined.is_step,
        takes_context=bool(positional) or arguments.vararg is not None,
        context=arguments.args[0].arg if arguments.args and not arguments.posonlyargs else None,
        parameters=tuple(
            Parameter(
                argument.arg,
                shape_of(argument.annotation, module, find),
                ast.unparse(argument.annotation) if argument.annotation is not None else None,
                default is None,
                module.span(argument),
                object_type(argument.annotation, module, find),
            )
            for argument, default in fillable
        ),
        takes_any=arguments.kwarg is not None,
        outcomes=_outcomes(returns, module, find),
        returns=shape_of(returns, module, find) if returns is not None else None,
        returns_span=module.span(returns) if returns is not None else None,
        problem=_problem(function),
        lookalike=module.span(defined.lookalike) if defined.lookalike is not None else None,
        decorator_arguments=module.span(defined.arguments) if defined.arguments is not None else None,
        results_read=_results_read(function, module),
    )


def _results_read(function: Function, module: Module) -> tuple[ResultRead, ...]:
    """The results that a top-level function reads through its context, by names that stand in its text."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    if (
        module.tree is None
        or isinstance(function, ast.Lambda)
        or not arguments
        or b".result(" not in module.content
    ):
        return ()
    reads = []
    for node, around in nodes_of(module.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=context), attr="result"),
                args=[ast.Constant(value=str() as task)],
            ) if around.owner == function.name and context == arguments[0].arg:
                conditional = around.is_conditional or bool(around.caught)
                reads.append(ResultRead(task, module.span(node), conditional))
    return tuple(reads)


def _unread(name: str, defined: StepDefinition) -> StepFunction:
    return StepFunction(
        name=name,
        module=defined.module.name,
        span=defined.module.span(defined.at),
        signature=f"def {name.rpartition('.')[2]}(…)",
        docstring=None,
        is_step=defined.is_step,
        takes_context=True,
        context=None,
        parameters=(),
        takes_any=True,
        outcomes=None,
        returns=None,
        returns_span=None,
    )


def _problem(function: Function) -> str | None:
    """Why a call of the function has no result that a task can return, as a predicate; None when it has one."""
    if isinstance(function, ast.AsyncFunctionDef):
        return "is an `async` function"
    todo: list[ast.AST] = [*ast.iter_child_nodes(function)]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return "is a generator: it yields"
        if not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)
        ):
            todo.extend(ast.iter_child_nodes(node))
    return None


def _name_span(defined: StepDefinition) -> Span:
    """The span of the function's name after `def`; for a function that is made by a call, that of its statement."""
    module, function = defined.module, defined.function
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return module.span(defined.at)
    start = module.span(function).start
    words = "async def " if isinstance(function, ast.AsyncFunctionDef) else "def "
    column = start.column + len(words)
    return Span(module.file, Position(start.line, column), Position(start.line, column + len(function.name)))


def _outcomes(returns: ast.expr | None, module: Module, find: FindModule) -> tuple[Outcome, ...] | None:
    parts = literal_parts(returns)
    where = module
    if parts is None and isinstance(returns, ast.Name):  # an alias: `Verdict = Literal["good", "bad"]`
        alias = definition(returns.id, module, find)
        if alias is not None and isinstance(alias[1], (ast.Assign, ast.AnnAssign)):
            where, parts = alias[0], literal_parts(alias[1].value)
    if parts is None:
        return None
    return tuple(Outcome(part.value, where.span(part)) for part in parts if isinstance(part.value, str))
