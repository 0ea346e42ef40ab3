"""Functions, types and statements of other databases: DuckDB would carry them out, and accounts refuse them."""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.dialect import FOREIGN
from sfml_local.core.rewriting import dotted
from sfml_local.core.translating import no_function, no_type
from sfml_local.grammar.quoting import quoted_if_needed

_STATEMENTS = (exp.Analyze, exp.Attach, exp.Copy, exp.Detach, exp.Export, exp.Install, exp.Pragma)


def refuse_foreign_statement(tree: Expr, written: str | None) -> None:
    """A lone word, PRAGMA, COPY … TO, and commands that sqlglot does not read; DuckDB would see its own in them."""
    if isinstance(tree, exp.Condition | exp.Alias) and not isinstance(tree, exp.Query):
        word = tree.sql(dialect="snowflake").partition(" ")[0]
        raise SqlError(f"SQL compilation error:\nsyntax error line 1 at position 0 unexpected '{word}'.")
    if isinstance(tree, (exp.Command, *_STATEMENTS)):
        raise not_emulated(written or tree.sql(dialect="snowflake"))


def refuse_foreign_types(tree: Expr) -> None:
    """A type that the parser has marked: 002040, or not emulated where an account has it."""
    for kind in tree.find_all(exp.DataType):
        if FOREIGN in kind.meta:
            raise no_type(kind.meta[FOREIGN])


def refuse_foreign_functions(tree: Expr) -> None:
    """A call that is marked, and that none of the user's functions has replaced."""
    if tree.find(exp.MatchRecognize) is not None:
        raise not_emulated("MATCH_RECOGNIZE")
    for call in tree.find_all(exp.Anonymous):
        if FOREIGN in call.meta:
            raise unknown_function(call)


def unknown_function(call: exp.Anonymous) -> SqlError:
    """002140: a function that is not there; one with a qualifier can only be a user's."""
    parent = call.parent
    name = call.name if isinstance(call.this, exp.Identifier) else quoted_if_needed(call.name.upper())
    if isinstance(parent, exp.Dot) and call.arg_key == "expression":
        name = f"{dotted(parent.this)}.{name}"
    return no_function(name)
