"""Whether a query can be refreshed incrementally, and why not.

https://docs.snowflake.com/en/user-guide/dynamic-tables-limitations
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from sfml_local.core.expressions.dialect import parse_one
from sfml_local.grammar.model_calls import respelled

_CLOCK = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Localtimestamp, exp.Localtime)
_CHANGING = (
    *_CLOCK,
    *(exp.Rand, exp.Randn, exp.Uuid),
    *(exp.CurrentUser, exp.CurrentRole, exp.CurrentSession),
)
_CHANGING_NAMES = frozenset(
    {
        *("RANDOM", "RANDSTR", "UNIFORM", "NORMAL", "ZIPF", "UUID_STRING", "SEQ1", "SEQ2", "SEQ4", "SEQ8"),
        *("SYSDATE", "SYSTIMESTAMP", "GETDATE", "LOCALTIMESTAMP"),
    }
)
_RANKS = frozenset({"PERCENT_RANK", "PERCENTRANK", "CUME_DIST", "CUMEDIST", "NTILE"})


def reason_against(query: str) -> str | None:
    """Why the query cannot be refreshed incrementally; None if it can."""
    try:
        tree = parse_one(respelled(query))
    except (SqlglotError, ValueError):
        return None
    return next((reason for rule in RULES for reason in rule(tree)), None)


def _told(what: str) -> str:
    return f"Change tracking is not supported on queries with {what}."


def _set_operations(tree: Expr) -> Iterator[str]:
    for node in tree.find_all(exp.Except, exp.Intersect):
        yield _told(f"the '{node.key.upper()}' set operator")


def _limits(tree: Expr) -> Iterator[str]:
    if next(tree.find_all(exp.Limit, exp.Fetch, exp.Offset), None) is not None:
        yield _told("LIMIT")


def _pivots(tree: Expr) -> Iterator[str]:
    for pivot in tree.find_all(exp.Pivot):
        yield _told("UNPIVOT" if pivot.args.get("unpivot") else "PIVOT")


def _samples(tree: Expr) -> Iterator[str]:
    if next(tree.find_all(exp.TableSample), None) is not None:
        yield _told("SAMPLE")


def _changing(tree: Expr) -> Iterator[str]:
    """Functions with varying results; those of the current time are allowed in filters."""
    for node in tree.find_all(*_CHANGING, exp.Anonymous):
        if isinstance(node, exp.Anonymous) and str(node.this).upper() not in _CHANGING_NAMES:
            continue
        is_clock = isinstance(node, _CLOCK)
        if is_clock and node.find_ancestor(exp.Where, exp.Having, exp.Qualify) is not None:
            continue
        yield _told("non-deterministic functions")


def _subqueries(tree: Expr) -> Iterator[str]:
    for select in tree.find_all(exp.Select):
        parent = select.parent
        while isinstance(parent, exp.Paren | exp.Subquery | exp.SetOperation):
            if isinstance(parent, exp.Subquery) and parent.arg_key in ("this", "joins") and parent.alias:
                break
            parent = parent.parent
        if isinstance(parent, exp.Exists | exp.In | exp.Binary | exp.Where | exp.Func | exp.Alias):
            yield _told("subqueries outside of FROM")


def _windows(tree: Expr) -> Iterator[str]:
    for window in tree.find_all(exp.Window):
        name = window.this.sql_name() if isinstance(window.this, exp.Func) else str(window.this.name)
        if name.upper() in _RANKS:
            yield _told(f"the window function {name.upper()}")


def _recursive(tree: Expr) -> Iterator[str]:
    if any(node.args.get("recursive") for node in tree.find_all(exp.With)):
        yield _told("recursive common table expressions")


RULES: tuple[Callable[[Expr], Iterator[str]], ...] = (
    _set_operations,
    _limits,
    _pivots,
    _samples,
    _changing,
    _subqueries,
    _windows,
    _recursive,
)
