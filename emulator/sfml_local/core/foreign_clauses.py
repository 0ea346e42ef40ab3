"""Clauses of changes, of FETCH and of frames that sqlglot reads for other databases, and accounts refuse.

DuckDB would carry some of them out, and sqlglot leaves others out without an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting

_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


@looks_for(*_CHANGES, exp.Values, exp.Distinct, exp.SimilarTo, exp.Glob, exp.Fetch, exp.WindowSpec)
def foreign_clauses(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse what no account reads, and what its VALUES do not take."""
    if isinstance(tree, _CHANGES) and (word := next(_foreign(tree), None)) is not None:
        raise unexpected(word)
    for node in tree.find_all(exp.Values, exp.Distinct, exp.SimilarTo, exp.Glob):
        if isinstance(node, exp.Values):
            _demand_constants(node)
        elif not isinstance(node, exp.Distinct):
            raise unexpected("SIMILAR" if isinstance(node, exp.SimilarTo) else "GLOB")
        elif node.args.get("on") is not None:
            raise unexpected("ON")
    for part in tree.find_all(exp.Fetch, exp.WindowSpec):
        if (word := _of_rows(part)) is not None:
            raise unexpected(word)
    return tree


def _of_rows(part: Expr) -> str | None:
    """A word of FETCH that would be passed over, or of a frame that no account has."""
    if isinstance(part, exp.WindowSpec):
        if str(part.args.get("kind")).upper() == "GROUPS":
            return "GROUPS"
        return "EXCLUDE" if part.args.get("exclude") is not None else None
    options = part.args.get("limit_options")
    if options is None or not (options.args.get("percent") or options.args.get("with_ties")):
        return None
    return "PERCENT" if options.args.get("percent") else "WITH"


def unexpected(word: str) -> SqlError:
    """001003: a word where an account expects none."""
    return SqlError(f"SQL compilation error:\nsyntax error unexpected '{word}'.", 1003, "42000")


def _foreign(tree: Expr) -> Iterator[str]:
    """The words of such clauses."""
    for key, word in (("returning", "RETURNING"), ("conflict", "ON"), ("limit", "LIMIT"), ("order", "ORDER")):
        if tree.args.get(key) is not None:
            yield word
    if tree.args.get("with_") is not None:
        yield tree.key.upper()
    match tree:
        case exp.Insert() if tree.args.get("default"):
            yield "DEFAULT"
        case exp.Update() if any(_sets_several(one) for one in tree.expressions):
            yield "("
        case exp.Merge():
            for when in tree.args["whens"].expressions:
                yield from _of_branch(when)


def _sets_several(assignment: Expr) -> bool:
    return isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Tuple)


def _of_branch(when: exp.When) -> Iterator[str]:
    then = when.args["then"]
    if when.args.get("source"):
        yield "BY"
    if when.args["matched"] and isinstance(then, exp.Insert):
        yield "INSERT"
    if isinstance(then, exp.Expr) and then.args.get("where") is not None:
        yield "WHERE"


_COMPUTED = (exp.ParseJSON, exp.Struct, exp.Array)
_OF_VARIANTS = frozenset(
    {
        *("PARSE_JSON", "TRY_PARSE_JSON", "TO_VARIANT", "TO_OBJECT", "TO_ARRAY", "OBJECT_CONSTRUCT"),
        *("OBJECT_CONSTRUCT_KEEP_NULL", "ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT", "STRTOK_TO_ARRAY"),
    }
)


def _demand_constants(values: exp.Values) -> None:
    """Refuse semi-structured values in VALUES: an account computes them when it runs a statement, not before.

    https://docs.snowflake.com/en/sql-reference/constructs/values
    """
    for node in values.walk():
        is_call = isinstance(node, exp.Anonymous) and str(node.this).upper() in _OF_VARIANTS
        if (is_call or isinstance(node, _COMPUTED)) and node.find_ancestor(exp.Query, exp.Values) is values:
            words = f"Invalid expression [{node.sql(dialect='snowflake')}] in VALUES clause"
            raise SqlError(f"SQL compilation error:\n{words}", 2014, "22000")
