"""Python procedures: the anonymous ones of tasks, each run in its own process.

https://docs.snowflake.com/en/sql-reference/sql/call-with
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.result import CALL, Column, Result
from sfml_local.core.sessions import Admission
from sfml_local.grammar.procedures import AnonymousProcedure
from sfml_local.grammar.signatures import Argument, Parameter
from sfml_local.processes.children import remove_home, run_child, runs_folder
from sfml_local.processes.imports import (
    SNOWPARK,
    check_packages,
    forget_unused,
    import_directory,
    runtime_note,
)
from sfml_local.processes.transport import decoded, encoded
from sfml_local.processes.warm import WarmParent
from sfml_local.services.routines import store
from sfml_local.services.routines.procedure_types import argument_value, column_of
from sfml_local.services.routines.scopes import incomplete, scope
from sfml_local.services.routines.table_results import read_table, table_columns, table_of
from sfml_local.services.stages import locations as stages

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

INTERPRETER_ERROR = 100357

_PROCESS_STARTED = time.time()


class ProcedureProcesses:
    """What the processes of an account's procedures are forked from, and a place for each that may run at once."""

    def __init__(self, account: Account) -> None:
        self.parent = WarmParent(account.folder / "warm", warm=bool(account.settings.warm))
        self.places = threading.Semaphore(account.settings.processes)


def run_anonymous(
    account: Account,
    session: Session,
    procedure: AnonymousProcedure,
    place: tuple[str, str] | None = None,
) -> Result:
    """Run WITH … AS PROCEDURE … CALL …; one row with the handler's return value, or the rows of its table.

    `place` is its current database and schema, by default the caller's.
    """
    notes = _checked(procedure)
    columns = table_columns(procedure.returns)
    column = (
        Column(procedure.name, "table")
        if columns is not None
        else column_of(procedure.name, procedure.returns)
    )
    arguments = argument_values(account, session, procedure.parameters, procedure.arguments, procedure.name)
    if procedure.strict and any(value is None for value in arguments):
        return Result((column,), ((None,),), CALL)
    files = imported_files(account, session, procedure.imports)
    with account.log_path().open("a", encoding="utf-8") as log:
        log.writelines(f"[local server] {note}\n" for note in notes)
    request = {
        "handler": procedure.handler,
        "body": procedure.body,
        "import_directory": str(import_directory(account.folder / "imports", files)),
        "arguments": encoded(arguments),
        "returns": column.type,
        "spans": str(account.log_path().with_suffix(".spans")),
    }
    with scope(account, session):
        value = _run(account, session, request, procedure, place)
    if columns is not None:
        return table_of(account, session, value, columns)
    return Result((column,), ((_as_declared(value, column),),), CALL)


def _checked(procedure: AnonymousProcedure) -> list[str]:
    """Refuse settings that are not possible here; returns notes about differences."""
    if procedure.language != "PYTHON":
        raise not_emulated(f"anonymous procedure in {procedure.language}: only LANGUAGE PYTHON runs")
    if procedure.call.parts != (procedure.name,):
        raise SqlError(
            f"SQL compilation error:\nUnknown user-defined function {'.'.join(procedure.call.parts)}.",
            2141,
            "42601",
        )
    if not procedure.handler:
        raise SqlError("SQL compilation error:\nHANDLER is required for a Python procedure.", 1003, "42000")
    if not any(package.startswith(SNOWPARK) for package in procedure.packages):
        raise SqlError(
            f"SQL compilation error:\nPACKAGES of procedure {procedure.name} has to name {SNOWPARK}.",
            391546,
            "42601",
        )
    if procedure.secrets:
        raise not_emulated(f"SECRETS = ({procedure.secrets}) of an anonymous procedure")
    notes = check_packages(procedure.packages)
    if procedure.external_access:
        notes.append(f"EXTERNAL_ACCESS_INTEGRATIONS ({procedure.external_access}) restrict nothing here")
    note = runtime_note(procedure.runtime_version)
    return [*notes, note] if note else notes


def argument_values(
    account: Account,
    session: Session,
    parameters: tuple[Parameter, ...],
    arguments: tuple[Argument, ...],
    name: str,
) -> list[Any]:
    """The arguments in the order of the parameters, evaluated and converted to the declared types."""
    positional = [argument for argument in arguments if argument.name is None]
    named = {argument.name: argument for argument in arguments if argument.name is not None}
    known = {parameter.name for parameter in parameters}
    wrong = len(positional) > len(parameters) or named.keys() - known
    given: dict[str, str] = {p.name: a.expression for p, a in zip(parameters, positional, strict=False)}
    given.update({argument: named[argument].expression for argument in named if argument})
    for parameter in parameters:
        if parameter.default is not None:
            given.setdefault(parameter.name, parameter.default)
    if wrong or given.keys() != known:
        raise SqlError(
            f"SQL compilation error:\nInvalid argument types for procedure '{name}': it takes "
            f"({', '.join(f'{p.name} {p.type}' for p in parameters)}), got {len(arguments)} arguments.",
            1044,
            "42P13",
        )
    return [argument_value(account, session, given[p.name], p.type) for p in parameters]


def imported_files(account: Account, session: Session, imports: tuple[str, ...]) -> Mapping[str, Path]:
    """The imported files by name; names must be unique, as in Snowflake."""
    found: dict[str, Path] = {}
    for location in imports:
        name = PurePosixPath(location).name
        if name in found:
            raise SqlError(
                f"SQL compilation error:\nDuplicate import file name '{name}' in IMPORTS.", 1003, "42000"
            )
        path = stages.local_path(account, session, location)
        if not path.is_file():
            raise SqlError(
                f"SQL compilation error:\nImport file '{location}' does not exist in the stage.",
                253006,
                "22000",
            )
        found[name] = path
    return found


def _run(
    account: Account,
    session: Session,
    request: Mapping[str, Any],
    procedure: AnonymousProcedure,
    place: tuple[str, str] | None,
) -> Any:
    """The handler's return value, from a process that reads the request from a file and writes one."""
    folder = Path(tempfile.mkdtemp(prefix="procedure-", dir=runs_folder(account)))
    admission = Admission(session, "CALLER" if place is None else "OWNER")
    try:
        answer, request_file = folder / "answer.json", folder / "request.json"
        request_file.write_text(json.dumps({**request, "answer": str(answer)}), encoding="utf-8")
        argv = [sys.executable, "-m", "sfml_local.processes.worker", str(request_file)]
        limit = statement_timeout(session)
        started = time.monotonic()
        exit_code = run_child(
            account,
            session,
            argv,
            log=account.log_path(),
            env=None
            if place is None
            else dict(zip(("SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA"), place, strict=True)),
            timeout=limit,
            start=warm_parent_of(account).start,
            # Processes of a procedure need no slot, because they would wait for the one of their caller.
            places=places_of(account) if session.parent is None else None,
            admission=admission,
        )
        if not answer.exists():
            if limit is not None and time.monotonic() - started >= limit:
                raise timed_out(limit)
            if exit_code == -signal.SIGTERM:
                raise SqlError("SQL execution canceled", 604, "57014")
            raise interpreter_error(f"the process ended with exit code {exit_code}", procedure)
        reply = json.loads(answer.read_text(encoding="utf-8"))
        if "error" in reply:
            raise interpreter_error(str(reply["error"]), procedure)
        if place is not None and admission.left_open:
            raise incomplete()
        if "table" in reply:
            return read_table(Path(reply["table"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return decoded(reply.get("result"))


def statement_timeout(session: Session) -> int | None:
    """STATEMENT_TIMEOUT_IN_SECONDS of the session; None if it is unset or 0."""
    return int(session.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0) or None


def timed_out(limit: int | None) -> SqlError:
    """630: Snowflake's error for a statement that timed out."""
    return SqlError(
        f"Statement reached its statement or warehouse timeout of {limit} second(s) and was canceled.",
        630,
        "57014",
    )


def warm_parent_of(account: Account) -> WarmParent:
    """The parent process of the account's procedures."""
    return account.part(ProcedureProcesses).parent


def expects_processes(account: Account) -> bool:
    """Whether the account has Python code that a process would run: in a routine, a task or an ML Job."""
    return store.has_python(account)


def places_of(account: Account) -> threading.Semaphore:
    """The slots of procedures, shared by all graphs and sessions."""
    return account.part(ProcedureProcesses).places


def start(account: Account) -> None:
    """Remove the folders of processes of a killed server; younger ones belong to running processes."""
    for folder in runs_folder(account).iterdir():
        if folder.lstat().st_ctime >= _PROCESS_STARTED:
            continue
        if folder.is_symlink():
            remove_home(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    forget_unused(account.folder / "imports")


def stop(account: Account) -> None:
    """End the parent process of procedures."""
    warm_parent_of(account).stop()


def interpreter_error(text: str, procedure: AnonymousProcedure) -> SqlError:
    """100357: Snowflake's error for an exception in Python code."""
    where = f" in function {procedure.name} with handler {procedure.handler}"
    return SqlError(f"Python Interpreter Error:\n{text}\n{where}", INTERPRETER_ERROR, "P0000")


def _as_declared(value: Any, column: Column) -> Any:
    return int(value) if column.type == "fixed" and column.scale == 0 and value is not None else value
