"""CALL of a named procedure.

https://docs.snowflake.com/en/sql-reference/sql/call
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlglot import Expr, exp
from sqlglot.tokens import TokenType

from sfml_local.core.arrow import as_table
from sfml_local.core.errors import not_emulated
from sfml_local.core.names import resolve
from sfml_local.core.nested_statements import has_owners_rights, nested
from sfml_local.core.result import CALL, Result
from sfml_local.grammar.procedures import AnonymousProcedure
from sfml_local.grammar.scripting import Block
from sfml_local.grammar.signatures import Argument
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import Name, Tokens
from sfml_local.services.routines import procedures, scripting, store
from sfml_local.services.routines.overloads import chosen
from sfml_local.services.routines.procedure_types import column_of, scripted
from sfml_local.services.routines.store import Routine
from sfml_local.services.routines.table_results import no_rows, table_columns, table_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session


def call(account: Account, session: Session, name: Name, texts: Sequence[str]) -> Result:
    """Run the overload that fits the arguments; one row with its return value, or the rows of its table."""
    found = store.overloads(account, session, "PROCEDURE", resolve(name, session))
    if not found:
        raise store.unknown("PROCEDURE", ".".join(name.parts), ())
    arguments = tuple(map(_argument, texts))
    routine = chosen(found, name.last, arguments, lambda: _types(account, session, arguments))
    if routine.definition.language == "SQL":
        return _run_sql(account, session, routine, arguments)
    return _run_python(account, session, routine, arguments)


def in_query(node: Expr, rewriting: Rewriting) -> Result | None:
    """The rows of `SELECT … FROM TABLE(procedure(…))`; None if there is no such procedure."""
    tokens = Tokens(node.sql(dialect="snowflake"))
    name = tokens.name()
    if tokens.match_type(TokenType.L_PAREN) is None:
        return None
    found = store.overloads(
        rewriting.account, rewriting.session, "PROCEDURE", resolve(name, rewriting.session)
    )
    if not found:
        return None
    if rewriting.describe_only:
        declared = {table_columns(routine.definition.returns) for routine in found}
        columns = declared.pop()
        if declared or not columns:
            raise not_emulated(f"describing a query of the procedure {name.last}")
        return no_rows(rewriting.account, rewriting.session, columns)
    return call(rewriting.account, rewriting.session, name, tokens.arguments())


def _argument(text: str) -> Argument:
    """`name => expression`, or an expression alone."""
    tokens = Tokens(text)
    following = tokens.peek(1)
    if following is None or following.token_type is not TokenType.FARROW:
        return Argument(text)
    name = tokens.identifier()
    tokens.index += 1
    return Argument(tokens.rest(), name)


def _types(account: Account, session: Session, arguments: Sequence[Argument]) -> list[str]:
    found = []
    for argument in arguments:
        result = account.execute(session, f"SELECT {argument.expression}", describe_only=True)
        kind = result.columns[0].type
        is_null = argument.expression.strip().upper() == "NULL"
        found.append("NULL" if is_null else store.word_of(kind))
    return found


def _run_python(
    account: Account, session: Session, routine: Routine, arguments: tuple[Argument, ...]
) -> Result:
    definition = routine.definition
    procedure = AnonymousProcedure(
        name=routine.name.name,
        parameters=definition.parameters,
        returns=definition.returns,
        language=definition.language,
        runtime_version=definition.runtime_version,
        packages=definition.packages,
        imports=definition.imports,
        handler=definition.handler,
        body=definition.body,
        call=Name((routine.name.name,)),
        arguments=arguments,
        external_access=definition.external_access,
        strict=definition.strict,
    )
    place = (routine.name.database, routine.name.schema) if _is_owners(routine, session) else None
    return procedures.run_anonymous(account, session, procedure, place)


def _run_sql(account: Account, session: Session, routine: Routine, arguments: tuple[Argument, ...]) -> Result:
    definition = routine.definition
    block = parse_statement(definition.body or "")
    assert isinstance(block, Block)
    parameters = definition.parameters
    values = procedures.argument_values(account, session, parameters, arguments, routine.name.name)
    columns = table_columns(definition.returns)
    column = column_of(routine.name.name, "VARCHAR" if columns is not None else definition.returns)
    if definition.strict and any(value is None for value in values):
        return Result((column,), ((None,),), CALL)
    named = zip(parameters, values, strict=True)
    called = scripting.Called(
        routine.name.name,
        "VARCHAR" if columns is not None else definition.returns,
        {parameter.name: scripted(value, parameter.type) for parameter, value in named},
        {parameter.name: parameter.type for parameter in parameters},
    )
    with _in_place(account, session, routine):
        result = scripting.run_block(account, session, block, called)
    if columns is not None and result.statement_type_id != CALL:
        return table_of(account, session, as_table(result), columns)
    return result


@contextlib.contextmanager
def _in_place(account: Account, session: Session, routine: Routine) -> Iterator[None]:
    """The place of an owner's rights procedure: its own database and schema."""
    if not _is_owners(routine, session):
        yield
        return
    before = (session.database, session.schema)
    account.engine.use(session, routine.name.database, routine.name.schema)
    try:
        with nested(is_owners=True):
            yield
    finally:
        account.engine.use(session, *before)


def _is_owners(routine: Routine, session: Session) -> bool:
    """Whether it runs with its owner's rights, as all does that one with them calls.

    https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights
    """
    return routine.definition.execute_as == "OWNER" or has_owners_rights(session)


def rows_of_call(node: exp.TableFromRows, rewriting: Rewriting) -> Expr | None:
    """The rows of a procedure that returns a table, which replace its call."""
    result = in_query(node.this, rewriting)
    return None if result is None else rewriting.relation(result, node.args.get("alias"))
