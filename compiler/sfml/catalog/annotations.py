"""Annotations → shapes; names are followed through the module and its imports from other step code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache

from sfml.catalog.defined import bindings_of, stars_of
from sfml.catalog.modules import Module
from sfml.catalog.shapes import ANYTHING, NOTHING, ListOf, Literals, MapOf, Primitive, Record, Shape, any_of

FindModule = Callable[[str], Module | None]

_PRIMITIVES = frozenset(("str", "int", "float", "bool", "None"))
_LISTS = frozenset(
    ("list", "List", "tuple", "Tuple", "Sequence", "Iterable", "Collection", "set", "frozenset")
)
_MAPS = frozenset(("dict", "Dict", "Mapping", "MutableMapping"))
_WRAPPERS = frozenset(("Annotated", "Required", "NotRequired", "ReadOnly", "Final", "ClassVar"))
_MAX_DEPTH = 12


def shape_of(annotation: ast.expr | None, module: Module, find: FindModule, depth: int = 0) -> Shape:
    """The shape of an annotation; `ANYTHING` for one that cannot be read."""
    if annotation is None or depth > _MAX_DEPTH:
        return ANYTHING
    match annotation:
        case ast.Constant(value=None):
            return NOTHING
        case ast.Constant(value=str() as text):  # a forward reference
            try:
                return shape_of(ast.parse(text, mode="eval").body, module, find, depth + 1)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return ANYTHING
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return any_of((shape_of(left, module, find, depth + 1), shape_of(right, module, find, depth + 1)))
        case ast.Subscript(value=origin, slice=arguments):
            return _generic_shape(last_name(origin), arguments, module, find, depth)
        case ast.Name() | ast.Attribute():
            return _shape_of_name(annotation, module, find, depth)
        case _:
            return ANYTHING


def last_name(node: ast.expr) -> str:
    """`Literal` of `Literal` and of `typing.Literal`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def literal_parts(annotation: ast.expr | None) -> tuple[ast.Constant, ...] | None:
    """The constants of a `Literal[…]`; None for everything else."""
    if not (isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Literal"):
        return None
    parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    return tuple(part for part in parts if isinstance(part, ast.Constant))


def _generic_shape(origin: str, arguments: ast.expr, module: Module, find: FindModule, depth: int) -> Shape:
    parts = arguments.elts if isinstance(arguments, ast.Tuple) else [arguments]

    def inner(index: int) -> Shape:
        return shape_of(parts[index], module, find, depth + 1) if index < len(parts) else ANYTHING

    if origin == "Literal":
        values = (part.value for part in parts if isinstance(part, ast.Constant))
        return Literals(
            tuple(value for value in values if value is None or isinstance(value, (str, int, bool)))
        )
    if origin == "Optional":
        return any_of((inner(0), NOTHING))
    if origin == "Union":
        return any_of(tuple(inner(index) for index in range(len(parts))))
    if origin in _LISTS:
        return ListOf(inner(0) if origin not in ("tuple", "Tuple") or len(parts) <= 2 else ANYTHING)
    if origin in _MAPS:
        return MapOf(inner(1))
    if origin in _WRAPPERS:
        return inner(0)
    return ANYTHING


def _shape_of_name(node: ast.Name | ast.Attribute, module: Module, find: FindModule, depth: int) -> Shape:
    name = last_name(node)
    if name in _PRIMITIVES:
        return Primitive(name)
    if name in _LISTS:
        return ListOf(ANYTHING)
    if name in _MAPS:
        return MapOf(ANYTHING)
    return ANYTHING if isinstance(node, ast.Attribute) else _shape_of_definition(name, module, find, depth)


@lru_cache(maxsize=512)  # types that name each other many times would take exponential time
def _shape_of_definition(name: str, module: Module, find: FindModule, depth: int) -> Shape:
    binding = definition(name, module, find) if depth <= _MAX_DEPTH else None
    if binding is None:
        return ANYTHING
    where, statement = binding
    match statement:
        case ast.ClassDef() if _is_record(statement):
            return _record_shape(statement, where, find, depth)
        case ast.Assign(value=value):
            return shape_of(value, where, find, depth + 1)
        case ast.AnnAssign(value=ast.expr() as value):
            return shape_of(value, where, find, depth + 1)
        case _:
            return ANYTHING


def definition(name: str, module: Module, find: FindModule, hops: int = 0) -> tuple[Module, ast.stmt] | None:
    """The statement that defines a top-level name, and its module; imports of other step code are followed."""
    if module.tree is None or hops > 5:
        return None
    bindings = bindings_of(module)
    for statement in reversed(bindings.get(name, ())):
        if not isinstance(statement, (ast.ImportFrom, ast.Import)):
            return module, statement
        break
    for imported in module.imports:
        for original, bound in imported.names:
            if bound == name:
                source = find(imported.module)
                return definition(original, source, find, hops + 1) if source is not None else None
    for star in stars_of(module):
        source = find(star)
        binding = definition(name, source, find, hops + 1) if source is not None else None
        if binding is not None:
            return binding
    return None


def _is_record(statement: ast.ClassDef) -> bool:
    bases = {last_name(base) for base in statement.bases}
    decorators = {
        last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        for decorator in statement.decorator_list
    }
    return (
        bool(bases & {"TypedDict", "NamedTuple"}) or "dataclass" in decorators or _has_only_fields(statement)
    )


def _has_only_fields(statement: ast.ClassDef) -> bool:
    """Whether the class has base classes and its body holds only annotated names and a docstring."""
    return bool(statement.bases) and all(
        isinstance(part, ast.AnnAssign)
        or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        or isinstance(part, ast.Pass)
        for part in statement.body
    )


def _record_shape(statement: ast.ClassDef, module: Module, find: FindModule, depth: int) -> Shape:
    fields: dict[str, Shape] = {}
    optional: set[str] = set()
    absent: set[str] = set()
    for base in statement.bases:
        if last_name(base) in ("TypedDict", "NamedTuple", "object", "Protocol", "Generic"):
            continue
        inherited = _shape_of_name(base, module, find, depth + 1) if isinstance(base, ast.Name) else ANYTHING
        if not isinstance(inherited, Record):
            return ANYTHING  # more fields may come from a class that cannot be read
        fields.update(inherited.fields)
        optional |= inherited.optional
        absent |= inherited.absent
    own: set[str] = set()
    for part in statement.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            fields[part.target.id] = shape_of(part.annotation, module, find, depth + 1)
            wrapper = last_name(getattr(part.annotation, "value", part.annotation))
            if part.value is not None or wrapper == "NotRequired":
                optional.add(part.target.id)
            if wrapper == "NotRequired":
                absent.add(part.target.id)
            if wrapper != "Required":
                own.add(part.target.id)
    if any(_is_partial(keyword) for keyword in statement.keywords):
        # `total=False` applies to the fields of this class, not to inherited ones.
        optional |= own
        absent |= own
    return Record(statement.name, _Fields(fields), frozenset(optional), frozenset(absent))


def _is_partial(keyword: ast.keyword) -> bool:
    return keyword.arg == "total" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False


class _Fields(dict[str, Shape]):
    """A hashable dictionary of fields, so that records can be put into sets."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


__all__ = ["FindModule", "definition", "last_name", "literal_parts", "shape_of"]
