"""Arguments of aggregates and text functions whose type an account does not take, and DuckDB does.

DuckDB sums truth values, and to it an array or object is a text. Only arguments whose type is certain are refused:
columns of a table, conditions, and functions that answer arrays or objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.fast_trees import nodes_in
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting
from sfml_local.services.variants import column_types, query_columns

_SEMI_STRUCTURED = frozenset({"ARRAY", "OBJECT"})
_BYTES = _SEMI_STRUCTURED | {"BINARY"}
_OF_NUMBERS = _BYTES | {"BOOLEAN"}
_REFUSED: Mapping[type[Expr], frozenset[str]] = {
    **dict.fromkeys((exp.Sum, exp.Avg), _OF_NUMBERS),
    **dict.fromkeys((exp.Upper, exp.Lower), _BYTES),
    **dict.fromkeys(
        (exp.Length, exp.Reverse, exp.Substring, exp.Replace, exp.Left, exp.Right), _SEMI_STRUCTURED
    ),
    **dict.fromkeys(
        (exp.Contains, exp.StartsWith, exp.EndsWith, exp.Concat, exp.GroupConcat), _SEMI_STRUCTURED
    ),
}
"""Function → the types that its first argument cannot have."""
_CALLED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("TRIM", "LTRIM", "RTRIM", "INITCAP"), _BYTES),
    **dict.fromkeys(("LPAD", "RPAD"), _SEMI_STRUCTURED),
    **dict.fromkeys(("SPLIT", "SPLIT_PART", "REGEXP_COUNT", "REGEXP_REPLACE", "REGEXP_SUBSTR"), _BYTES),
}
"""The same of functions whose calls stay as they are written."""


@looks_for(*_REFUSED, exp.Anonymous)
def refused_arguments(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse a call whose first argument is of a type that its function does not take."""
    for node in nodes_in(tree):
        refused = _CALLED.get(_name(node)) if type(node) is exp.Anonymous else _REFUSED.get(type(node))
        if refused is not None:
            _check(node, refused, rewriting)
    return tree


def _check(node: Expr, refused: frozenset[str], rewriting: Rewriting) -> None:
    arguments = list(_arguments(node))
    type_ = _type_of(arguments[0], rewriting) if arguments else None
    if type_ is None or type_.partition("(")[0] not in refused:
        return
    types = [type_, *(_type_of(one, rewriting) or "VARCHAR(16777216)" for one in arguments[1:])]
    name = _name(node)
    if name == "LENGTH" and name not in (rewriting.written or name).upper():
        name = "LEN"  # sqlglot takes both for one
    words = f"Invalid argument types for function '{name}': ({', '.join(types)})"
    raise SqlError(f"SQL compilation error:\n{words}", 1044, "42P13")


_NAMES: Mapping[type[Expr], str] = {
    exp.Substring: "SUBSTR",
    exp.GroupConcat: "LISTAGG",
    exp.StartsWith: "STARTSWITH",
    exp.EndsWith: "ENDSWITH",
}


def _name(node: Expr) -> str:
    return (
        str(node.this).upper()
        if isinstance(node, exp.Anonymous)
        else _NAMES.get(type(node), node.key.upper())
    )


def _arguments(node: Expr) -> Iterator[Expr]:
    for argument in node.iter_expressions():
        argument = argument.this if isinstance(argument, exp.Order) else argument
        yield from argument.expressions if isinstance(argument, exp.Distinct) else (argument,)


def _type_of(value: Expr, rewriting: Rewriting) -> str | None:
    if isinstance(value, exp.Column):
        return column_types.of_selected(value, rewriting)
    if (kind := query_columns.kind_of_call(value)) is not None:
        return kind.upper()
    return column_types.of_form(value)
