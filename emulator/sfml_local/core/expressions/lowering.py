"""Turns Snowflake's functions and casts, as left by `dialect`, into DuckDB's, from the inside out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.expressions import (
    comparisons,
    lowered_aggregates,
    lowered_conversions,
    lowered_dates,
    lowered_numbers,
    lowered_texts,
    lowered_variants,
    shown_values,
    statements,
)
from sfml_local.core.expressions.building import Builder
from sfml_local.core.expressions.calls import bound_parts, is_raw
from sfml_local.core.known_trees import contents
from sfml_local.core.rewriting import Rewriting

BUILDERS: dict[str, Builder] = {
    **lowered_conversions.BUILDERS,
    **lowered_variants.BUILDERS,
    **lowered_texts.BUILDERS,
    **lowered_dates.BUILDERS,
    **lowered_numbers.BUILDERS,
    **lowered_aggregates.BUILDERS,
}
OWN = frozenset(BUILDERS)
"""The functions whose calls stay as they are written until they are lowered."""


def lowered(tree: Expr, rewriting: Rewriting) -> Expr:
    """The statement with the functions of `OWN`, casts, and literals of arrays and objects in DuckDB's terms."""
    for node in reversed(contents(tree).nodes):
        new = _lowered(node, rewriting)
        if new is node:
            continue
        if node is tree:
            tree = new
        else:
            node.replace(new)
    return tree


REPEATED = (exp.Length, exp.Nullif, exp.BitmapBitPosition, exp.BitmapBucketNumber)
"""Functions that DuckDB, or sqlglot for it, writes with an argument in several places."""


def _lowered(node: Expr, rewriting: Rewriting) -> Expr:
    if isinstance(node, exp.Anonymous):
        builder = BUILDERS.get(str(node.this).upper())
        return (
            node
            if builder is None or isinstance(node.parent, exp.Dot)
            else builder(node.expressions, rewriting)
        )
    if isinstance(node, exp.Cast) and not is_raw(node.args.get("to")):
        return lowered_conversions.lowered_cast(node, rewriting)
    lower = _NODES.get(type(node))
    new = node if lower is None else lower(node, rewriting)
    is_repeated = isinstance(new, REPEATED) and any(part.find(*REPEATED) for part in new.iter_expressions())
    return bound_parts(new) if is_repeated else new


_NODES: Mapping[type[Expr], Callable[[Any, Rewriting], Expr]] = {
    exp.Array: lowered_variants.lowered_literal,
    exp.Struct: lowered_variants.lowered_literal,
    exp.Extract: lowered_dates.lowered_extract,
    exp.Add: lowered_dates.lowered_sum,
    exp.Sub: lowered_dates.lowered_sum,
    exp.Literal: lowered_numbers.lowered_literal,
    exp.Mod: lowered_numbers.lowered_remainder,
    exp.Cbrt: lowered_numbers.lowered_root,
    exp.Coalesce: comparisons.lowered_alternatives,
    exp.Case: comparisons.lowered_alternatives,
    exp.If: comparisons.lowered_alternatives,
    exp.In: comparisons.lowered_choice,
    exp.Between: comparisons.lowered_choice,
    **dict.fromkeys(comparisons.TEXTUAL, comparisons.lowered_pattern),
    exp.Like: comparisons.lowered_pattern,
    exp.ILike: comparisons.lowered_pattern,
    **dict.fromkeys(comparisons.SIDES, comparisons.lowered_comparison),
    exp.DPipe: shown_values.lowered_concatenation,
    exp.Concat: shown_values.lowered_concatenation,
    **lowered_dates.NODES,
    **statements.NODES,
    **lowered_aggregates.NODES,
}
