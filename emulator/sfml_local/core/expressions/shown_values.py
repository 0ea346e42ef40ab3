"""Values as text for sessions that have set output formats.

https://docs.snowflake.com/en/sql-reference/parameters#date-output-format
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.expressions import settings
from sfml_local.core.expressions.calls import call, kind, typed
from sfml_local.core.rewriting import Rewriting

_OWN = (
    *("DATE_OUTPUT_FORMAT", "TIME_OUTPUT_FORMAT", "TIMESTAMP_OUTPUT_FORMAT", "TIMESTAMP_NTZ_OUTPUT_FORMAT"),
    *("TIMESTAMP_LTZ_OUTPUT_FORMAT", "TIMESTAMP_TZ_OUTPUT_FORMAT"),
)


def has_own_formats(rewriting: Rewriting) -> bool:
    """Whether the session has set output formats of dates or times."""
    parameters = rewriting.session.parameters
    return any(name in parameters for name in _OWN)


def shown(value: Expr, rewriting: Rewriting) -> Expr:
    """A value as text in the session's formats."""
    session = rewriting.session
    formats = (
        settings.text(session, "DATE_OUTPUT_FORMAT"),
        settings.text(session, "TIME_OUTPUT_FORMAT"),
        settings.timestamp_format(session, zoned=False),
        settings.timestamp_format(session, zoned=True),
    )
    return typed(call("sf_shown", value, kind(value), *formats), "VARCHAR")


def lowered_concatenation(node: Expr, rewriting: Rewriting) -> Expr:
    """`a || b` writes dates in the session's formats."""
    if not has_own_formats(rewriting):
        return node
    operands = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    for operand in operands:
        if not isinstance(operand, exp.Literal):
            operand.replace(shown(operand, rewriting))
    return node
