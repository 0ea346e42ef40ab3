"""Finding the definition of a step: a decorated function, the result of a call, or an import from another module."""

from __future__ import annotations

import ast

from sfml.base.record import record
from sfml.catalog.annotations import FindModule, definition
from sfml.catalog.code_names import CodeNames, code_names
from sfml.catalog.defined import bindings_of
from sfml.catalog.modules import RUNTIME, Module

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_DECORATORS = frozenset({f"{RUNTIME}.step", f"{RUNTIME}.registration.step"})
_MAX_HOPS = 6


@record
class StepDefinition:
    """A callable that a name stands for; `function` is None where its source is not known.

    `at` is the statement that defines it, `arguments` a decorator `@step(…)` with arguments, and `lookalike` a
    decorator of the project that is named `step`.
    """

    module: Module
    at: ast.stmt
    function: Function | None
    is_step: bool
    arguments: ast.expr | None = None
    lookalike: ast.expr | None = None


def step_definition(name: str, module: Module, find: FindModule, hops: int = 0) -> StepDefinition | None:
    """The callable that a top-level name of a module stands for, by its last definition; None if there is none."""
    statements = bindings_of(module).get(name, ())
    if module.tree is None or hops > _MAX_HOPS:
        return None
    if statements and not isinstance(statements[-1], (ast.Import, ast.ImportFrom)):
        return _Reader(module, find, hops).defined(name, statements)
    return _imported(name, module, find, hops)


def _imported(name: str, module: Module, find: FindModule, hops: int) -> StepDefinition | None:
    stars: list[str] = []
    for imported in reversed(module.imports):
        for original, bound in imported.names:
            source = find(imported.module) if bound == name else None
            if source is not None:
                return step_definition(original, source, find, hops + 1)
            if original == "*":
                stars.append(imported.module)
    for star in stars:
        source = find(star)
        defined = step_definition(name, source, find, hops + 1) if source is not None else None
        if defined is not None:
            return defined
    return None


class _Reader:
    """Reads the definitions of one module."""

    def __init__(self, module: Module, find: FindModule, hops: int) -> None:
        assert module.tree is not None
        self.module = module
        self.tree = module.tree
        self.find = find
        self.hops = hops
        self.names: CodeNames = code_names(module.tree, module.name, module.is_package)

    def defined(self, name: str, statements: tuple[ast.stmt, ...]) -> StepDefinition | None:
        """The callable that the last of the statements defines; its value may refer to the earlier definitions."""
        match statements[-1]:
            case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
                called = next(
                    (decorator for decorator in function.decorator_list if self._has_arguments(decorator)),
                    None,
                )
                is_step = any(
                    self.is_step(decorator) for decorator in function.decorator_list
                ) or self._is_registered(name)
                other = next(
                    (decorator for decorator in function.decorator_list if self._looks_alike(decorator)), None
                )
                lookalike = other if not is_step else None
                is_step = is_step or other is not None
                return StepDefinition(self.module, function, function, is_step, called, lookalike)
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                defined = self._value(value, statements[-1], {name: statements[:-1]})
                if defined is not None and not defined.is_step and self._is_registered(name):
                    return StepDefinition(defined.module, defined.at, defined.function, True)
                return defined
            case _:
                return None

    def _value(
        self, value: ast.expr, at: ast.stmt, earlier: dict[str, tuple[ast.stmt, ...]]
    ) -> StepDefinition | None:
        match value:
            case ast.Lambda():
                return StepDefinition(self.module, at, value, False)
            case ast.Name(id=name):
                before = earlier.get(name)
                if before is not None:
                    return self.defined(name, before) if before else None
                return step_definition(name, self.module, self.find, self.hops + 1)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(owner, name)
            case ast.Call(func=function, args=[inner, *more], keywords=keywords):
                wrapped = self._value(inner, at, earlier)
                is_step = self.is_step(function) or (wrapped is not None and wrapped.is_step)
                if wrapped is None:
                    return StepDefinition(self.module, at, None, is_step) if is_step else None
                # `partial(f, 1)` has fewer parameters than `f`.
                known = wrapped.function if not more and not keywords else None
                return StepDefinition(wrapped.module, wrapped.at, known, is_step)
            case _:
                return None

    def _attribute(self, owner: ast.expr, name: str) -> StepDefinition | None:
        source = self.find(self.names.origin(owner))
        if source is not None:
            return step_definition(name, source, self.find, self.hops + 1)
        binding = definition(owner.id, self.module, self.find) if isinstance(owner, ast.Name) else None
        if binding is None or not isinstance(binding[1], ast.ClassDef):
            return None
        for part in reversed(binding[1].body):
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name == name:
                return StepDefinition(
                    binding[0], part, part, any(self.is_step(decorator) for decorator in part.decorator_list)
                )
        return None

    def _has_arguments(self, decorator: ast.expr) -> bool:
        """Whether the decorator is `@step(…)` with arguments, which it does not take."""
        if not isinstance(decorator, ast.Call) or not (decorator.args or decorator.keywords):
            return False
        origin = self.names.origin(decorator.func)
        return bool(origin) and means_step(origin, self.module, self.find)

    def _looks_alike(self, decorator: ast.expr) -> bool:
        """Whether a decorator named `step` is a function of the project."""
        if not (isinstance(decorator, ast.Name) and decorator.id == "step"):
            return False
        binding = definition("step", self.module, self.find)
        return binding is not None and isinstance(binding[1], ast.FunctionDef)

    def _is_registered(self, name: str) -> bool:
        """Whether the module registers the function by a call `step(name)` at its top level."""
        return any(
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and any(isinstance(arg, ast.Name) and arg.id == name for arg in statement.value.args)
            and self.is_step(statement.value.func)
            for statement in self.tree.body
        )

    def is_step(self, decorator: ast.expr) -> bool:
        """Whether a decorator is the runtime's `step`, under any name, or one of the project that applies it."""
        if isinstance(decorator, ast.Call):
            decorator = decorator.func
        origin = self.names.origin(decorator)
        if not origin or means_step(origin, self.module, self.find):
            return bool(origin)
        owner, _, name = origin.rpartition(".")
        source = self.find(owner) if owner else self.module
        binding = definition(name, source, self.find) if source is not None else None
        if binding is None or binding[0].tree is None:
            return False
        where, statement = binding
        names = code_names(binding[0].tree, where.name, where.is_package)
        inner = {
            names.origin(node) for node in ast.walk(statement) if isinstance(node, (ast.Name, ast.Attribute))
        }
        return any(means_step(one, where, self.find) for one in inner - {""})


def means_step(origin: str, module: Module, find: FindModule, hops: int = 0) -> bool:
    """Whether a dotted name in a module stands for the decorator `step` of the step runtime."""
    if origin in _DECORATORS:
        return True
    owner, _, name = origin.rpartition(".")
    source = find(owner) if owner else module
    binding = definition(name, source, find) if source is not None and hops < _MAX_HOPS else None
    if binding is None or binding[0].tree is None:
        return False
    where, statement = binding
    if where.name.partition(".")[0] == RUNTIME:
        return isinstance(statement, ast.FunctionDef) and statement.name == "step"
    if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Name, ast.Attribute)):
        alias = code_names(binding[0].tree, where.name, where.is_package).origin(statement.value)
        return alias != origin and means_step(alias, where, find, hops + 1)
    return False
