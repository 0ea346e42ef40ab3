"""Policies in Python, read from their source: the functions with `@policy`. Nothing is imported or run."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.record import record
from sfml.base.source import Span
from sfml.policies.model import FunctionRule, Level, Policy, Severity, everywhere
from sfml.policies.yaml_policies import wrong_code

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

PARAMETERS = ("pipeline", "task", "plan")
_MODULE = "sfml.policies"
_HELP = 'write `@policy("ML101", severity="warning")` with literals: policies are listed without running them'
MAX_BYTES = 500_000
"""The largest file of policies that is read."""


@record
class PythonPolicies:
    """The policies of a module, and the findings about how they are registered."""

    policies: tuple[Policy, ...]
    findings: tuple[Diagnostic, ...]


def python_policies(text: str, file: str, module: str) -> PythonPolicies:
    """The policies of a file; `module` is its name as an import has it."""
    if len(text) > MAX_BYTES:
        return _refused(f"`{file}` is too large for a file of policies", Span.whole(file))
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), text.count("\n") + 1)
        return _refused(f"`{file}` is not valid Python: {error.msg}", Span.of(file, line, 1, line, 1))
    except ValueError as error:  # what newer Pythons call a syntax error
        return _refused(f"`{file}` is not valid Python: {error}", Span.whole(file))
    except (RecursionError, MemoryError):
        return _refused(f"`{file}` cannot be parsed: it is nested too deeply", Span.whole(file))
    names = _names_of_decorator(tree)
    lines = text.splitlines()
    policies: list[Policy] = []
    findings: list[Diagnostic] = []
    for node, is_inside in sorted(_functions(tree), key=lambda found: found[0].lineno):
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if _dotted(called) in names:
                read = _Registration(node, decorator, file, module, lines)
                findings.extend(read.problems(is_inside))
                if not has_errors(read.findings):
                    policies.append(read.policy())
    if policies and module.partition(".")[0] in sys.stdlib_module_names:
        return _refused(
            f"`{file}` is named like a module of Python, which it would hide",
            Span.whole(file),
            "rename the file",
        )
    return PythonPolicies(tuple(policies), tuple(findings))


def _refused(message: str, at: Span, help: str | None = None) -> PythonPolicies:
    return PythonPolicies((), (Diagnostic.error("SF530", message, at=at, help=help),))


def _names_of_decorator(tree: ast.Module) -> frozenset[str]:
    """The names under which the module has `sfml.policies.policy`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = alias.asname or alias.name
                if node.module == _MODULE and alias.name == "policy":
                    names.add(name)
                elif node.module == "sfml" and alias.name == "policies":
                    names.add(f"{name}.policy")
        elif isinstance(node, ast.Import):
            names |= {f"{alias.asname or alias.name}.policy" for alias in node.names if alias.name == _MODULE}
    return frozenset(names)


def _functions(tree: ast.Module) -> Iterator[tuple[_Function, bool]]:
    """Every function of the module, and whether it stands inside another function or a class."""
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, is_inside = todo.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield child, is_inside
            closes = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
            todo.append((child, is_inside or closes))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


class _Registration:
    """One decorated function: its decorator's arguments, its parameters, its docstring."""

    def __init__(
        self,
        function: _Function,
        decorator: ast.expr,
        file: str,
        module: str,
        lines: list[str],
    ) -> None:
        self.function = function
        self.file = file
        self.module = module
        self.lines = lines
        self.decorator = decorator
        self.findings: list[Diagnostic] = []
        self.code = ""
        self.severity: Severity = everywhere(Level.WARNING)
        self.help: str | None = None

    def problems(self, is_inside: bool) -> Iterator[Diagnostic]:
        """The findings about it; what is right is noted on the way."""
        self.findings = [*self._of_decorator(), *self._of_function()]
        if is_inside:
            help = "move it out of the function or class around it"
            self.findings.append(self._error("a policy stands at the top of its module", self.function, help))
        return iter(self.findings)

    def policy(self) -> Policy:
        title, what, why = _documented(ast.get_docstring(self.function))
        parameters = tuple(argument.arg for argument in self._arguments())
        return Policy(
            code=self.code,
            title=title or self.function.name.replace("_", " "),
            rule=FunctionRule(self.module, self.function.name, parameters),
            severity=self.severity,
            origin=self.file,
            span=self._span(self.decorator),
            what=what,
            why=why,
            help=self.help,
        )

    def _of_decorator(self) -> Iterator[Diagnostic]:
        if not isinstance(self.decorator, ast.Call):
            yield self._error("`@policy` has no code", self.decorator, _HELP)
            return
        given: dict[str, Any] = {}
        for name, node in self._given(self.decorator):
            if name not in ("code", "severity", "help"):
                yield self._error(f"`@policy` does not take `{name}`", node, _HELP)
                continue
            try:
                given[name] = ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                yield self._error(f"the {name} of a policy is not a literal", node, _HELP)
        if "code" in given:
            self.code = given["code"] if isinstance(given["code"], str) else ""
            problem = wrong_code(self.code)
            if problem is not None:
                yield self._error(problem, self.decorator)
        elif not any(name == "code" for name, _ in self._given(self.decorator)):
            yield self._error("`@policy` has no code", self.decorator, _HELP)
        if "severity" in given:
            severity = _severity(given["severity"])
            if severity is None:
                yield self._error(
                    "the severity of a policy is `error`, `warning` or `off`, or one of these by target",
                    self.decorator,
                )
            else:
                self.severity = severity
        if given.get("help") is not None:
            self.help = str(given["help"])

    @staticmethod
    def _given(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        for place, node in enumerate(call.args):
            yield ("code" if place == 0 else f"argument {place + 1}"), node
        for keyword in call.keywords:
            yield keyword.arg or "**", keyword.value

    def _of_function(self) -> Iterator[Diagnostic]:
        if isinstance(self.function, ast.AsyncFunctionDef):
            yield self._error("a policy is not `async`", self.function)
        arguments = self.function.args
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs or not self._arguments():
            yield self._error(f"a policy takes {_listed()} by name", self.function)
        for argument in self._arguments():
            if argument.arg not in PARAMETERS:
                message = f"a policy does not take `{argument.arg}`"
                yield self._error(message, argument, f"it takes {_listed()}, by these names")

    def _arguments(self) -> list[ast.arg]:
        return [*self.function.args.args, *self.function.args.kwonlyargs]

    def _error(self, message: str, node: ast.AST, help: str | None = None) -> Diagnostic:
        return Diagnostic.error("SF530", message, at=self._span(node), help=help)

    def _span(self, node: Any) -> Span:
        """The place of a node in characters; of a function, that of its name."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            line = node.lineno
            text = self.lines[line - 1] if line <= len(self.lines) else ""
            start = max(text.find(node.name), 0) + 1
            return Span.of(self.file, line, start, line, start + len(node.name))
        return Span.of(
            self.file,
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno,
            self._column(node.end_lineno, node.end_col_offset),
        )

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="replace")) + 1


def _listed() -> str:
    return "any of `pipeline`, `task` and `plan`"


def _severity(value: Any) -> Severity | None:
    levels = set(Level)
    if isinstance(value, str):
        return everywhere(Level(value)) if value in levels else None
    if (
        isinstance(value, Mapping)
        and value
        and all(
            isinstance(key, str) and isinstance(level, str) and level in levels
            for key, level in value.items()
        )
    ):
        return MappingProxyType({key: Level(level) for key, level in value.items()})
    return None


def _documented(docstring: str | None) -> tuple[str, str, str]:
    """Title, description and reason: the first paragraph, the others, and what follows `Why:`."""
    if not docstring:
        return "", "", ""
    first, _, rest = inspect.cleandoc(docstring).partition("\n\n")
    what, _, why = rest.partition("Why:")
    return " ".join(first.split()).rstrip("."), " ".join(what.split()), " ".join(why.split())
