"""Blocks of Snowflake Scripting, executed statement by statement; unsupported features are refused first.

https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.queries import Queries
from sfml_local.core.result import CALL, Column, Result, scalar
from sfml_local.grammar.script_steps import (
    Assign,
    Block,
    Close,
    Count,
    Cursor,
    Each,
    ExceptionType,
    ExecuteImmediate,
    Fetch,
    If,
    Leave,
    Nothing,
    Open,
    Raise,
    Repeat,
    ResultSet,
    Return,
    ReturnTable,
    Run,
    Step,
    Unsupported,
    While,
)
from sfml_local.grammar.scripting import parse_immediate
from sfml_local.services.routines.procedure_types import VariantText, column_of, converted, marked
from sfml_local.services.routines.scopes import scope
from sfml_local.services.routines.script_text import with_values, without_into

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

COLUMN = "anonymous block"
CANCELED = 604
NOT_EMULATED = 2
STATEMENT, EXPRESSION, OTHER = "STATEMENT_ERROR", "EXPRESSION_ERROR", "OTHER"


class _Returned(Exception):
    """RETURN: ends the block with a value or with the rows of a result."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _Left(Exception):
    """BREAK or CONTINUE: ends a loop, or one turn of it."""

    def __init__(self, step: Leave) -> None:
        super().__init__()
        self.step = step


class _Failed(SqlError):
    """An error with the name that handlers use."""

    def __init__(self, name: str, error: SqlError, said: str | None = None) -> None:
        super().__init__(error.message, error.errno, error.sqlstate)
        self.name = name
        self.said = error.message if said is None else said


@dataclass(slots=True)
class _Rows:
    """A cursor or a result set, with its query, and its remaining rows once it is open."""

    query: str
    result: Result | None = None
    left: Iterator[tuple[Any, ...]] = field(default_factory=lambda: iter(()))
    is_open: bool = False


@dataclass(slots=True)
class Script:
    """One run of a block: `variables` by upper-case name."""

    account: Account
    session: Session
    variables: dict[str, Any] = field(default_factory=dict)
    handling: _Failed | None = None
    types: dict[str, Column] = field(default_factory=dict)
    """The declared types of variables."""

    def run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._check()
            self._run(step)

    def _check(self) -> None:
        """Raise if the server ends, or if the statement or the task around the block was cancelled."""
        stop = getattr(self.session.task, "stop", None)
        self.account.part(Queries).check(self.account.query_id)
        if (stop is not None and stop.state is not None) or self.account.stopping.is_set():
            raise SqlError("SQL execution canceled", CANCELED, "57014")

    def _run(self, step: Step) -> None:
        match step:
            case Assign() | Cursor() | ResultSet() | ExceptionType():
                self._assign(step)
            case Return(expression):
                raise _Returned(self._value(expression))
            case ReturnTable(name):
                raise _Returned(self._opened(name).result)
            case Run(sql):
                self._statement(sql)
            case If(branches):
                for condition, steps in branches:
                    if self._value(condition):
                        return self.run(steps)
            case While() | Repeat() | Count() | Each():
                self._loop(step)
            case Leave():
                raise _Left(step)
            case Open(name, values):
                self._open(name, [self._value(value) for value in values])
            case Fetch(name, targets):
                row = next(self._rows(name, opened=True).left, None)
                if row is not None:  # after the last row, the variables keep their values
                    self._take(targets, row, self._rows(name).result)
            case Close(name):
                self._rows(name, opened=True).is_open = False
            case Raise(name):
                self._raise(name)
            case Block():
                self._block(step)
            case Nothing() | Unsupported():
                pass
        return None

    # -- blocks

    def _block(self, block: Block) -> None:
        """Run an inner block: its variables end with it, and it may change those of the outer block."""
        inner = replace(self, variables=dict(self.variables), types=dict(self.types))
        try:
            inner.carry_out(block)
        finally:
            self.variables |= {name: inner.variables[name] for name in self.variables}

    def carry_out(self, block: Block) -> None:
        """Run the statements of a block; if one fails, run its handler, if there is one."""
        self.run(block.declared)
        try:
            self.run(block.steps)
        except SqlError as error:
            self._check()
            failed = error if isinstance(error, _Failed) else _Failed(STATEMENT, error)
            steps = _handler(block, failed)
            if steps is None:
                raise
            before, self.handling = self.handling, failed
            told = {"SQLCODE": failed.errno, "SQLERRM": failed.said, "SQLSTATE": failed.sqlstate}
            self.variables |= told
            self.run(steps)
            self.handling = before

    def _raise(self, name: str | None) -> None:
        if name is None:
            if self.handling is None:
                raise SqlError("SQL compilation error:\nRAISE outside of a handler", 1003, "42000")
            raise self.handling
        kind = self.variables.get(name)
        if not isinstance(kind, ExceptionType):
            raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
        sentence = f"Uncaught exception of type '{name}' : {kind.sentence}".rstrip(" :")
        raise _Failed(name, SqlError(sentence, kind.number, "P0001"), kind.sentence)

    # -- loops

    def _loop(self, loop: While | Repeat | Count | Each) -> None:
        match loop:
            case While(condition):
                while self._value(condition) and self._turn(loop):
                    pass
            case Repeat(_, until):
                while self._turn(loop) and not self._value(until):
                    pass
            case Count(variable, first, last, reverse):
                numbers = range(round(self._value(first)), round(self._value(last)) + 1)
                for number in reversed(numbers) if reverse else numbers:
                    self.variables[variable] = number
                    if not self._turn(loop):
                        break
            case Each(variable, source):
                rows = self._opened(source.strip().upper())
                names = rows.result.names() if rows.result is not None else ()
                for row in rows.left:
                    self.variables[variable] = dict(zip(names, _marked(rows.result, row), strict=True))
                    if not self._turn(loop):
                        break
                rows.is_open = False

    def _turn(self, loop: While | Repeat | Count | Each) -> bool:
        """Run the statements of a loop once; False if the loop is left."""
        self._check()
        try:
            self.run(loop.steps)
        except _Left as left:
            if left.step.label not in (None, loop.label):
                raise
            return left.step.goes_on
        return True

    # -- values and rows

    def _assign(self, step: Assign | Cursor | ResultSet | ExceptionType) -> None:
        match step:
            case Cursor(name, query):
                self.variables[name] = _Rows(query)
            case ResultSet(name, query):
                self.variables[name] = self._asked(query) if query else _Rows("")
            case ExceptionType(name):
                self.variables[name] = step
            case Assign(name, expression, declares, type):
                if type:
                    self.types[name] = column_of(name, type)
                if not declares and name not in self.variables:
                    raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
                if not declares and expression and isinstance(self.variables[name], _Rows):
                    self.variables[name] = self._asked(expression)
                else:
                    value = None if expression is None else self._value(expression)
                    self.variables[name] = self._held(name, value)

    def _asked(self, text: str) -> _Rows:
        """The rows of the statement between the parentheses."""
        inner = text.strip()
        result = self._execute(inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner)
        return _Rows("", result, iter(result.rows), is_open=True)

    def _rows(self, name: str, *, opened: bool = False) -> _Rows:
        rows = self.variables.get(name)
        if not isinstance(rows, _Rows):
            raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
        if opened and not rows.is_open:
            raise SqlError(f"Cursor '{name}' is not open.", 90000, "P0000")
        return rows

    def _opened(self, name: str) -> _Rows:
        if not self._rows(name).is_open:
            self._open(name, [])
        return self._rows(name)

    def _open(self, name: str, values: list[Any]) -> None:
        rows = self._rows(name)
        source = self.variables.get(rows.query.strip().upper())
        if isinstance(source, _Rows):
            rows.result = self._opened(rows.query.strip().upper()).result
        elif rows.query:
            rows.result = self._execute(rows.query, values)
        if rows.result is not None:
            rows.left, rows.is_open = iter(rows.result.rows), True

    def _value(self, expression: str) -> Any:
        text = with_values(expression, self.variables, bare=True)
        with _naming(EXPRESSION):
            result = self.account.execute(self.session, f"SELECT {text}")
        return marked(result.scalar, result.columns[0])

    def _held(self, name: str, value: Any) -> Any:
        """A VARIANT in the declared type of its variable."""
        column = self.types.get(name)
        return value if column is None or not isinstance(value, VariantText) else converted(value, column)

    def _take(self, names: Sequence[str], row: Sequence[Any], result: Result | None) -> None:
        """Assign a row of a result to variables."""
        values = zip(names, _marked(result, row), strict=False)
        self.variables |= {name: self._held(name, value) for name, value in values}

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> Result:
        """The result of a statement; EXECUTE IMMEDIATE may take its text from a variable."""
        immediate = parse_immediate(sql)
        if immediate is not None and (immediate.text is None or immediate.values):
            sql = immediate.text or str(self._value(immediate.expression))
            values = [self._value(value) for value in immediate.values]
        else:
            sql = with_values(sql, self.variables)
        with _naming(STATEMENT):
            return self.account.execute(self.session, sql, values, query_id=self.account.query_id)

    def _statement(self, sql: str) -> None:
        sql, targets = without_into(sql)
        result = self._execute(sql)
        self._count(result)
        if not targets:
            return
        if len(result.rows) > 1:
            error = SqlError(
                "A SELECT INTO statement expects exactly 1 returned row, but got more than one row.",
                *(90236, "P0000"),
            )
            raise _Failed(STATEMENT, error)
        row = result.rows[0] if len(result.rows) else (None,) * len(targets)
        self._take(targets, row, result)

    def _count(self, result: Result) -> None:
        """SQLROWCOUNT, SQLFOUND and SQLNOTFOUND of the latest DML statement."""
        if result.columns and result.columns[0].name.startswith("number of rows") and len(result.rows) == 1:
            named = zip(result.columns, result.rows[0], strict=True)
            count = sum(int(value) for column, value in named if column.name.startswith("number of rows"))
            self.variables |= {"SQLROWCOUNT": count, "SQLFOUND": count > 0, "SQLNOTFOUND": count == 0}


def _marked(result: Result | None, row: Sequence[Any]) -> Sequence[Any]:
    """The values of a row, in which those of VARIANT columns stay VARIANTs."""
    if result is None or len(result.columns) != len(row):
        return row
    return [marked(value, column) for value, column in zip(row, result.columns, strict=True)]


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Give an error the name that handlers use, unless a block that was called has given it one."""
    try:
        yield
    except _Failed:
        raise
    except SqlError as error:
        raise _Failed(name, error) from error


def _handler(block: Block, failed: _Failed) -> tuple[Step, ...] | None:
    """The block's handler for an error; cancellations and features that are not emulated cannot be handled."""
    if failed.errno in (CANCELED, NOT_EMULATED) and failed.name in (STATEMENT, EXPRESSION):
        return None
    return next((steps for names, steps in block.handlers if {failed.name, OTHER} & set(names)), None)


def run_block(
    account: Account,
    session: Session,
    block: Block,
    variables: Mapping[str, Any] | None = None,
    column: str = COLUMN,
) -> Result:
    """The result: the value of RETURN or NULL, in Snowflake's column, or the rows of RETURN TABLE."""
    if (text := block.unsupported()) is not None:
        raise not_emulated(f"in a Snowflake Scripting block: {text}")
    told = dict.fromkeys(("SQLROWCOUNT", "SQLFOUND", "SQLNOTFOUND", "SQLCODE", "SQLERRM", "SQLSTATE"))
    with scope(account, session):
        script = Script(account, session, {**told, **(variables or {})})
        return _result(script, block, column)


def _result(script: Script, block: Block, column: str) -> Result:
    try:
        script.carry_out(block)
    except _Returned as returned:
        if isinstance(returned.value, Result):
            return returned.value
        return scalar(column, returned.value, statement_type_id=CALL)
    except _Left as left:
        raise SqlError(
            f"SQL compilation error:\nno loop to leave: {left.step.label or ''}", 1003, "42000"
        ) from None
    return scalar(column, None, statement_type_id=CALL)


def execute_immediate(account: Account, session: Session, statement: ExecuteImmediate) -> Result:
    text = statement.text
    if text is None:
        text = str(account.evaluate(session, statement.expression))
    values = [account.evaluate(session, value) for value in statement.values]
    return account.execute(session, text, values, query_id=account.query_id)
