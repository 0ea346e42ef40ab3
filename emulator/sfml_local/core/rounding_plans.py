"""Whether DuckDB's plan of a query takes decimal places from a number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
from sqlglot import Expr, exp

from sfml_local.core.expressions.statements import SOURCE


def rounds(tree: Expr, duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether a number gets fewer places somewhere in a statement, be it as written or as DuckDB chose."""
    plan = _plan(tree, duck)
    return plan is None or any(map(_loses_places, _dicts(plan)))


def compares_rounded(tree: Expr, duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether DuckDB rounds a number to compare it with those of a query."""
    plan = _plan(tree, duck)
    conditions = [one for part in _dicts(plan) for one in part.get("conditions") or ()]
    return plan is None or any(_loses_places(one[side]) for one in conditions for side in ("left", "right"))


def plan_of(query: Expr, duck: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's plan as JSON text, or what it says against the query; empty if it has none to tell."""
    sql = query.sql(dialect="duckdb")
    try:
        row = duck.execute("SELECT json_serialize_plan(?, optimize := false)", [sql]).fetchone()
    except duckdb.Error:
        return ""
    return str(row[0]) if row else ""


def is_refused(plan: str) -> bool:
    """Whether DuckDB refuses the query, as it will when the query is executed."""
    return _ERROR in plan and json.loads(plan)["error_type"] in ("binder", "catalog", "parser", "syntax")


_ERROR = '"error":true'


def _plan(tree: Expr, duck: duckdb.DuckDBPyConnection) -> Any:
    """The plan of a query, or of that in an INSERT or CREATE; empty without casts of note, None if not known."""
    query = _planned(tree)
    plan = "" if query is None else plan_of(query, duck)
    if is_refused(plan):
        return {}
    if not plan or _ERROR in plan:
        return None
    return json.loads(plan) if _OF_NOTE.search(plan) else {}


_OF_NOTE = re.compile(
    r'"arguments":\[\{"id":"(DECIMAL","type_info":\{[^{}]*"scale":[1-9]|VARCHAR)[^[\]]*\],"qname":\{"path":\["__cast"'
)
"""A cast of a number with places or of a text, in the text of a plan, which has thousands of nodes."""


def _planned(tree: Expr) -> exp.Query | None:
    """The query of a statement; for an INSERT, that inside of its conversions to the columns' types."""
    query = tree if isinstance(tree, exp.Query) else tree.args.get("expression")
    if isinstance(tree, exp.Insert) and isinstance(query, exp.Select) and not query.ctes:
        source = query.args["from_"].this if query.args.get("from_") is not None else None
        if isinstance(source, exp.Subquery) and source.alias == SOURCE:
            query = source.this
    return query if isinstance(query, exp.Query) else None


def _dicts(plan: Any) -> Iterator[dict[str, Any]]:
    waiting = [plan]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _loses_places(cast: dict[str, Any]) -> bool:
    """Whether a part of a plan is a cast to a NUMBER with fewer places, or of a text that is written down."""
    if cast.get("qname") != {"path": ["__cast"]}:
        return False
    target, source = cast["return_type"], cast["arguments"][0]
    if target["id"] != "DECIMAL" or source["id"] not in ("DECIMAL", "VARCHAR"):
        return False
    new, old = target["type_info"], source["type_info"]
    if source["id"] == "VARCHAR":
        return "value" in cast["children"][0]  # a literal
    return bool(new["width"] == 38 and old["scale"] > new["scale"])
