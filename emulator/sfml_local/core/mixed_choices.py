"""Branches of a choice, and rows of VALUES, that may be numbers of different types: each is cast to the common one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions.calls import EXAMPLE, call, known_type, raw_type
from sfml_local.core.expressions.common_type import places_of

MOST_REPEATED = 3000
"""In nodes: each branch of a choice repeats those whose type is unknown; larger choices go through texts."""

LEAVES = "leaves"
"""The key under which a value stores what its type depends on."""

CHOICES = (
    *(exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If, exp.Nvl2, exp.DecodeCase, exp.Lag, exp.Lead),
    exp.Values,
)
INTEGERS = frozenset({"INTEGER", "BIGINT", "HUGEINT", "INT", "SMALLINT", "TINYINT"})


def columns_of(node: Expr) -> Iterator[list[Expr]]:
    """The values that get one type."""
    if not isinstance(node, exp.Values):
        yield _valued(node)
    elif not isinstance(node.parent, exp.Insert):
        rows = [row.expressions for row in node.expressions if isinstance(row, exp.Tuple)]
        yield from ([*column] for column in zip(*rows, strict=False))


def _valued(node: Expr) -> list[Expr]:
    """The branches with a value: one that only refuses has none, and DuckDB would carry it out to know its type."""
    return [branch for branch in _branches(node) if isinstance(branch, Expr) and not _refuses(branch)]


def _refuses(branch: Expr) -> bool:
    return isinstance(branch, exp.Anonymous) and branch.name.upper() == "ERROR"


def _branches(node: Expr) -> list[Any]:
    match node:
        case exp.Case():
            return [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
        case exp.If():
            is_part = isinstance(node.parent, exp.Case) and node.arg_key == "ifs"
            return [] if is_part else [node.args.get("true"), node.args.get("false")]
        case exp.Nvl2():
            return [node.args.get("true"), node.args.get("false")]
        case exp.DecodeCase():
            _, *pairs = node.expressions
            return [*pairs[1::2], *pairs[-1:]] if len(pairs) % 2 else pairs[1::2]
        case exp.Lag() | exp.Lead():
            default = node.args.get("default")
            return [] if default is None else [node.this, default]
    return [node.this, *node.expressions]


def may_mix(values: Sequence[Expr]) -> bool:
    """Whether these values may be numbers of types that have none in common for DuckDB."""
    leaves = _all_leaves(values)
    unknown = sum(isinstance(leaf, Expr) for leaf in leaves)
    known = [leaf for leaf in leaves if isinstance(leaf, str)]
    decimals = [type for type in known if places_of(type) is not None]
    if any(type not in decimals and type not in INTEGERS for type in known):
        return False
    return unknown > 1 or (unknown == 1 and bool(decimals)) or len({*map(places_of, decimals)}) > 1


def _all_leaves(values: Sequence[Expr]) -> list[Expr | str]:
    """What the common type depends on; texts that are written down count only beside something else."""
    leaves = [leaf for value in values if not _is_text(value) for leaf in _leaves(value)]
    texts = [leaf for value in values if leaves and _is_text(value) for leaf in _leaves(value)]
    return [*dict.fromkeys([*leaves, *texts])]


def _is_text(value: Expr) -> bool:
    return isinstance(value, exp.Literal) and bool(value.is_string)


def _leaves(value: Expr) -> list[Expr | str]:
    """What a value's type depends on: DuckDB's names of types, and expressions whose type DuckDB will know."""
    if LEAVES in value.meta:
        leaves: list[Expr | str] = value.meta[LEAVES]
        return leaves
    if EXAMPLE in value.meta:
        return [value.meta[EXAMPLE]]
    if isinstance(value, exp.Null):
        return []
    if isinstance(value, exp.Paren | exp.Neg) and isinstance(value.this, exp.Literal | exp.Paren | exp.Neg):
        return _leaves(value.this)
    if isinstance(value, exp.Literal):
        return [*_literal_type(value)]
    if isinstance(value, CHOICES) and not isinstance(value, exp.Values | exp.Lag | exp.Lead):
        return _all_leaves(_valued(value))
    if isinstance(value, exp.Cast) and isinstance(value.to, exp.DataType):
        return [_name(value.to)]
    known = known_type(value)
    return [value] if known is None else [known]


def _literal_type(literal: exp.Literal) -> Iterator[str]:
    whole, point, places = literal.name.strip().removeprefix("-").partition(".")
    if (whole + places).isdigit() and (point or literal.is_string):
        yield f"DECIMAL({min(len(whole + places), 38)},{len(places)})"
    elif not literal.is_string:
        yield "INTEGER" if literal.name.isdigit() else "DOUBLE"


def _name(type: exp.DataType) -> str:
    name = str(type.args.get("kind")) if type.this == exp.DataType.Type.USERDEFINED else type.sql("duckdb")
    return name.upper().replace(" ", "")


def widen_choice(node: Expr) -> None:
    for values in columns_of(node):
        if not may_mix(values):
            continue
        leaves = _all_leaves(values)
        own = [value for value in values if not _is_plain(value)]
        size = sum(_size(leaf) for leaf in leaves if isinstance(leaf, Expr)) * len(own)
        if size > MOST_REPEATED:
            _widen_by_text(node, own, leaves)
        else:
            for value in own:
                value.replace(in_common_type(value.copy(), leaves))


def _is_plain(value: Expr) -> bool:
    """Whether DuckDB gives a value the type of the others without a loss."""
    if isinstance(value, exp.Paren | exp.Neg):
        return _is_plain(value.this)
    return isinstance(value, exp.Literal | exp.Null)


def _widen_by_text(node: Expr, values: Sequence[Expr], leaves: Sequence[Expr | str]) -> None:
    """A choice with many branches of unknown types: as texts, and its value in the common type."""
    if not isinstance(node, exp.Case | exp.Coalesce | exp.DecodeCase | exp.Nvl2 | exp.If):
        raise not_emulated(f"{node.key.upper()} of so many numbers of different types")
    for value in [*values]:
        value.replace(exp.Cast(this=value.copy(), to=raw_type("VARCHAR")))
    node.replace(in_common_type(node.copy(), leaves))


def in_common_type(value: Expr, leaves: Sequence[Expr | str]) -> Expr:
    """A value in the common type of these leaves, which DuckDB works out when it binds the statement."""
    found = call("cast_to_type", value, call("from_json", exp.Literal.string("null"), _common(leaves)))
    found.meta[LEAVES] = [*leaves]
    return found


def _common(leaves: Sequence[Expr | str]) -> Expr:
    examples = [_example(leaf) for leaf in leaves]
    types = [leaf if isinstance(leaf, str) else call("typeof", leaf) for leaf in leaves]
    return call("sf_common_type", call("typeof", call("coalesce", *examples)), *types)


def _example(leaf: Expr | str) -> Expr:
    return exp.Cast(this=exp.null(), to=raw_type(leaf)) if isinstance(leaf, str) else leaf


def _size(node: Expr) -> int:
    return sum(1 for _ in islice(node.walk(), MOST_REPEATED))
