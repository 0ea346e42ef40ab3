"""Snowflake Scripting: blocks with variables, statements and IF, and EXECUTE IMMEDIATE.

Loops, cursors, CASE and exception handlers are read no further than their first word.
https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml.grammar.tokens import Tokens

__all__ = ["Assign", "Block", "ExecuteImmediate", "If", "Nothing", "Return", "Run", "Unsupported", "parse"]

_TRANSACTIONS = ("TRANSACTION", "WORK", "NAME")
_UNSUPPORTED = (
    *("FOR", "WHILE", "LOOP", "REPEAT", "CASE", "EXCEPTION", "OPEN", "FETCH", "CLOSE", "RAISE"),
    *("AWAIT", "ASYNC", "CANCEL", "BREAK", "EXIT", "CONTINUE", "ITERATE"),
)
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


@dataclass(frozen=True, slots=True)
class Assign:
    """`LET name [type] := expression`, `name := expression`, or a declaration without a value."""

    name: str
    expression: str | None
    declares: bool


@dataclass(frozen=True, slots=True)
class Return:
    expression: str


@dataclass(frozen=True, slots=True)
class Run:
    """A SQL statement, as written."""

    sql: str


@dataclass(frozen=True, slots=True)
class If:
    """(condition, statements) of IF and each ELSEIF; ELSE has the condition TRUE."""

    branches: tuple[tuple[str, tuple[Step, ...]], ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """NULL;"""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What is not read: from its first word to the end of the script."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    steps: tuple[Step, ...]

    def unsupported(self) -> str | None:
        """The first thing in it that is not read."""
        return next((step.text for step in _walk(self.steps) if isinstance(step, Unsupported)), None)


Step = Assign | Return | Run | If | Nothing | Unsupported | Block


@dataclass(frozen=True, slots=True)
class ExecuteImmediate:
    """EXECUTE IMMEDIATE; `text` is None when what it executes is no plain text, or values are bound."""

    text: str | None
    written: str


def _walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Block):
            yield from _walk(step.steps)
        elif isinstance(step, If):
            for _, inner in step.branches:
                yield from _walk(inner)


def parse(tokens: Tokens) -> Block | ExecuteImmediate | None:
    """The block, or None when the statement is no script: BEGIN may open a transaction."""
    if tokens.match_words("EXECUTE", "IMMEDIATE"):
        text = tokens.match_string()
        return ExecuteImmediate(text if tokens.at_end else None, tokens.sql)
    if tokens.is_words("BEGIN"):
        following = tokens.peek(1)
        if following is None or following.text.upper() in _TRANSACTIONS:
            return None
        if following.token_type is TokenType.SEMICOLON:
            return None
    elif not tokens.is_words("DECLARE"):
        return None
    block = _block(tokens)
    if block.unsupported() is None:
        tokens.match_type(TokenType.SEMICOLON)
        tokens.expect_end()
    return block


def _block(tokens: Tokens) -> Block:
    steps: list[Step] = []
    if tokens.match_words("DECLARE"):
        while not tokens.is_words("BEGIN"):
            steps.append(_declaration(tokens))
            if isinstance(steps[-1], Unsupported):
                return Block(tuple(steps))
            tokens.expect_type(TokenType.SEMICOLON)
    tokens.expect_words("BEGIN")
    block = Block((*steps, *_steps(tokens, ("END",))))
    if block.unsupported() is None:
        tokens.expect_words("END")
    return block


def _steps(tokens: Tokens, ends: tuple[str, ...]) -> list[Step]:
    """The statements up to one of these words, which is left."""
    found: list[Step] = []
    while not any(tokens.is_words(end) for end in ends):
        if tokens.at_end:
            raise tokens.error(f"expected {' or '.join(ends)}")
        step = _step(tokens)
        found.append(step)
        if Block((step,)).unsupported() is not None:
            break
        tokens.expect_type(TokenType.SEMICOLON)
    return found


def _step(tokens: Tokens) -> Step:
    start = tokens.offset
    if any(tokens.is_words(word) for word in _UNSUPPORTED):
        return Unsupported(tokens.sql[start:])
    if tokens.is_words("BEGIN") or tokens.is_words("DECLARE"):
        return _block(tokens)
    if tokens.match_words("IF"):
        return _if(tokens)
    if tokens.match_words("LET"):
        return _declaration(tokens)
    if tokens.match_words("RETURN"):
        expression = _text(tokens)
        table = expression.upper().startswith("TABLE")
        return Unsupported(tokens.sql[start:]) if table else Return(expression)
    if tokens.match_words("NULL"):
        return Nothing()
    following = tokens.peek(1)
    if following is not None and following.token_type is TokenType.COLON_EQ:
        name = tokens.identifier()
        tokens.expect_type(TokenType.COLON_EQ)
        return Assign(name, _text(tokens), declares=False)
    return Run(_text(tokens))


def _declaration(tokens: Tokens) -> Assign | Unsupported:
    """`name [type] [:= | DEFAULT expression]`; cursors, result sets and exceptions are not read."""
    start = tokens.offset
    name = tokens.identifier()
    if any(tokens.is_words(word) for word in ("CURSOR", "RESULTSET", "EXCEPTION")):
        return Unsupported(tokens.sql[start:])
    while not tokens.is_words("DEFAULT") and (token := tokens.peek()) is not None:
        if token.token_type in (TokenType.COLON_EQ, TokenType.SEMICOLON):
            break
        tokens.index += 1
    given = tokens.match_words("DEFAULT") or tokens.match_type(TokenType.COLON_EQ) is not None
    return Assign(name, _text(tokens) if given else None, declares=True)


def _if(tokens: Tokens) -> If:
    branches: list[tuple[str, tuple[Step, ...]]] = []
    condition = _text(tokens, ("THEN",))
    while True:
        tokens.expect_words("THEN")
        steps = tuple(_steps(tokens, ("ELSEIF", "ELSE", "END")))
        branches.append((condition, steps))
        if Block(steps).unsupported():
            return If(tuple(branches))
        if tokens.match_words("ELSEIF"):
            condition = _text(tokens, ("THEN",))
            continue
        if tokens.match_words("ELSE"):
            branches.append(("TRUE", tuple(_steps(tokens, ("END",)))))
            if Block(branches[-1][1]).unsupported():
                return If(tuple(branches))
        tokens.expect_words("END", "IF")
        return If(tuple(branches))


def _text(tokens: Tokens, stops: tuple[str, ...] = ()) -> str:
    """The text up to a semicolon, or one of these words, outside parentheses."""
    start, depth = tokens.offset, 0
    end = start
    while (token := tokens.peek()) is not None:
        if depth == 0 and (token.token_type is TokenType.SEMICOLON or any(tokens.is_words(s) for s in stops)):
            break
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        end = token.end + 1
        tokens.index += 1
    if end == start:
        raise tokens.error("expected an expression")
    return tokens.sql[start:end]
