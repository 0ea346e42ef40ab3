"""SYSTEM$TYPEOF: the type of a value by its name, and how Snowflake stores it.

A number is stored in as many bytes as its digits need, without the point. Of a literal this is known; of other numbers
and texts an account knows the largest one, which the engine here does not, so these are refused. All other types have
one size, and DuckDB knows them when it binds the statement.
https://docs.snowflake.com/en/sql-reference/functions/system_typeof
"""

from __future__ import annotations

from decimal import Decimal

from sqlglot import Expr, exp

from sfml_local.core.expressions.calls import macro
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, literal, qualified, substitute

_NAME = "SYSTEM$TYPEOF"


@looks_for(exp.Anonymous)
def type_names(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with each call replaced by its result; raises for arguments that are not literals."""
    for node in list(tree.find_all(exp.Anonymous)):
        top, name = qualified(node)
        if name == _NAME and len(node.expressions) == 1:
            tree = substitute(tree, top, _type_name(node.expressions[0]))
    return tree


def _type_name(node: Expr) -> Expr:
    match node:
        case exp.Null():
            return literal("NULL[LOB]")
        case exp.Boolean():
            return literal("BOOLEAN[SB1]")
        case exp.Paren():
            return _type_name(node.this)
        case exp.Neg(this=exp.Literal() as inner) if not inner.is_string:
            return literal(_number_type(-Decimal(inner.this)))
        case exp.Literal():
            text = f"VARCHAR({len(node.this)})[LOB]" if node.is_string else _number_type(Decimal(node.this))
            return literal(text)
    return _stored_type(node)


def _stored_type(value: Expr) -> Expr:
    """The type as DuckDB names it once the statement is bound."""
    return macro("stored_type", value)


def _number_type(value: Decimal) -> str:
    """The name of a number's type: `NUMBER(5,0)[SB2]` for 10000."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a literal is finite"
    scale = max(-exponent, 0)
    whole = int(value.scaleb(scale))
    precision = max(len(digits) + max(exponent, 0), scale, 1)
    size = next((size for size in (1, 2, 4, 8) if -(2 ** (8 * size - 1)) <= whole < 2 ** (8 * size - 1)), 16)
    return f"NUMBER({precision},{scale})[SB{size}]"
