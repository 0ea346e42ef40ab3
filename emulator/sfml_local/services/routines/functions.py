"""User-defined functions in queries: SQL bodies replace their calls, Python functions run in processes.

https://docs.snowflake.com/en/developer-guide/udf/udf-overview
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.names import resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import substitute
from sfml_local.grammar.signatures import Argument
from sfml_local.grammar.tokens import Name
from sfml_local.services.routines import python_functions, store
from sfml_local.services.routines.overloads import chosen
from sfml_local.services.routines.procedure_types import column_of
from sfml_local.services.routines.store import Routine
from sfml_local.services.routines.table_results import table_columns

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting

DEEPEST = 32
"""The deepest nesting of SQL functions, because recursion would never end."""


@looks_for(exp.Anonymous)
def user_functions(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with calls of user-defined functions replaced by their bodies."""
    for _ in range(DEEPEST):
        calls = [
            (node, found)
            for node in tree.find_all(exp.Anonymous)
            if (found := overloads_of(node, rewriting)) and not isinstance(node.parent, exp.TableFromRows)
        ]
        if not calls:
            return tree
        for node, overloads in calls:
            top = _top(node)
            tree = substitute(tree, top, _replacement(node, overloads, rewriting))
    raise SqlError(
        "SQL compilation error:\nUser-defined functions call one another too deeply.", 2119, "42601"
    )


def table_function(node: exp.TableFromRows, rewriting: Rewriting) -> Expr | None:
    """The query of a user-defined table function in TABLE(name(…)); None if there is no such function."""
    call = node.this.expression if isinstance(node.this, exp.Dot) else node.this
    overloads = overloads_of(call, rewriting) if isinstance(call, exp.Anonymous) else []
    if not overloads:
        return None
    routine = chosen_function(call, overloads, rewriting)
    if not routine.returns.startswith("TABLE"):
        raise not_emulated(node.sql(dialect="snowflake"))
    query = _parsed(routine)
    if not isinstance(query, exp.Query):
        raise not_emulated(f"table function {routine.signature} whose body is no query")
    columns = [column.name for column in table_columns(routine.definition.returns) or ()]
    alias = node.args.get("alias")
    name = alias.this if alias is not None else exp.to_identifier(routine.name.name, quoted=True)
    given = alias.columns if alias is not None else []
    identifiers = given or [exp.to_identifier(column, quoted=True) for column in columns]
    return exp.Subquery(
        this=_with_arguments(query, routine, in_order(call, routine)),
        alias=exp.TableAlias(this=name, columns=identifiers),
    )


def overloads_of(node: exp.Anonymous, rewriting: Rewriting) -> list[Routine]:
    parts = _parts(_top(node))
    session = rewriting.session
    if not parts or len(parts) > 3 or (len(parts) < 3 and session.schema is None):
        return []
    return store.overloads(rewriting.account, session, "FUNCTION", resolve(Name(parts), session))


def _top(node: exp.Anonymous) -> Expr:
    parent = node.parent
    return parent if isinstance(parent, exp.Dot) and parent.expression is node else node


def _parts(node: Any) -> tuple[str, ...]:
    if isinstance(node, exp.Dot):
        return (*_parts(node.this), *_parts(node.expression))
    if isinstance(node, exp.Column):
        return tuple(part for piece in node.parts for part in _parts(piece))
    name = node.this if isinstance(node, exp.Anonymous) else node
    if isinstance(name, exp.Identifier):
        return (name.name if name.quoted else name.name.upper(),)
    return (str(name).upper(),) if isinstance(name, str) else ()


def _replacement(node: exp.Anonymous, overloads: list[Routine], rewriting: Rewriting) -> Expr:
    is_distinct = _without_distinct(node)
    routine = chosen_function(node, overloads, rewriting)
    if not routine.definition.aggregate and is_distinct:
        raise SqlError(
            f"SQL compilation error:\nDISTINCT is not allowed in a call of {routine.signature}.",
            1003,
            "42601",
        )
    if routine.definition.aggregate and isinstance(_top(node).parent, exp.Window | exp.WithinGroup):
        raise SqlError(
            f"SQL compilation error:\nInvalid function type [{routine.name.name}] for window function.",
            2303,
            "42601",
        )
    if routine.returns.startswith("TABLE"):
        raise not_emulated(f"table function {routine.signature} outside of TABLE(…)")
    arguments = in_order(node, routine)
    if routine.definition.language == "PYTHON":
        return python_functions.call_of(rewriting, routine, arguments, is_distinct=is_distinct)
    body = _parsed(routine)
    if isinstance(body, exp.Query):
        body = exp.Subquery(this=body)
    inner = _with_arguments(body, routine, arguments)
    if routine.definition.strict and arguments:
        missing = exp.or_(*(exp.Is(this=exp.paren(one.copy()), expression=exp.null()) for one in arguments))
        inner = exp.Case(ifs=[exp.If(this=missing, true=exp.null())], default=inner)
    return exp.cast(exp.paren(inner), routine.definition.returns, dialect="snowflake")


def _without_distinct(node: exp.Anonymous) -> bool:
    """Whether the arguments of a call are distinct ones; they stay without the word."""
    first = node.expressions[0] if node.expressions else None
    if not isinstance(first, exp.Distinct):
        return False
    if len(first.expressions) > 1:
        raise not_emulated(f"{node.sql(dialect='snowflake')}: DISTINCT of several arguments")
    node.set("expressions", first.expressions)
    return True


def chosen_function(node: exp.Anonymous, overloads: list[Routine], rewriting: Rewriting) -> Routine:
    arguments = [
        Argument(one.expression.sql(), one.this.name.upper())
        if isinstance(one, exp.Kwarg)
        else Argument(one.sql())
        for one in node.expressions
    ]

    def types() -> list[str]:
        given = (one.expression if isinstance(one, exp.Kwarg) else one for one in node.expressions)
        words = [_type_of(one) or _type_told(one, rewriting) for one in given]
        if "" in words:
            raise not_emulated(
                f"{node.sql(dialect='snowflake')}: several functions take so many arguments; cast them"
            )
        return words

    return chosen(overloads, overloads[0].name.name, arguments, types)


def _type_of(node: Expr) -> str:
    """The type of a literal or a cast as in signatures; empty for other expressions."""
    match node:
        case exp.Cast():
            return store.type_word(node.to.sql(dialect="snowflake"))
        case exp.Literal():
            return "VARCHAR" if node.is_string else "NUMBER" if node.is_int else "FLOAT"
        case exp.Boolean():
            return "BOOLEAN"
        case exp.Null():
            return "NULL"
        case exp.Neg() | exp.Paren():
            return _type_of(node.this)
    return ""


def _type_told(node: Expr, rewriting: Rewriting) -> str:
    """The engine's type of an expression without columns; empty for others."""
    if node.find(exp.Column) is not None:
        return ""
    query = exp.select(node.copy())
    kind = rewriting.account.run_tree(rewriting.session, query, describe_only=True).columns[0].type
    return store.word_of(kind)


def in_order(node: exp.Anonymous, routine: Routine) -> list[Expr]:
    """The arguments in the order of the parameters, each cast to the parameter's type."""
    named = {one.this.name.upper(): one.expression for one in node.expressions if isinstance(one, exp.Kwarg)}
    positional = [one for one in node.expressions if not isinstance(one, exp.Kwarg)]
    given = [
        positional[index]
        if index < len(positional)
        else named[parameter.name]
        if parameter.name in named
        else exp.maybe_parse(parameter.default or "NULL", dialect="snowflake")
        for index, parameter in enumerate(routine.definition.parameters)
    ]
    return [one.copy() for one in given]


def _parsed(routine: Routine) -> Expr:
    text = (routine.definition.body or "").strip().rstrip(";")
    try:
        is_query = text.upper().startswith(("SELECT", "WITH", "("))
        found = parse_one(text if is_query else f"SELECT {text}")
        return found if is_query else found.expressions[0]
    except (SqlglotError, IndexError) as cause:
        raise not_emulated(f"body of function {routine.signature}: {text}") from cause


def _with_arguments(body: Expr, routine: Routine, arguments: list[Expr]) -> Expr:
    """The body with each parameter's name replaced by its argument."""
    by_name = {
        parameter.name: exp.paren(_typed(argument, parameter.type))
        for parameter, argument in zip(routine.definition.parameters, arguments, strict=True)
    }

    def replaced(node: Expr) -> Expr:
        if isinstance(node, exp.Column) and not node.table and isinstance(node.this, exp.Identifier):
            name = node.name if node.this.quoted else node.name.upper()
            if name in by_name:
                return by_name[name].copy()
        return node

    return body.copy().transform(replaced)


def _typed(argument: Expr, declared: str) -> Expr:
    if column_of("type", declared).type in ("variant", "object", "array"):
        return argument
    return exp.cast(argument, declared, dialect="snowflake")


def running(tree: Expr, rewriting: Rewriting) -> AbstractContextManager[None]:
    """Around a statement: ends the processes of its functions when it is cancelled or times out."""
    marks = python_functions.marks_in(tree)
    return python_functions.watched(rewriting.account, rewriting.session, marks)


def stop(account: Account) -> None:
    """End the processes of this account's functions."""
    python_functions.stop(account)
