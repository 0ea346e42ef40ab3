"""Python functions in a query: one DuckDB function that calls the process of the right Python function.

It is registered when the server starts. DuckDB drops a function's Python object with the connection that
registered it, and a new function is invisible in transactions that are already open.

https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from sqlglot import Expr, exp

from sfml_local.core import server_log
from sfml_local.core.child import Child
from sfml_local.core.errors import SqlError
from sfml_local.core.interpreter_errors import interpreter_error
from sfml_local.processes.children import (
    GRACE_SECONDS,
    POLL_SECONDS,
    Running,
    make_home,
    remove_home,
    without_proxies,
)
from sfml_local.processes.frames import ERROR, TABLE, packed, read_frame, unpacked, write_frame
from sfml_local.processes.handler_classes import AGGREGATE
from sfml_local.processes.handler_classes import TABLE as TABLE_FUNCTION
from sfml_local.processes.imports import check_packages, import_directory
from sfml_local.processes.pool import Pool
from sfml_local.services.routines import store
from sfml_local.services.routines.procedure_types import column_of
from sfml_local.services.routines.procedures import (
    ProcedureProcesses,
    imported_files,
    statement_timeout,
    timed_out,
)
from sfml_local.services.routines.store import Routine
from sfml_local.services.routines.table_results import table_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.result import Column
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session

FUNCTION = "_sfml_function"
"""The name of the DuckDB function; it gets a text that names request and function, and the function's arguments."""

MOST = 4
"""The most processes that are kept while nobody uses them; each has its libraries in memory."""

_MARK = "Python Interpreter Error:"
_JSON = frozenset({"variant", "object", "array"})
_DUCKDB = {
    "real": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp_ltz": "TIMESTAMP WITH TIME ZONE",
    "timestamp_tz": "TIMESTAMP WITH TIME ZONE",
    "binary": "BLOB",
}


@dataclass(slots=True)
class _Statement:
    """The mark of a statement in the calls that it contains; those of a view keep that of its CREATE."""

    mark: str = field(default_factory=lambda: uuid.uuid4().hex)


def call_of(
    rewriting: Rewriting, routine: Routine, arguments: list[Expr], *, is_distinct: bool = False
) -> Expr:
    """The call of the DuckDB function for a Python function, cast to the declared type.

    An aggregate function gets the values of each group as lists.
    """
    definition = routine.definition
    target = {
        "request": request_of(rewriting.account, rewriting.session, routine),
        "name": routine.name.name,
        "statement": rewriting.note(_Statement).mark,
    }
    typed = typed_arguments(routine, arguments) or [exp.Literal.number(0)]
    if definition.aggregate:
        given = [exp.Distinct(expressions=[one]) if is_distinct else one for one in typed]
        typed = [exp.Anonymous(this="list", expressions=[one]) for one in given]
    named = exp.Literal.string(json.dumps(target, ensure_ascii=False))
    called = exp.Anonymous(this=FUNCTION, expressions=[named, *typed])
    return declared_value(called, definition.returns)


def declared_value(text: Expr, declared: str) -> Expr:
    """A result, which is a text, in its declared type."""
    kind = column_of("returned", declared).type
    if kind in _JSON:
        return exp.ParseJSON(this=text)
    if kind == "binary":
        return exp.Unhex(this=text)
    return exp.cast(text, declared, dialect="snowflake")


def typed_arguments(routine: Routine, arguments: Sequence[Expr]) -> list[Expr]:
    """The arguments in the types that the process reads."""
    return [_argument(one, column) for one, column in zip(arguments, _columns(routine), strict=True)]


def _columns(routine: Routine) -> list[Column]:
    return [column_of(parameter.name, parameter.type) for parameter in routine.definition.parameters]


def _argument(argument: Expr, column: Column) -> Expr:
    if column.type in _JSON:
        return exp.cast(exp.Anonymous(this="to_json", expressions=[argument]), "VARCHAR")
    return exp.cast(argument, _duckdb_type(column), dialect="duckdb")


def _duckdb_type(column: Column) -> str:
    if column.type == "fixed":
        return f"DECIMAL({column.precision}, {column.scale})"
    return _DUCKDB.get(column.type, "VARCHAR")


def request_of(account: Account, session: Session, routine: Routine) -> str:
    """The digest of a request; a function that was created again has another digest."""
    definition = routine.definition
    check_packages(definition.packages)
    declared = table_columns(definition.returns)
    files = imported_files(account, session, definition.imports)
    directory = import_directory(account.folder / "imports", files)
    request: dict[str, Any] = {
        "handler": definition.handler,
        "body": definition.body,
        "import_directory": str(directory),
        "arguments": [[column.type, column.scale] for column in _columns(routine)],
        "strict": definition.strict,
    }
    if declared is None:
        request["returns"] = column_of("returned", definition.returns).type
        request["kind"] = AGGREGATE if definition.aggregate else "row"
    else:
        request["returns"] = [column_of(column.name, column.type).type for column in declared]
        request["names"] = [parameter.name for parameter in definition.parameters]
        request["kind"] = TABLE_FUNCTION
    text = json.dumps(request, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    if not _text_of(account, digest):
        store.keep_request(account, digest, text)
    return digest


def _text_of(account: Account, digest: str) -> str:
    """The request of a digest; empty if there is none."""
    texts = account.part(Functions).texts
    if digest not in texts:
        text = store.request_of(account, digest)
        if text is None:
            return ""
        texts[digest] = text
    return texts[digest]


def marks_in(tree: Expr) -> set[str]:
    """The marks in the calls of a statement: its own, or those of parts that were rewritten before."""
    calls = [node for node in tree.find_all(exp.Anonymous) if node.this == FUNCTION]
    return {json.loads(node.expressions[0].this)["statement"] for node in calls}


def register(account: Account) -> None:
    """Register the function for all sessions of the account, so that views with calls work after a restart."""
    of = ref(account)

    def compute(*columns: Any) -> Any:
        import pyarrow as pa

        target, *given = columns
        owner = of()
        assert owner is not None
        if not len(target):
            return pa.array([], pa.string())
        asked = json.loads(target[0].as_py())
        text = _text_of(owner, asked["request"])
        table = pa.table({f"a{index}": column for index, column in enumerate(given)})
        try:
            answer = owner.part(Functions).called(text, asked.get("statement", ""), table)
        except FunctionError as cause:
            raise RuntimeError(_told(cause, asked["name"], text)) from cause
        return answer.column("result")

    account.engine.define_function(FUNCTION, compute, volatile=True)


def _told(error: FunctionError, name: str, request: str) -> str:
    return f"{_MARK}\n{error}\n in function {name} with handler {json.loads(request)['handler']}"


def called_with(rewriting: Rewriting, routine: Routine, arguments: pa.Table) -> pa.Table:
    """The answer of a table function's process, outside of DuckDB; raises SqlError."""
    account, session = rewriting.account, rewriting.session
    text = _text_of(account, request_of(account, session, routine))
    mark = rewriting.note(_Statement).mark
    with watched(account, session, {mark}):
        try:
            return account.part(Functions).called(text, mark, arguments)
        except FunctionError as cause:
            error = interpreter_error(RuntimeError(_told(cause, routine.name.name, text)))
            assert error is not None
            raise error from cause


# -- processes ----------------------------------------------------------------------------------------------------


class FunctionError(RuntimeError):
    """The function's code raised an exception; the message contains its traceback."""


class _Ended(Exception):
    """The process ended without the call: the server ended it, or it has died since its last answer.

    Or this statement is to end.
    """


class _Process:
    """One process for calls of one function; calls from several threads are serialized.

    It is forked from the parent of procedures, and connects to a socket while its first call waits.
    """

    def __init__(self, account: Account, request: str) -> None:
        self.caller = ""
        """The mark of the statement whose call it computes."""
        self._is_stopped = False
        self._has_answered = False
        self._is_gone = False
        self._lock = threading.Lock()
        self._home = make_home(account, "sfml-function-")
        home = self._home.readlink()
        self._listening = _listening(home / "socket")
        self._connection: socket.socket | None = None
        self._running_lock = threading.Lock()
        self._running = _started(account, _request_file(home, request))

    @property
    def is_over(self) -> bool:
        return self._is_gone or self._code() is not None

    def _code(self, seconds: float = 0) -> int | None:
        """The exit code; None if the process still runs after that time."""
        with self._running_lock:
            return self._running.wait(seconds)

    def called(self, arguments: pa.Table, caller: str, has_to_end: Callable[[str], bool]) -> pa.Table:
        """The answer: texts in `result` for each row, or the rows of a table function; raises _Ended."""
        table = packed(arguments)
        while not self._lock.acquire(timeout=POLL_SECONDS):
            if has_to_end(caller):
                raise _Ended
        try:
            if self._is_stopped:
                raise _Ended
            self.caller = caller
            frame = self._answer(table)
        finally:
            self.caller = ""
            self._lock.release()
        if frame is None and self._has_answered:
            # It may have died before this call. Functions have no effect, so that another process can repeat it.
            self._is_gone = True
        if frame is None and (self._is_stopped or self._is_gone):
            raise _Ended
        if frame is None:
            raise FunctionError(f"the function's process ended with exit code {self._code(GRACE_SECONDS)}")
        self._has_answered = True
        kind, payload = frame
        if kind == ERROR:
            raise FunctionError(payload.decode(errors="replace").rstrip())
        return unpacked(payload)

    def _answer(self, table: bytes) -> tuple[bytes, bytes] | None:
        """The frame that answers one call; None if the process ended."""
        try:
            if self._connection is None:
                self._connect()
            write_frame(self._requests, TABLE, table)
            return read_frame(self._answers)
        except OSError:
            return None

    def _connect(self) -> None:
        """Wait for the process, which needs its folder no more once it is connected; raises OSError if it ended."""
        try:
            self._connection = self._accepted()
        finally:
            remove_home(self._home)
        self._requests = self._connection.makefile("wb")
        self._answers = self._connection.makefile("rb")

    def _accepted(self) -> socket.socket:
        while not (self._is_stopped or self.is_over):
            with contextlib.suppress(TimeoutError):
                connection = self._listening.accept()[0]
                connection.settimeout(None)
                return connection
        raise OSError

    def stop(self) -> None:
        self._is_stopped = True
        with self._running_lock:
            self._running.end()
        with self._lock:
            for one in (self._connection, self._listening):
                if one is not None:
                    one.close()
            remove_home(self._home)


def _listening(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1)
    listening.settimeout(POLL_SECONDS)
    return listening


def _request_file(home: Path, request: str) -> Path:
    file = home / "request.json"
    file.write_text(json.dumps({**json.loads(request), "socket": str(home / "socket")}), encoding="utf-8")
    return file


def _started(account: Account, request: Path) -> Running:
    log = account.folder / "functions.log"
    server_log.opened(log).close()
    return account.part(ProcedureProcesses).parent.start(
        [sys.executable, "-m", "sfml_local.processes.function_worker", str(request)],
        log=log,
        env={**without_proxies(), "PYTHONUNBUFFERED": "1"},
        cwd=account.folder,
    )


class Functions:
    """The processes of an account's Python functions, by what they were asked for."""

    def __init__(self, account: Account) -> None:
        self.texts: dict[str, str] = {}
        """Requests by digest: DuckDB's threads are new to Python at each call, and would open the store again."""
        self._processes = Pool[str, _Process](MOST, lambda request: _Process(account, request))
        self._lock = threading.Lock()
        self._ended: set[str] = set()
        """The marks of statements that are cancelled, or too late, and still execute."""
        self._is_stopped = False

    def called(self, request: str, caller: str, arguments: pa.Table) -> pa.Table:
        """The answer of the function's process; `caller` is the mark of the calling statement."""
        while not self._has_to_end(caller):
            with self._processes.of(request) as process, contextlib.suppress(_Ended):
                return process.called(arguments, caller, self._has_to_end)
        raise FunctionError("the statement or the server ended")

    def _has_to_end(self, caller: str) -> bool:
        return self._is_stopped or caller in self._ended

    def end(self, callers: Set[str]) -> None:
        """End the processes that compute calls of these statements; they begin no other until `forget`."""
        with self._lock:
            self._ended |= callers
        self._processes.end(lambda _, process: process.caller in callers)

    def forget(self, callers: Set[str]) -> None:
        """Let go of the marks of statements that no longer execute."""
        with self._lock:
            self._ended -= callers

    def stop(self) -> None:
        """End all of them."""
        self._is_stopped = True
        self._processes.end()


@contextlib.contextmanager
def watched(account: Account, session: Session, marks: Set[str]) -> Iterator[None]:
    """End the processes that work for a statement with these marks when it is cancelled or reaches its timeout."""
    if not marks:
        yield
        return
    child, done, limit = Child(session), threading.Event(), statement_timeout(session)
    late = threading.Event()

    def watch() -> None:
        if not child.stop.wait(limit) and not done.is_set():
            late.set()
        # A process that is just starting ends, too.
        while not done.wait(POLL_SECONDS):
            account.part(Functions).end(marks)

    watcher = threading.Thread(target=watch, daemon=True)
    account.children.add(child)
    watcher.start()
    try:
        yield
    except Exception:
        if late.is_set():
            raise timed_out(limit) from None
        if child.stop.is_set():
            raise SqlError("SQL execution canceled", 604, "57014") from None
        raise
    finally:
        done.set()
        account.children.discard(child)
        child.stop.set()
        watcher.join()
        account.part(Functions).forget(marks)


def stop(account: Account) -> None:
    """End the processes of an account's functions."""
    account.part(Functions).stop()
