"""Blocks of Snowflake Scripting, carried out statement by statement; what they cannot do here is refused at once.

https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot.tokens import TokenType

from sfml.grammar import Tokens
from sfml.grammar.scripting import (
    Assign,
    Block,
    ExecuteImmediate,
    If,
    Nothing,
    Return,
    Run,
    Step,
    Unsupported,
)
from sfml.local.bindings import sql_literal
from sfml.local.errors import SqlError, not_emulated
from sfml.local.result import CALL, Result, scalar

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

_OPERANDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.STRING}
)
COLUMN = "anonymous block"


class _Returned(Exception):
    """RETURN: ends the block with a value."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass(slots=True)
class Script:
    """One run of a block: `variables` by upper-case name."""

    account: Account
    session: Session
    variables: dict[str, Any] = field(default_factory=dict)

    def run(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self._run(step)

    def _run(self, step: Step) -> None:
        match step:
            case Assign(name, expression, declares):
                if not declares and name not in self.variables:
                    raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
                self.variables[name] = None if expression is None else self._value(expression)
            case Return(expression):
                raise _Returned(self._value(expression))
            case Run(sql):
                self._statement(sql)
            case If(branches):
                for condition, steps in branches:
                    if self._value(condition):
                        return self.run(steps)
            case Block(steps):
                # Variables of an inner block end with it; those of the outer one may be changed in it.
                inner = Script(self.account, self.session, dict(self.variables))
                inner.run(steps)
                self.variables |= {name: inner.variables[name] for name in self.variables}
            case Nothing() | Unsupported():
                pass
        return None

    def _value(self, expression: str) -> Any:
        return self.account.engine.evaluate(self.session, with_values(expression, self.variables, bare=True))

    def _statement(self, sql: str) -> None:
        sql, targets = without_into(sql)
        text = with_values(sql, self.variables)
        result = self.account.execute(self.session, text, query_id=self.account.query_id)
        if not targets:
            return
        if len(result.rows) != 1:
            found = "no rows" if not result.rows else "more than one row"
            raise SqlError(
                f"A SELECT INTO statement expects exactly 1 returned row, but got {found}.", 90236, "P0000"
            )
        self.variables |= dict(zip(targets, result.rows[0], strict=False))


def with_values(text: str, variables: dict[str, Any], *, bare: bool = False) -> str:
    """The text with every variable written out: `:name`, and in expressions the bare name too."""
    tokens = Tokens(text)
    pieces: list[str] = []
    copied = 0
    before = None
    while (token := tokens.peek()) is not None:
        following = tokens.peek(1)
        touches = before is not None and before.end + 1 == token.start and before.token_type in _OPERANDS
        if token.token_type is TokenType.COLON and following is not None and not touches:
            name = following.text.upper()
            if name in variables:
                pieces += [text[copied : token.start], sql_literal(variables[name])]
                copied = following.end + 1
                tokens.index += 1
                token = following
        elif bare and token.token_type is TokenType.VAR and token.text.upper() in variables:
            called = following is not None and following.token_type in (TokenType.L_PAREN, TokenType.DOT)
            if not called and (before is None or before.token_type is not TokenType.DOT):
                pieces += [text[copied : token.start], sql_literal(variables[token.text.upper()])]
                copied = token.end + 1
        before = token
        tokens.index += 1
    return "".join([*pieces, text[copied:]])


def without_into(sql: str) -> tuple[str, tuple[str, ...]]:
    """`SELECT … INTO :a, :b FROM …` without its INTO, and the names after it."""
    tokens = Tokens(sql)
    if not tokens.is_words("SELECT"):
        return sql, ()
    while not tokens.at_end:
        start, following = tokens.offset, tokens.peek(1)
        if tokens.is_words("INTO") and following is not None and following.token_type is TokenType.COLON:
            tokens.match_words("INTO")
            names = []
            while tokens.match_type(TokenType.COLON):
                names.append(tokens.identifier())
                tokens.match_type(TokenType.COMMA)
            return sql[:start] + sql[tokens.offset :], tuple(names)
        tokens.index += 1
    return sql, ()


def run_block(
    account: Account,
    session: Session,
    block: Block,
    variables: Mapping[str, Any] | None = None,
    column: str = COLUMN,
) -> Result:
    """The value of RETURN, or NULL, under the column that Snowflake names so."""
    if (text := block.unsupported()) is not None:
        raise not_emulated(f"in a Snowflake Scripting block: {text}")
    script = Script(account, session, dict(variables or {}))
    try:
        script.run(block.steps)
    except _Returned as returned:
        return scalar(column, returned.value, statement_type_id=CALL)
    return scalar(column, None, statement_type_id=CALL)


def execute_immediate(account: Account, session: Session, statement: ExecuteImmediate) -> Result:
    if statement.text is None:
        raise not_emulated(statement.written)
    return account.execute(session, statement.text, query_id=account.query_id)


HANDLERS = {Block: run_block, ExecuteImmediate: execute_immediate}
