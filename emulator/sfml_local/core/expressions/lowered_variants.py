"""Functions of VARIANT, ARRAY and OBJECT, as calls of the library: every array and object is JSON."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import as_text, call, cast, json, kind, with_kinds
from sfml_local.core.expressions.refusals import marked
from sfml_local.core.rewriting import Rewriting

ARRAYS = (
    *("ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT", "ARRAY_GENERATE_RANGE", "ARRAY_REPEAT", "ARRAY_APPEND"),
    *("ARRAY_PREPEND", "ARRAY_CAT", "ARRAY_COMPACT", "ARRAY_DISTINCT", "ARRAY_EXCEPT"),
    *("ARRAY_INTERSECTION", "ARRAY_FLATTEN", "ARRAY_INSERT", "ARRAY_REMOVE", "ARRAY_REMOVE_AT"),
    *("ARRAY_REVERSE", "ARRAY_SLICE", "ARRAY_SORT", "ARRAYS_ZIP", "TO_ARRAY"),
    *("SPLIT", "STRTOK_TO_ARRAY", "OBJECT_KEYS"),
)
OBJECTS = (
    *("OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL", "OBJECT_INSERT", "OBJECT_DELETE", "OBJECT_PICK"),
    *("ARRAYS_TO_OBJECT", "TO_OBJECT", "PARSE_URL", "PARSE_IP"),
)
VARIANTS = (
    *("ARRAY_MAX", "ARRAY_MIN", "GET", "GET_IGNORE_CASE", "GET_PATH"),
    *("STRIP_NULL_VALUE", "PARSE_JSON", "TRY_PARSE_JSON"),
)
OTHERS = (
    *("ARRAY_CONTAINS", "ARRAY_POSITION", "ARRAYS_OVERLAP", "ARRAY_SIZE", "ARRAY_TO_STRING"),
    *("CHECK_JSON", "TO_JSON"),
)

_KINDS = {
    "ARRAY": "ARRAY", "OBJECT": "OBJECT", "BOOLEAN": "BOOLEAN", "INTEGER": "INTEGER", "NULL_VALUE": "NULL_VALUE",
    "DECIMAL": "INTEGER,DECIMAL", "DOUBLE": "INTEGER,DECIMAL,DOUBLE", "REAL": "INTEGER,DECIMAL,DOUBLE",
    "VARCHAR": "VARCHAR", "CHAR": "VARCHAR",
}  # fmt: skip
_UNKEPT = ("BINARY", "DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")
"""Types that JSON cannot represent; such a value is a text in a VARIANT."""


def _library(name: str, *, is_json: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        if not arguments:
            return json(exp.Literal.string("{}" if name in OBJECTS else "[]"))
        made = call(f"sf_{name.lower()}", *with_kinds(arguments))
        return json(made) if is_json else made

    return build


def _object_construct(name: str) -> Builder:
    library = _library(name, is_json=True)

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        if len(arguments) % 2:
            raise not_emulated(f"{name} of {len(arguments)} arguments")
        return library(arguments, rewriting)

    return build


def _to_variant(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return json(call("sf_to_variant", *with_kinds(arguments)))


def _typeof(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """TYPEOF; a date that becomes a VARIANT in the same expression is still recognized."""
    (value,) = arguments
    inner = value.this.expressions[0] if _is_conversion(value) else None
    found: Expr = call("sf_typeof", *with_kinds([value]))
    if inner is None:
        return found
    names = {
        "DATE": "DATE",
        "TIME": "TIME",
        "TIMESTAMP": "TIMESTAMP_NTZ",
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_LTZ",
    }
    names["BLOB"] = "BINARY"
    ifs = [
        exp.If(
            this=exp.EQ(this=kind(inner), expression=exp.Literal.string(type)), true=exp.Literal.string(name)
        )
        for type, name in names.items()
    ]
    return exp.Case(ifs=ifs, default=found)


def _is_conversion(value: Expr) -> bool:
    """Whether the node is a lowered `x::VARIANT`."""
    return (
        isinstance(value, exp.Cast)
        and isinstance(value.this, exp.Anonymous)
        and value.this.name == "sf_to_variant"
    )


_SCALARS = (
    *("VARCHAR", "BIGINT", "HUGEINT", "INTEGER", "DOUBLE", "BOOLEAN"),
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "BLOB"),
)


def _of_variants_only(name: str, value: Expr, found: Expr) -> Expr:
    """A function that takes a VARIANT and refuses any other value, also one that could be converted."""
    type = kind(value)
    words = f"SQL compilation error:\nInvalid argument types for function '{name}'"
    refused = call("error", marked(1044, "42P13", words))
    if isinstance(type, exp.Literal):
        return refused if _is_scalar(type.name) else found
    listed = exp.In(this=type, expressions=[exp.Literal.string(one) for one in _SCALARS])
    decimal = call("starts_with", type.copy(), "DECIMAL")
    return exp.Case(ifs=[exp.If(this=exp.or_(listed, decimal), true=refused)], default=found)


def _is_scalar(type: str) -> bool:
    return type in _SCALARS or type.startswith("DECIMAL")


def _is_kind(word: str, names: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        found = call("sf_is_of", *with_kinds([arguments[0], exp.Literal.string(names)]))
        return _of_variants_only(f"IS_{word}", arguments[0], found)

    return build


def _never(arguments: Arguments, rewriting: Rewriting) -> Expr:
    raise not_emulated("IS_ and AS_ functions of dates, times and binaries in a VARIANT")


def _as_kind(word: str, names: str, type: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return _of_variants_only(f"AS_{word}", arguments[0], taken(arguments))

    def taken(arguments: Arguments) -> Expr:
        (value, *digits) = arguments
        if type == "JSON":
            return json(call("sf_as_of", *with_kinds([value, exp.Literal.string(names)])))
        if type == "VARCHAR":
            return call("sf_as_text", *with_kinds([value]))
        if type == "DOUBLE":
            return call("sf_real_number", *with_kinds([value]))
        if type == "BOOLEAN":
            found = json(call("sf_as_of", *with_kinds([value, exp.Literal.string(names)])))
            return cast(as_text(found), "BOOLEAN")
        written = [int(one.name) for one in digits] or [38, 0]
        return cast(
            call("sf_whole_number", *with_kinds([value])), f"DECIMAL({written[0]}, {(*written, 0)[1]})"
        )

    return build


def _array_literal(node: exp.Array) -> Expr:
    if not node.expressions:
        return json(exp.Literal.string("[]"))
    return json(call("sf_array_construct", *with_kinds(node.expressions)))


def _object_literal(node: exp.Struct) -> Expr | None:
    parts: list[Expr] = []
    if not node.expressions:
        return json(exp.Literal.string("{}"))
    for pair in node.expressions:
        if not isinstance(pair, exp.PropertyEQ):
            return None
        key = pair.this
        parts += [exp.Literal.string(key.name) if isinstance(key, exp.Identifier) else key, pair.expression]
    return json(call("sf_object_construct_keep_null", *with_kinds(parts)))


def lowered_literal(node: Expr, rewriting: Rewriting) -> Expr:
    """`[1, 'a']` and `{'a': 1}`, whose elements are of any types."""
    if isinstance(node, exp.Array):
        if any(isinstance(one, exp.Star | exp.Query) for one in node.expressions):
            return node
        return _array_literal(node)
    return _object_literal(node) or node if isinstance(node, exp.Struct) else node


def _builders() -> Iterator[tuple[str, Builder]]:
    for name in (*ARRAYS, *OBJECTS, *VARIANTS):
        yield name, _library(name, is_json=True)
    for name in OTHERS:
        yield name, _library(name, is_json=False)
    for name in ("OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL"):
        yield name, _object_construct(name)
    yield "ARRAY_POSITION", _library("ARRAY_POSITION", is_json=False)
    yield "TO_VARIANT", _to_variant
    yield "TYPEOF", _typeof
    for word, names in _KINDS.items():
        yield f"IS_{word}", _is_kind(word, names)
    for word in _UNKEPT:
        yield f"IS_{word}", _never
        yield f"AS_{word}", _never
    for word, type in (
        *(
            ("ARRAY", "JSON"),
            ("OBJECT", "JSON"),
            ("VARCHAR", "VARCHAR"),
            ("CHAR", "VARCHAR"),
            ("BOOLEAN", "BOOLEAN"),
        ),
        *(
            ("DOUBLE", "DOUBLE"),
            ("REAL", "DOUBLE"),
            ("INTEGER", "NUMBER"),
            ("DECIMAL", "NUMBER"),
            ("NUMBER", "NUMBER"),
        ),
    ):
        names = _KINDS.get(word, "INTEGER,DECIMAL")
        yield f"AS_{word}", _as_kind(word, names, type)


BUILDERS = dict(_builders())
