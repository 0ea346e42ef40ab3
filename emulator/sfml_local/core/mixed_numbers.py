"""Numbers of different types in one column: the branches of a choice, the sides of a UNION, the rows of VALUES.

The common type of NUMBERs has the places of the one with most of them, and no more than 38 digits. DuckDB prefers
digits to places: beside a DECIMAL(38, 0), 1.5 becomes 2. Only DuckDB knows the types, so a statement that may mix
numbers is planned first. If its plan takes places from a number, each value is cast to a type that DuckDB works out
from the types of all, once it binds the statement.

https://docs.snowflake.com/en/sql-reference/data-types-numeric
"""

from __future__ import annotations

import duckdb
from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.fast_trees import nodes_in
from sfml_local.core.hashed_stars import spread_stars
from sfml_local.core.mixed_choices import CHOICES, columns_of, may_mix, widen_choice
from sfml_local.core.mixed_queries import (
    is_recursive_union,
    query_of,
    union_may_mix,
    unpivot_rounds,
    value_of,
    widen_query,
    widen_union,
)
from sfml_local.core.rounding_plans import compares_rounded, rounds

ROUNDS = 4
"""A UNION inside a UNION may get a wider type, and widen the outer one."""

_CHANGES = (exp.Update, exp.Delete, exp.Merge)


def widened(tree: Expr, duck: duckdb.DuckDBPyConnection) -> Expr:
    """A statement for DuckDB in which no number loses decimal places beside another; itself if none would."""
    tree = spread_stars(tree, duck)
    if any(unpivot_rounds(one, duck) for one in tree.find_all(exp.Pivot) if one.unpivot):
        raise not_emulated("UNPIVOT of numbers with other places: cast its columns to one type")
    if not any(found := _mixtures(tree)):
        return tree
    if not (isinstance(tree, _CHANGES) or any(map(is_recursive_union, found[1])) or rounds(tree, duck)):
        return tree
    new = tree.copy()
    choices, unions, queries = _mixtures(new)
    for node in reversed(choices):
        widen_choice(node)
    for one in reversed(queries):
        widen_query(one)
    _widen_unions(unions, duck)
    if any(isinstance(value_of(one), exp.Tuple) for one in queries) and compares_rounded(new, duck):
        raise not_emulated("several columns IN (SELECT …) of numbers with other places")
    return new


def _widen_unions(unions: list[exp.SetOperation], duck: duckdb.DuckDBPyConnection) -> None:
    for _ in range(ROUNDS):
        widths = [widen_union(union, duck) for union in reversed(unions)]
        if not any(widths):
            return
    raise not_emulated("a recursive query whose numbers get more and more decimal places")


def _mixtures(tree: Expr) -> tuple[list[Expr], list[exp.SetOperation], list[Expr]]:
    """The choices, set operations, and SELECTs of IN, ANY and ALL that may mix numbers, outer ones first."""
    choices: list[Expr] = []
    unions: list[exp.SetOperation] = []
    queries: list[Expr] = []
    for node in nodes_in(tree):
        if isinstance(node, CHOICES):
            if any(map(may_mix, columns_of(node))):
                choices.append(node)
        elif isinstance(node, exp.SetOperation):
            if union_may_mix(node):
                unions.append(node)
        elif isinstance(node, exp.In | exp.Any | exp.All) and isinstance(query_of(node), exp.Query):
            queries.append(node)
    return choices, unions, queries
