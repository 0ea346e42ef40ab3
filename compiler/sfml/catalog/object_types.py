"""Annotations of types whose values JSON never gives, such as `datetime.date` or a dataclass."""

from __future__ import annotations

import ast

from sfml.catalog.annotations import FindModule, definition, last_name
from sfml.catalog.code_names import code_names
from sfml.catalog.modules import Module

_KNOWN = frozenset(
    (
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta"),
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "pathlib.Path", "pathlib.PurePath"),
        *("pathlib.PurePosixPath", "collections.OrderedDict", "collections.Counter", "collections.deque"),
        *("pandas.DataFrame", "pandas.Series", "pandas.Timestamp", "numpy.ndarray"),
        *("bytes", "bytearray", "set", "frozenset", "typing.Set", "typing.FrozenSet"),
    )
)
_HOLDING_ITEMS = frozenset(("list", "List", "Sequence", "Iterable", "Collection"))
_HOLDING_VALUES = frozenset(("dict", "Dict", "Mapping"))
_AS_JSON = frozenset(("str", "int", "float", "bool", "dict", "list", "StrEnum", "IntEnum", "TypedDict"))
"""Base classes whose values behave as what JSON gives, or are that."""
_ENUMERATIONS = frozenset(("Enum", "Flag"))
_MAX_DEPTH = 8


def object_type(
    annotation: ast.expr | None, module: Module, find: FindModule, depth: int = 0
) -> tuple[str, str] | None:
    """The type of which no value is read from JSON, as `date`, and what makes one of it, as `date.fromisoformat({})`.

    None where JSON can give such a value, or where that is not known. Of a union, every part has to be such a type.
    """
    if annotation is None or depth > _MAX_DEPTH:
        return None

    def inner(part: ast.expr) -> tuple[str, str] | None:
        return object_type(part, module, find, depth + 1)

    match annotation:
        case ast.Constant(value=str() as text):
            try:
                return inner(ast.parse(text, mode="eval").body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _of_all([left, right], module, find, depth)
        case ast.Subscript(value=origin, slice=arguments):
            parts = arguments.elts if isinstance(arguments, ast.Tuple) else [arguments]
            name = last_name(origin)
            if name in ("Optional", "Union"):
                return _of_all(parts, module, find, depth)
            if name in _HOLDING_ITEMS or (name in _HOLDING_VALUES and len(parts) == 2):
                return _of_item(inner(parts[-1]))
            return inner(parts[0]) if name == "Annotated" else inner(origin)
        case ast.Name() | ast.Attribute():
            return _of_name(annotation, module, find, depth)
        case _:
            return None


def _of_item(item: tuple[str, str] | None) -> tuple[str, str] | None:
    return None if item is None else (item[0], item[1].replace("{}", "item"))


def _of_all(parts: list[ast.expr], module: Module, find: FindModule, depth: int) -> tuple[str, str] | None:
    some = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
    types = [object_type(part, module, find, depth + 1) for part in some]
    return types[0] if types and None not in types else None


def _of_name(
    node: ast.Name | ast.Attribute, module: Module, find: FindModule, depth: int
) -> tuple[str, str] | None:
    if module.tree is None:
        return None
    defined = definition(node.id, module, find) if isinstance(node, ast.Name) else None
    match defined:
        case where, ast.ClassDef() as statement:
            return _of_class(statement, where, find)
        case where, (ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value)):
            return object_type(value, where, find, depth + 1)
    origin = code_names(module.tree, module.name, module.is_package).origin(node)
    name = last_name(node)
    return (name, _maker(name)) if origin in _KNOWN else None


def _maker(name: str) -> str:
    return f"{name}.fromisoformat({{}})" if name in ("date", "datetime", "time") else f"{name}({{}})"


def _of_class(statement: ast.ClassDef, module: Module, find: FindModule) -> tuple[str, str] | None:
    """For a class of the project: dataclasses, named tuples, enumerations and models of pydantic."""
    bases = _bases(statement, module, find)
    if bases & _AS_JSON:
        return None
    decorators = {
        last_name(one.func if isinstance(one, ast.Call) else one) for one in statement.decorator_list
    }
    if bases & _ENUMERATIONS:
        return statement.name, f"{statement.name}({{}})"
    if "dataclass" in decorators or bases & {"NamedTuple", "BaseModel"}:
        return statement.name, f"{statement.name}(**{{}})"
    return None


def _bases(statement: ast.ClassDef, module: Module, find: FindModule, hops: int = 0) -> set[str]:
    """The names of all base classes, as far as they are in step code."""
    names: set[str] = set()
    for base in statement.bases:
        names.add(last_name(base))
        defined = definition(base.id, module, find) if isinstance(base, ast.Name) and hops < 5 else None
        if defined is not None and isinstance(defined[1], ast.ClassDef):
            names |= _bases(defined[1], defined[0], find, hops + 1)
    return names
