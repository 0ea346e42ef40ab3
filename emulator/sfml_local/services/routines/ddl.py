"""GET_DDL of procedures and functions.

https://docs.snowflake.com/en/sql-reference/functions/get_ddl
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot.tokens import TokenType

from sfml_local.core.account import Kind
from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import resolve
from sfml_local.grammar.quoting import ddl_literal, literal, quoted
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.routines import store
from sfml_local.services.routines.procedure_types import shown_type
from sfml_local.services.routines.store import Definition, Routine
from sfml_local.services.routines.table_results import table_columns

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def kind(word: str) -> Kind:
    """PROCEDURE, or FUNCTION, which tells both kinds of a schema."""

    def ddl(account: Account, session: Session, text: str, qualified: bool) -> str:
        tokens = Tokens(text)
        name = tokens.name()
        tokens.expect_type(TokenType.L_PAREN)
        types = tokens.arguments()
        full = resolve(name, session)
        found = store.find(account, session, word, full, types)
        if found is None:
            raise does_not_exist(word.capitalize(), f"{full.fqn()}({', '.join(types)})")
        return statement(found, qualified)

    return Kind(ddl=ddl, ddl_of_schema=_of_schema if word == "FUNCTION" else None)


def _of_schema(account: Account, session: Session, place: tuple[str, str], qualified: bool) -> list[str]:
    every = [one for word in ("PROCEDURE", "FUNCTION") for one in store.every(account, session, word)]
    here = [one for one in every if (one.name.database, one.name.schema) == place]
    return [statement(one, qualified) for one in sorted(here, key=_order)]


def _order(routine: Routine) -> str:
    """The text by which the routines of a schema are sorted: the signature without quotes."""
    listed = ", ".join(f"{one.name} {_type(one.type)}" for one in routine.definition.parameters)
    return f"{routine.name.name}({listed})"


def _signature(routine: Routine, qualified: bool) -> str:
    name = routine.name.fqn() if qualified else quoted(routine.name.name)
    listed = (
        f"{quoted(one.name)} {_type(one.type)}"
        + (f" DEFAULT {one.default}" if one.default is not None else "")
        for one in routine.definition.parameters
    )
    return f"{name}({', '.join(listed)})"


def _type(declared: str) -> str:
    """A type as DESCRIBE shows it; the largest text has no length here."""
    return shown_type(declared).replace("VARCHAR(16777216)", "VARCHAR")


def statement(routine: Routine, qualified: bool) -> str:
    """The statement that makes a routine."""
    one, is_procedure = routine.definition, routine.kind == "PROCEDURE"
    words = [word for word, is_so in (("SECURE", one.secure), ("AGGREGATE", one.aggregate)) if is_so]
    head = " ".join(("CREATE OR REPLACE", *words, routine.kind, _signature(routine, qualified)))
    lines = [head, f"RETURNS {_returned(one.returns)}", f"LANGUAGE {one.language}", *_clauses(routine)]
    if one.comment:
        lines.append(f"COMMENT={ddl_literal(one.comment)}")
    if is_procedure:
        lines.append(f"EXECUTE AS {one.execute_as}")
    if one.body is not None:
        lines.append(f"AS {literal(one.body)}")
    return "\n".join(lines) + ";"


def _returned(declared: str) -> str:
    columns = table_columns(declared)
    if columns is None:
        return _type(declared)
    return f"TABLE ({', '.join(f'{quoted(one.name)} {_type(one.type)}' for one in columns)})"


def _clauses(routine: Routine) -> list[str]:
    """The lines of what only some languages have, or what is not the default."""
    one: Definition = routine.definition
    lines = ["STRICT"] if one.strict else []
    lines += [one.volatility] if one.volatility != "VOLATILE" else []
    lines += ["MEMOIZABLE"] if one.memoizable else []
    if one.language != "PYTHON":
        return lines
    lines.append(f"RUNTIME_VERSION = {literal(one.runtime_version)}")
    for word, values in (("PACKAGES", one.packages), ("IMPORTS", one.imports)):
        lines += [f"{word} = ({','.join(map(literal, values))})"] if values else []
    lines.append(f"HANDLER = {literal(one.handler)}")
    if one.external_access:
        lines.append(f"EXTERNAL_ACCESS_INTEGRATIONS = ({one.external_access})")
    return lines
