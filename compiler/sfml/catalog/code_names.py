"""Resolving names and expressions of a module from its text alone: to dotted origins, and to constant texts."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable
from functools import lru_cache

from sfml.catalog.imports import absolute
from sfml.catalog.surroundings import nodes_of

MAX_TEXTS = 200
_MAX_DEPTH = 10


class CodeNames:
    """The names of one module: the imports that bind them, and the values that are assigned to them."""

    def __init__(self, tree: ast.Module, module: str, is_package: bool) -> None:
        self.module = module
        self.package = module if is_package else module.rpartition(".")[0]
        self.is_package = is_package
        self._tree = tree
        self._values: dict[str, list[ast.expr | None]] | None = None
        self._origins: dict[str, str] = {}
        for node, _ in nodes_of(tree, imports_only=True):
            self._note_import(node)

    def _note_import(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    self._origins[bound] = alias.name if alias.asname else bound
            case ast.ImportFrom(module=name, names=names, level=level):
                source = absolute(name, level, self.package)
                for alias in names:
                    if source is not None and alias.name != "*":
                        self._origins[alias.asname or alias.name] = f"{source}.{alias.name}"

    def _assigned_values(self, name: str) -> list[ast.expr | None]:
        """The expressions that are assigned to the name anywhere in the module, with None for unreadable ones."""
        if self._values is None:
            self._values = {}
            for node in ast.walk(self._tree):
                self._note(node, self._values)
        return self._values.get(name, [])

    def _note(self, node: ast.AST, values: dict[str, list[ast.expr | None]]) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        values.setdefault(target.id, []).append(value)
                    else:
                        _add_unknown(target, values)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                values.setdefault(name, []).append(value)
            case (
                ast.For(target=ast.Name(id=name), iter=iterated)
                | ast.AsyncFor(target=ast.Name(id=name), iter=iterated)
                | ast.comprehension(target=ast.Name(id=name), iter=iterated)
            ):
                values.setdefault(name, []).append(ast.Starred(iterated, ast.Load()))
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                _add_unknown(target, values)
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                values.setdefault(name, []).append(value)
            case ast.AugAssign(target=target):
                _add_unknown(target, values)
            case ast.arg(arg=name):
                values.setdefault(name, []).append(None)

    def origin(self, node: ast.expr) -> str:
        """The dotted name that an expression stands for, such as `importlib.import_module`; else an empty text."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join((self._origins.get(node.id, node.id), *reversed(parts)))

    def is_imported(self, name: str) -> bool:
        """Whether an import binds the name."""
        return name in self._origins

    def is_only_imported(self, name: str) -> bool:
        """Whether an import binds the name, and nothing else in the module does."""
        return name in self._origins and not self._assigned_values(name)

    def value(self, name: str) -> ast.expr | None:
        """The expression that is assigned to the name, if there is exactly one in the module; else None."""
        values = self._assigned_values(name)
        return values[0] if len(values) == 1 else None

    def texts(self, node: ast.expr | None, depth: int = 0) -> tuple[str, ...] | None:
        """All texts that an expression can have as its value; None when they are not known."""
        if node is None or depth > _MAX_DEPTH:
            return None

        def texts(inner: ast.expr | None) -> tuple[str, ...] | None:
            return self.texts(inner, depth + 1)

        match node:
            case ast.Constant(value=str() as text):
                return (text,)
            case ast.Name(id="__name__") | ast.Attribute(value=ast.Name(id="__spec__"), attr="name"):
                return (self.module,)
            case ast.Name(id="__package__") | ast.Attribute(value=ast.Name(id="__spec__"), attr="parent"):
                return (self.package,)
            case ast.Name(id=name):
                return texts(self.value(name))
            case ast.Starred(value=iterated):
                return self._loop_values(iterated, depth + 1)
            case ast.JoinedStr(values=parts):
                return _joined(
                    texts(part.value) if isinstance(part, ast.FormattedValue) else texts(part)
                    for part in parts
                )
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined((texts(left), texts(right)))
            case ast.IfExp(body=body, orelse=orelse):
                return _either((texts(body), texts(orelse)))
            case ast.Subscript(value=mapping) | ast.Call(func=ast.Attribute(value=mapping, attr="get")):
                return self._values_in(mapping, depth + 1)
            case _:
                return None

    def _literal(self, node: ast.expr) -> ast.expr | None:
        return self.value(node.id) if isinstance(node, ast.Name) else node

    def _values_in(self, node: ast.expr, depth: int) -> tuple[str, ...] | None:
        """All texts that are values of a mapping or elements of a list; None when they are not known."""
        match self._literal(node):
            case ast.Dict(values=values):
                return _either(self.texts(value, depth + 1) for value in values)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return _either(self.texts(element, depth + 1) for element in elements)
            case _:
                return None

    def _loop_values(self, node: ast.expr, depth: int) -> tuple[str, ...] | None:
        """All texts that a loop over the expression yields; None when they are not known."""
        match self._literal(node):
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                return _either(self.texts(element, depth + 1) for element in elements)
            case ast.Dict(keys=keys):
                return _either(self.texts(key, depth + 1) for key in keys)
            case ast.Call(func=ast.Attribute(value=mapping, attr="values")):
                return self._values_in(mapping, depth + 1)
            case ast.Call(func=ast.Attribute(value=mapping, attr="keys")):
                return self._loop_values(mapping, depth + 1)
            case ast.Call(func=ast.Name(id="sorted" | "list" | "tuple" | "set"), args=[inner]):
                return self._loop_values(inner, depth + 1)
            case _:
                return None


def _add_unknown(target: ast.expr, values: dict[str, list[ast.expr | None]]) -> None:
    """Add None, for a value that cannot be read, to every name in a target."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            values.setdefault(node.id, []).append(None)


@lru_cache(maxsize=32)
def code_names(tree: ast.Module, module: str, is_package: bool) -> CodeNames:
    """The names of a module, cached."""
    return CodeNames(tree, module, is_package)


def _joined(parts: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    texts: list[str] = [""]
    for part in parts:
        if part is None or len(texts) * len(part) > MAX_TEXTS:
            return None
        texts = ["".join(pair) for pair in itertools.product(texts, part)]
    return tuple(texts)


def _either(parts: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    texts: dict[str, None] = {}
    for part in parts:
        if part is None or len(texts) + len(part) > MAX_TEXTS:
            return None
        texts.update(dict.fromkeys(part))
    return tuple(texts)
