"""CREATE, ALTER, DROP, DESCRIBE, SHOW and COMMENT ON procedures and functions.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure · /create-function
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, name_is_taken, not_emulated
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import DESCRIBE, Column, Result, status, table
from sfml_local.grammar.calls import Call
from sfml_local.grammar.procedures import AnonymousProcedure
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.grammar.routines import (
    AlterRoutine,
    CommentOnRoutine,
    CreateRoutine,
    DescribeRoutine,
    DropRoutine,
    Kind,
    ShowRoutines,
)
from sfml_local.grammar.scripting import Block, ExecuteFile, ExecuteImmediate
from sfml_local.grammar.signatures import rights
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import Tokens
from sfml_local.processes.imports import SNOWPARK, check_packages
from sfml_local.services.databases.sql import missing
from sfml_local.services.routines import calls, executed_files, procedures, scripting, store
from sfml_local.services.routines.procedure_types import shown_type
from sfml_local.services.routines.store import Definition, Routine
from sfml_local.services.routines.table_results import table_columns
from sfml_local.services.stages import locations

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

LANGUAGES = frozenset({"PYTHON", "SQL"})


def create(account: Account, session: Session, statement: CreateRoutine) -> Result:
    name = resolve(statement.name, session)
    if not account.engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")
    definition = _definition(account, session, statement)
    routine = Routine(
        statement.kind,
        name,
        definition,
        account.clock().isoformat(),
        session.role,
        session.id if statement.temporary else 0,
    )
    types = [parameter.type for parameter in definition.parameters]
    there = store.find(account, session, statement.kind, name, types)
    if there is not None and there.session == routine.session:
        if statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        if not statement.or_replace:
            raise already_exists(statement.name)
    replaced = there if there is not None and there.session == routine.session else None
    store.put(account, routine)
    if (refused := _refused_body(account, session, routine)) is not None:
        store.remove(account, routine)
        if replaced is not None:
            store.put(account, replaced)
        raise refused
    if replaced is not None:
        account.object_dropped(statement.kind, name.fqn())
    return status(
        f"{'Function' if statement.kind == 'FUNCTION' else 'Procedure'} {name.name} successfully created."
    )


def _refused_body(account: Account, session: Session, routine: Routine) -> SqlError | None:
    """The refusal of a SQL function whose body names a column, or a parameter, that is not there."""
    definition = routine.definition
    if routine.kind != "FUNCTION" or definition.language != "SQL":
        return None
    given = ", ".join(f"NULL::{one.type}" for one in definition.parameters)
    call = f"{duckdb_identifier(*routine.name.parts)}({given})"
    is_table = table_columns(definition.returns) is not None
    try:
        account.execute(
            session, f"SELECT * FROM TABLE({call})" if is_table else f"SELECT {call}", describe_only=True
        )
    except SqlError as error:
        return error if error.errno == 904 else None
    return None


def _definition(account: Account, session: Session, statement: CreateRoutine) -> Definition:
    """The stored definition of a statement, checked as far as possible before a call."""
    clauses, kind = statement.clauses, statement.kind
    shown = f"CREATE {kind} {'.'.join(statement.name.parts)}"
    language = clauses.language.upper()
    if language not in LANGUAGES:
        raise not_emulated(f"{shown} … LANGUAGE {language}")
    if statement.aggregate and language != "PYTHON":
        raise not_emulated(
            f"CREATE AGGREGATE FUNCTION {'.'.join(statement.name.parts)} … LANGUAGE {language}"
        )
    if clauses.secrets:
        raise not_emulated(f"{shown} … SECRETS = ({clauses.secrets})")
    if clauses.unsupported:
        raise not_emulated(f"{shown} … {clauses.unsupported}")
    for declared in (*(parameter.type for parameter in statement.parameters), clauses.returns):
        store.type_word(declared)
    if language == "SQL":
        _check_sql(shown, statement)
    else:
        _check_python(shown, statement)
    definition = Definition(
        parameters=statement.parameters,
        returns=clauses.returns,
        language=language,
        body=statement.body,
        handler=clauses.handler,
        runtime_version=clauses.runtime_version,
        packages=clauses.packages,
        imports=tuple(locations.full(session, text) for text in clauses.imports),
        external_access=clauses.external_access,
        strict=clauses.strict,
        execute_as=clauses.execute_as,
        comment=clauses.comment,
        aggregate=statement.aggregate,
        secure=statement.secure,
        volatility=clauses.volatility,
        memoizable=clauses.memoizable,
        artifact_repository=clauses.artifact_repository,
        resource_constraint=clauses.resource_constraint,
    )
    from sfml_local.services.routines.procedures import imported_files

    imported_files(account, session, definition.imports)
    return definition


def _check_sql(shown: str, statement: CreateRoutine) -> None:
    if statement.body is None:
        raise SqlError("SQL compilation error:\nMissing body of a SQL routine.", 1003, "42000")
    if statement.kind == "PROCEDURE":
        block = parse_statement(statement.body)
        if not isinstance(block, Block):
            raise not_emulated(f"{shown} … LANGUAGE SQL with a body that is no block")
        if (text := block.unsupported()) is not None:
            raise not_emulated(f"in the block of {shown}: {text}")


def _check_python(shown: str, statement: CreateRoutine) -> None:
    clauses = statement.clauses
    if not clauses.handler:
        raise SqlError(
            f"SQL compilation error:\nHANDLER is required for a Python {statement.kind.lower()}.",
            1003,
            "42000",
        )
    if statement.kind == "FUNCTION" and table_columns(clauses.returns) == ():
        raise not_emulated(f"{shown} … RETURNS TABLE () … LANGUAGE PYTHON")
    if statement.kind == "PROCEDURE" and not any(one.startswith(SNOWPARK) for one in clauses.packages):
        raise SqlError(
            f"SQL compilation error:\nPACKAGES of procedure {statement.name.last} has to name {SNOWPARK}.",
            391546,
            "42601",
        )
    if statement.body is None and not clauses.imports:
        raise SqlError("SQL compilation error:\nIMPORTS or a body is required.", 1003, "42000")
    check_packages(clauses.packages)


# -- changing -----------------------------------------------------------------------------------------------------


def _named(account: Account, session: Session, statement: Any) -> tuple[ObjectName, Routine | None]:
    name = resolve(statement.name, session)
    return name, store.find(account, session, statement.kind, name, statement.types)


def _existing(account: Account, session: Session, statement: Any) -> Routine:
    return demand(account, session, statement.kind, resolve(statement.name, session), statement.types)


def demand(
    account: Account, session: Session, kind: Kind, name: ObjectName, types: tuple[str, ...]
) -> Routine:
    """The function or procedure; refused where it is not there."""
    routine = store.find(account, session, kind, name, types)
    if routine is None:
        raise does_not_exist(kind.capitalize(), name.fqn())
    return routine


def drop(account: Account, session: Session, statement: DropRoutine) -> Result:
    name, routine = _named(account, session, statement)
    demand_schema(account, name)
    if routine is None:
        return missing(statement.kind.capitalize(), name.fqn(), statement.if_exists)
    store.remove(account, routine)
    account.object_dropped(routine.kind, name.fqn())
    return status(f"{name.name} successfully dropped.")


def alter(account: Account, session: Session, statement: AlterRoutine) -> Result:
    if statement.if_exists and _named(account, session, statement)[1] is None:
        return status()
    routine = _existing(account, session, statement)
    tokens = Tokens(statement.action)
    if tokens.match_words("RENAME", "TO"):
        name = resolve(tokens.name(), session)
        renamed = replace(routine, name=name)
        if store.find(account, session, routine.kind, name, routine.types) is not None:
            raise name_is_taken(name)
        store.remove(account, routine)
        store.put(account, renamed)
        account.object_renamed(routine.kind, routine.name.fqn(), name.fqn())
        return status()
    definition = routine.definition
    if tokens.match_words("EXECUTE", "AS"):
        definition = replace(definition, execute_as=rights(tokens))
        tokens.expect_end()
    elif tokens.is_words("SET", "SECURE") or tokens.is_words("UNSET", "SECURE"):
        definition = replace(definition, secure=tokens.is_words("SET"))
    elif tokens.match_words("UNSET", "COMMENT"):
        definition = replace(definition, comment="")
    elif tokens.match_words("SET", "COMMENT"):
        tokens.index += 1
        definition = replace(definition, comment=tokens.expect_string())
    else:
        raise not_emulated(f"ALTER {statement.kind} {routine.signature} {statement.action}")
    store.put(account, replace(routine, definition=definition))
    return status()


def comment_on(account: Account, session: Session, statement: CommentOnRoutine) -> Result:
    if statement.if_exists and _named(account, session, statement)[1] is None:
        return status()
    routine = _existing(account, session, statement)
    store.put(account, replace(routine, definition=replace(routine.definition, comment=statement.comment)))
    return status()


# -- showing ------------------------------------------------------------------------------------------------------

_SHOWN = (
    Column("created_on", "timestamp_ltz"),
    *map(Column, ("name", "schema_name", "is_builtin", "is_aggregate", "is_ansi")),
    *(Column(name, "fixed") for name in ("min_num_arguments", "max_num_arguments")),
    *map(Column, ("arguments", "description", "catalog_name", "is_table_function", "valid_for_clustering")),
    *map(Column, ("is_secure", "secrets", "external_access_integrations")),
)
_SHOWN_FUNCTIONS = (
    *_SHOWN[:-2],
    *map(Column, ("is_external_function", "language", "is_memoizable", "is_data_metric")),
    *_SHOWN[-2:],
)


def show(account: Account, session: Session, statement: ShowRoutines) -> Result:
    """The user-defined routines; an account also lists built-in ones. STARTS WITH and LIMIT have no effect."""
    area = area_of(account, session, statement.listing)
    routines = store.every(account, session, statement.kind)
    here = (one for one in routines if area.has(one.name.database, one.name.schema))
    rows = []
    for routine in selected(
        here, lambda one: one.name.name, replace(statement.listing, starts_with=None, limit=None)
    ):
        definition = routine.definition
        least = sum(parameter.default is None for parameter in definition.parameters)
        ends: tuple[Any, ...] = (None, _listed(definition.external_access))
        if statement.kind == "FUNCTION":
            ends = ("N", definition.language, _flag(definition.memoizable), "N", *ends)
        rows.append(
            (
                datetime.datetime.fromisoformat(routine.created_on),
                *(routine.name.name, routine.name.schema, "N", _flag(definition.aggregate), "N"),
                *(least, len(definition.parameters), _arguments(routine)),
                *(definition.comment or f"user-defined {statement.kind.lower()}", routine.name.database),
                *(_flag(routine.returns.startswith("TABLE")), "N", _flag(definition.secure), *ends),
            )
        )
    return table(_SHOWN_FUNCTIONS if statement.kind == "FUNCTION" else _SHOWN, rows)


def _listed(names: str | None) -> str | None:
    """The names of a list, which is None where it was not given."""
    return None if names is None else f"[{', '.join(one.strip().upper() for one in names.split(','))}]"


def _flag(value: bool) -> str:
    return "Y" if value else "N"


def _arguments(routine: Routine) -> str:
    """The signature in SHOW, in which DEFAULT goes before the type of what may be left out."""
    pairs = zip(routine.definition.parameters, routine.types, strict=True)
    words = [word if one.default is None else f"DEFAULT {word}" for one, word in pairs]
    return f"{routine.name.name}({', '.join(words)}) RETURN {routine.returns}"


def describe(account: Account, session: Session, statement: DescribeRoutine) -> Result:
    routine = _existing(account, session, statement)
    definition = routine.definition
    pairs = zip(definition.parameters, routine.types, strict=True)
    rows: list[tuple[str, Any]] = [
        ("signature", f"({', '.join(f'{parameter.name} {word}' for parameter, word in pairs)})"),
        ("returns", shown_type(definition.returns)),
        ("language", definition.language),
    ]
    if definition.language != "SQL":
        nulls = "RETURNS NULL ON NULL INPUT" if definition.strict else "CALLED ON NULL INPUT"
        rows += [("null handling", nulls), ("volatility", definition.volatility)]
    if routine.kind == "PROCEDURE":
        rows.append(("execute as", definition.execute_as))
    rows.append(("body", definition.body))
    if definition.language == "PYTHON":
        rows += [
            ("external_access_integrations", _listed(definition.external_access)),
            ("secrets", None),
            ("imports", f"[{', '.join(definition.imports)}]"),
            ("handler", definition.handler),
            ("runtime_version", definition.runtime_version),
            ("packages", "[" + ",".join(f"'{one}'" for one in definition.packages) + "]"),
        ]
    if definition.language == "PYTHON" and routine.kind == "FUNCTION":
        rows.append(("is_aggregate", str(definition.aggregate).lower()))
    kept = {
        "artifact_repository": definition.artifact_repository,
        "resource_constraint": definition.resource_constraint,
    }
    rows += [(name, value) for name, value in kept.items() if value]
    return table(("property", "value"), rows, DESCRIBE)


# -- ends ---------------------------------------------------------------------------------------------------------


def schema_dropped(account: Account, database: str, schema: str) -> None:
    store.schema_dropped(account, database, schema)


def session_closed(account: Account, session: Session) -> None:
    store.remove_temporary(account, session.id)


def start(account: Account) -> None:
    store.remove_temporary(account)


HANDLERS: Handlers = {
    CreateRoutine: create,
    DropRoutine: drop,
    AlterRoutine: alter,
    CommentOnRoutine: comment_on,
    ShowRoutines: show,
    DescribeRoutine: describe,
    Call: calls.call,
    Block: scripting.run_block,
    ExecuteFile: executed_files.execute,
    ExecuteImmediate: scripting.execute_immediate,
    AnonymousProcedure: procedures.run_anonymous,
}
READ_ONLY = frozenset({ShowRoutines, DescribeRoutine})
