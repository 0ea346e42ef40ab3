"""Blocks of Snowflake Scripting, executed statement by statement; unsupported features are refused first.

https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.bindings import sql_literal
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.nested_statements import nested
from sfml_local.core.queries import Queries
from sfml_local.core.result import CALL, Column, Result
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
    Placed,
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
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.routines.procedure_types import (
    VariantText,
    castable,
    column_of,
    is_natural,
    marked,
)
from sfml_local.services.routines.scopes import scope
from sfml_local.services.routines.script_text import is_simple, with_values, without_into

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

COLUMN = "anonymous block"
CANCELED = 604
NOT_EMULATED = 2
UNKNOWN_NAME = 904
TIMED_OUT = 630
UNTOLD = frozenset({CANCELED, NOT_EMULATED, TIMED_OUT})
"""Errors of no statement of a block: of what ends it."""

SEMI_STRUCTURED = frozenset({"variant", "object", "array"})
NULL = Result((Column(COLUMN),), ((None,),))
STATEMENT, EXPRESSION, OTHER = "STATEMENT_ERROR", "EXPRESSION_ERROR", "OTHER"


class _Returned(Exception):
    """RETURN: ends the block with the value of an expression, or with the rows of a result if there is none."""

    def __init__(self, result: Result, expression: str | None = None, *, plain: bool = False) -> None:
        super().__init__()
        self.result = result
        self.expression = expression
        self.plain = plain
        """Whether it is a literal, a name or a cast, and its RETURN in no branch, loop, handler or inner block."""


class _Left(Exception):
    """BREAK or CONTINUE: ends a loop, or one turn of it."""

    def __init__(self, step: Leave) -> None:
        super().__init__()
        self.step = step


class _Failed(SqlError):
    """An error with the name that handlers use; clients are told where in the block it was, handlers only `said`."""

    def __init__(self, name: str, error: SqlError, at: str | None = None) -> None:
        told = error.message
        if isinstance(at, Placed) and error.errno == UNKNOWN_NAME and name == EXPRESSION:
            told = _unknown_name(told, at)
        elif isinstance(at, Placed) and error.errno not in UNTOLD:
            where = f"on line {at.line} at position {at.position} : {told}"
            told = f"Uncaught exception of type '{name}' {where}".rstrip(" :")
        super().__init__(told, error.errno, error.sqlstate)
        self.name = name
        self.said = error.message


def _unknown_name(told: str, expression: Placed) -> str:
    """The refusal of a name in an expression, at its place in the block; names of a query are those of a statement."""
    name = re.search(r"invalid identifier '(.+)'", told)
    tokens = Tokens(expression)
    if name is None or "SELECT" in expression.upper():
        return told
    while (token := tokens.peek()) is not None and token.text.upper() != name[1].split(".")[0].upper():
        tokens.index += 1
    if token is None or "\n" in expression[: token.start]:
        return told
    where = f"error line {expression.line} at position {expression.position + token.start}"
    return f"SQL compilation error: {where}\n{name[0]}"


@dataclass(slots=True)
class _Rows:
    """A cursor or a result set, with its query, and its remaining rows once it is open."""

    query: str
    result: Result | None = None
    left: Iterator[tuple[Any, ...]] = field(default_factory=lambda: iter(()))
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """The procedure that runs a block: the values and types of its parameters by name, and what it RETURNS."""

    name: str
    returns: str
    values: Mapping[str, Any]
    types: Mapping[str, str]


@dataclass(slots=True)
class Script:
    """One run of a block: `variables` by upper-case name."""

    account: Account
    session: Session
    variables: dict[str, Any] = field(default_factory=dict)
    handling: _Failed | None = None
    types: dict[str, str] = field(default_factory=dict)
    """The declared types of variables."""
    own: set[str] = field(default_factory=set)
    """The variables that end with this branch, loop, handler or inner block."""
    is_inner: bool = False

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
            case Return(None):
                raise _Returned(NULL, "NULL")
            case Return(str(expression)):
                plain = not self.is_inner and is_simple(expression)
                raise _Returned(self._evaluated(expression), expression, plain=plain)
            case ReturnTable(name):
                raise _Returned(self._opened(name).result or NULL)
            case Run(sql):
                self._statement(sql)
            case If(branches):
                for condition, steps in branches:
                    if self._holds(condition):
                        with self._inner() as inner:
                            return inner.run(steps)
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

    @contextlib.contextmanager
    def _inner(self) -> Iterator[Script]:
        """A branch, turn of a loop, handler or inner block: what it declares ends with it, and may hide others."""
        variables, types = dict(self.variables), dict(self.types)
        inner = replace(self, variables=variables, types=types, own=set(), is_inner=True)
        try:
            yield inner
        finally:
            kept = self.variables.keys() - inner.own
            self.variables |= {name: inner.variables[name] for name in kept}

    def _block(self, block: Block) -> None:
        with self._inner() as inner:
            inner.carry_out(block)

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
            told = {"SQLCODE": failed.errno, "SQLERRM": failed.said, "SQLSTATE": failed.sqlstate}
            self.variables |= told
            with self._inner() as inner:
                inner.handling = failed
                inner.run(steps)

    def _raise(self, name: str | None) -> None:
        if name is None:
            if self.handling is None:
                raise SqlError("SQL compilation error:\nRAISE outside of a handler", 1003, "42000")
            raise self.handling
        kind = self.variables.get(name)
        if not isinstance(kind, ExceptionType):
            raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
        raise _Failed(str(name), SqlError(kind.sentence, kind.number, "P0001"), name)

    # -- loops

    def _loop(self, loop: While | Repeat | Count | Each) -> None:
        match loop:
            case While(condition):
                while self._holds(condition) and self._turn(loop):
                    pass
            case Repeat(_, until):
                while self._turn(loop) and not self._holds(until):
                    pass
            case Count(variable, first, last, reverse):
                numbers = range(round(self._value(first)), round(self._value(last)) + 1)
                with self._inner() as counting:
                    counting._declare(variable)
                    for number in reversed(numbers) if reverse else numbers:
                        counting.variables[variable] = number
                        if not counting._turn(loop):
                            break
            case Each(variable, source):
                rows = self._opened(source.strip().upper())
                names = rows.result.names() if rows.result is not None else ()
                with self._inner() as reading:
                    reading._declare(variable)
                    for row in rows.left:
                        reading.variables[variable] = dict(zip(names, _marked(rows.result, row), strict=True))
                        if not reading._turn(loop):
                            break
                rows.is_open = False

    def _turn(self, loop: While | Repeat | Count | Each) -> bool:
        """Run the statements of a loop once; False if the loop is left."""
        self._check()
        try:
            with self._inner() as inner:
                inner.run(loop.steps)
        except _Left as left:
            if left.step.label not in (None, loop.label):
                raise
            return left.step.goes_on
        return True

    # -- values and rows

    def _assign(self, step: Assign | Cursor | ResultSet | ExceptionType) -> None:
        value: Any
        match step:
            case Cursor(name, query):
                value = _Rows(query)
            case ResultSet(name, query):
                value = self._asked(query) if query else _Rows("")
            case ExceptionType(name):
                value = step
            case Assign(name, expression, True, type):
                value = None if expression is None else self._typed(expression, type)
                self._declare(name, type)
            case Assign(name, expression):
                if name not in self.variables:
                    raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
                is_rows = isinstance(self.variables[name], _Rows)
                value = self._asked(expression or "") if is_rows else self._reassigned(name, expression or "")
        if not isinstance(step, Assign):
            self._declare(step.name)
        self.variables[step.name] = value

    def _declare(self, name: str, type: str = "") -> None:
        """A variable of this type that ends with the branch, loop, handler or block."""
        self.own.add(name)
        self.types.pop(name, None)
        if type:
            column_of(name, type)
            self.types[name] = type

    def _reassigned(self, name: str, expression: str) -> Any:
        return self._typed(expression, self.types.get(name, ""))

    def _typed(self, expression: str, type: str) -> Any:
        """The value of an expression in a declared type, unless that is semi-structured or missing."""
        is_converted = type and column_of("variable", type).type not in SEMI_STRUCTURED
        return self._value(expression, type if is_converted else "")

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

    def _holds(self, condition: str) -> bool:
        """Whether a condition is met: by TRUE, and by what is written `1` or `true`; recorded on an account."""
        value = self._value(condition)
        return value is True or (f"{value:g}" if isinstance(value, float) else str(value)).lower() in (
            "1",
            "true",
        )

    def _value(self, expression: str, type: str = "") -> Any:
        result = self._evaluated(expression, type)
        return marked(result.scalar, result.columns[0])

    def _evaluated(self, expression: str, type: str = "") -> Result:
        """The value of an expression, cast to the type if there is one."""
        text = with_values(expression, self.variables, bare=True)
        with _naming(EXPRESSION, expression):
            return self.account.execute(self.session, _cast(f"({text})", type) if type else f"SELECT {text}")

    def declared(self, result: Result, type: str, expression: str) -> Any:
        """The value of an expression in the type that a procedure RETURNS."""
        column, value = result.columns[0], marked(result.scalar, result.columns[0])
        wanted = column_of("value", type)
        is_kept = column.type == wanted.type and column.type in SEMI_STRUCTURED
        if value is None or is_kept or is_natural(value, wanted, type):
            return result.scalar
        written = sql_literal(value)
        with _naming(EXPRESSION, expression):
            text = f"PARSE_JSON({written})" if isinstance(value, VariantText) else written
            return self.account.execute(self.session, _cast(text, type)).scalar

    def _held(self, name: str, value: Any) -> Any:
        """A value of a row in the declared type of its variable."""
        type = self.types.get(name, "")
        column = column_of(name, type) if type else None
        if column is None or value is None or column.type in SEMI_STRUCTURED:
            return value
        if isinstance(value, VariantText) and (value := value.plain) is None:
            return None
        return value if is_natural(value, column, type) else self._value(sql_literal(value), type)

    def _take(self, names: Sequence[str], row: Sequence[Any], result: Result | None) -> None:
        """Assign a row of a result to variables."""
        values = zip(names, _marked(result, row), strict=False)
        self.variables |= {name: self._held(name, value) for name, value in values}

    def _execute(self, sql: str, values: Sequence[Any] = (), at: str | None = None) -> Result:
        """The result of a statement; EXECUTE IMMEDIATE may take its text from a variable."""
        at = sql if at is None else at
        immediate = parse_immediate(sql)
        if immediate is not None and (immediate.text is None or immediate.values):
            sql = immediate.text or str(self._value(immediate.expression))
            values = [self._value(value) for value in immediate.values]
        else:
            sql = with_values(sql, self.variables)
        with _naming(STATEMENT, at):
            return self.account.execute(self.session, sql, values, query_id=self.account.query_id)

    def _statement(self, sql: str) -> None:
        text, targets = without_into(sql)
        result = self._execute(text, at=sql)
        self._count(result)
        if not targets:
            return
        if len(result.rows) > 1:
            error = SqlError(
                "A SELECT INTO statement expects exactly 1 returned row, but got more than one row.",
                *(90236, "P0000"),
            )
            raise _Failed(STATEMENT, error, sql)
        row = result.rows[0] if len(result.rows) else (None,) * len(targets)
        self._take(targets, row, result)

    def _count(self, result: Result) -> None:
        """SQLROWCOUNT, SQLFOUND and SQLNOTFOUND of the latest statement, NULL where it was no DML; ACTIVITY_COUNT."""
        count: int | None = None
        if result.columns and result.columns[0].name.startswith("number of rows") and len(result.rows) == 1:
            named = zip(result.columns, result.rows[0], strict=True)
            count = sum(int(value) for column, value in named if column.name.startswith("number of rows"))
        found = (None, None) if count is None else (count > 0, count == 0)
        self.variables |= {"SQLROWCOUNT": count, "SQLFOUND": found[0], "SQLNOTFOUND": found[1]}
        self.variables["ACTIVITY_COUNT"] = len(result.rows) if count is None else count


def _marked(result: Result | None, row: Sequence[Any]) -> Sequence[Any]:
    """The values of a row, in which those of VARIANT columns stay VARIANTs."""
    if result is None or len(result.columns) != len(row):
        return row
    return [marked(value, column) for value, column in zip(row, result.columns, strict=True)]


def _cast(text: str, type: str) -> str:
    return f"SELECT CAST({text} AS {castable(type)})"


@contextlib.contextmanager
def _naming(name: str, at: str) -> Iterator[None]:
    """Give an error the name that handlers use, unless a block that was called has given it one."""
    try:
        yield
    except _Failed:
        raise
    except SqlError as error:
        raise _Failed(name, error, at) from error


def _handler(block: Block, failed: _Failed) -> tuple[Step, ...] | None:
    """The block's handler for an error; cancellations and features that are not emulated cannot be handled."""
    if failed.errno in (CANCELED, NOT_EMULATED) and failed.name in (STATEMENT, EXPRESSION):
        return None
    return next((steps for names, steps in block.handlers if {failed.name, OTHER} & set(names)), None)


def run_block(account: Account, session: Session, block: Block, called: Called | None = None) -> Result:
    """The result: the value of RETURN or NULL, in Snowflake's column, or the rows of RETURN TABLE."""
    if (text := block.unsupported()) is not None:
        raise not_emulated(f"in a Snowflake Scripting block: {text}")
    variables: dict[str, Any] = dict.fromkeys(TOLD)
    types: Mapping[str, str] = {}
    if called is not None:
        variables |= called.values
        types = called.types
    with scope(account, session), nested():
        return _result(Script(account, session, variables, types=dict(types)), block, called)


TOLD = ("SQLROWCOUNT", "SQLFOUND", "SQLNOTFOUND", "ACTIVITY_COUNT", "SQLCODE", "SQLERRM", "SQLSTATE")


def _result(script: Script, block: Block, called: Called | None) -> Result:
    name = COLUMN if called is None else called.name
    try:
        script.carry_out(block)
    except _Returned as returned:
        return _answer(script, returned, name, called)
    except _Left as left:
        raise SqlError(
            f"SQL compilation error:\nno loop to leave: {left.step.label or ''}", 1003, "42000"
        ) from None
    column = Column(name) if called is None else column_of(name, called.returns)
    return Result((column,), ((None,),), CALL)


def _answer(script: Script, returned: _Returned, name: str, called: Called | None) -> Result:
    """A plain or semi-structured value in the type that a procedure RETURNS, any other in its own; rows as they are."""
    if returned.expression is None:
        return returned.result
    own = returned.result.columns[0]
    declared = Column(name) if called is None else column_of(name, called.returns)
    is_text_of_json = own.type in SEMI_STRUCTURED and declared.type not in SEMI_STRUCTURED
    if called is None or not (returned.plain or is_text_of_json):
        column = replace(own, name=name, length=None, nullable=True)
        return Result((column,), ((returned.result.scalar,),), CALL)
    value = script.declared(returned.result, called.returns, returned.expression)
    return Result((declared,), ((value,),), CALL)


def execute_immediate(account: Account, session: Session, statement: ExecuteImmediate) -> Result:
    text = statement.text
    if text is None:
        text = str(account.evaluate(session, statement.expression))
    values = [account.evaluate(session, value) for value in statement.values]
    return account.execute(session, text, values, query_id=account.query_id)
