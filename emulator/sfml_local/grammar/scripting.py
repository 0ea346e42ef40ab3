"""Snowflake Scripting: blocks with variables, branches, loops, cursors and handlers, and EXECUTE IMMEDIATE.

Asynchronous jobs are not supported.
https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

from sqlglot.tokens import TokenType

from sfml_local.grammar.script_steps import (
    Assign,
    Block,
    Close,
    Count,
    Cursor,
    Declared,
    Each,
    ExceptionType,
    ExecuteFile,
    ExecuteImmediate,
    Fetch,
    If,
    Leave,
    Loop,
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
from sfml_local.grammar.stages import location
from sfml_local.grammar.tokens import Tokens

__all__ = ["Block", "ExecuteFile", "ExecuteImmediate", "parse", "parse_immediate"]

_TRANSACTIONS = ("TRANSACTION", "WORK", "NAME")
_UNSUPPORTED = ("AWAIT", "ASYNC", "CANCEL")
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def parse(tokens: Tokens) -> Block | ExecuteImmediate | ExecuteFile | None:
    """The block, or None if the statement is not a script, because BEGIN may also open a transaction."""
    if tokens.match_words("EXECUTE", "IMMEDIATE"):
        return _file(tokens) if tokens.match_words("FROM") else _immediate(tokens)
    if tokens.is_words("BEGIN"):
        if _opens_transaction(tokens):
            return None
    elif not tokens.is_words("DECLARE"):
        return None
    block = _block(tokens)
    if block.unsupported() is None:
        tokens.match_type(TokenType.SEMICOLON)
        tokens.expect_end()
    tokens.rest()  # what follows a step that is not emulated is not read
    return block


def _opens_transaction(tokens: Tokens) -> bool:
    """Whether BEGIN opens a transaction, and not a block."""
    following = tokens.peek(1)
    return (
        following is None
        or following.text.upper() in _TRANSACTIONS
        or following.token_type is TokenType.SEMICOLON
    )


def parse_immediate(sql: str) -> ExecuteImmediate | None:
    """The statement as EXECUTE IMMEDIATE of a text, or None when it is another."""
    tokens = Tokens(sql)
    is_one = tokens.match_words("EXECUTE", "IMMEDIATE") and not tokens.is_words("FROM")
    return _immediate(tokens) if is_one else None


def _file(tokens: Tokens) -> ExecuteFile:
    where = location(tokens)
    values: list[tuple[str, str]] = []
    if tokens.match_words("USING"):
        tokens.expect_type(TokenType.L_PAREN)
        for argument in tokens.arguments():
            name, arrow, value = argument.partition("=>")
            if not arrow:
                raise tokens.error("expected name => value")
            values.append((name.strip().strip('"'), value.strip()))
    dry_run = False
    if tokens.match_words("DRY_RUN"):
        tokens.expect_type(TokenType.EQ)
        dry_run = tokens.identifier().upper() == "TRUE"
    tokens.expect_end()
    return ExecuteFile(where, tuple(values), dry_run)


def _immediate(tokens: Tokens) -> ExecuteImmediate:
    start = tokens.index
    text = tokens.match_string()
    if text is not None and not tokens.at_end and not tokens.is_words("USING"):
        tokens.index, text = start, None  # a string that an operator joins with more
    expression = "" if text is not None else tokens.text_until(("USING",))
    values: tuple[str, ...] = ()
    if tokens.match_words("USING"):
        tokens.expect_type(TokenType.L_PAREN)
        values = tokens.arguments()
    tokens.expect_end()
    return ExecuteImmediate(text, tokens.sql, expression, values)


def _block(tokens: Tokens) -> Block:
    declared: list[Step] = []
    if tokens.match_words("DECLARE"):
        while not tokens.is_words("BEGIN"):
            declared.append(_declaration(tokens))
            if isinstance(declared[-1], Unsupported):
                return Block((), tuple(declared))
            tokens.expect_type(TokenType.SEMICOLON)
    tokens.expect_words("BEGIN")
    steps = tuple(_steps(tokens, ("EXCEPTION", "END")))
    handlers = _handlers(tokens) if tokens.match_words("EXCEPTION") else ()
    block = Block(steps, tuple(declared), handlers)
    if block.unsupported() is None:
        tokens.expect_words("END")
    return block


def _handlers(tokens: Tokens) -> tuple[tuple[tuple[str, ...], tuple[Step, ...]], ...]:
    """`WHEN name [OR name …] THEN statements`, up to END."""
    handlers: list[tuple[tuple[str, ...], tuple[Step, ...]]] = []
    while tokens.match_words("WHEN"):
        names = [tokens.identifier()]
        while tokens.match_words("OR"):
            names.append(tokens.identifier())
        if tokens.is_words("CONTINUE"):
            return (*handlers, (tuple(names), (Unsupported(tokens.sql[tokens.offset :]),)))
        tokens.match_words("EXIT")  # as without a word
        tokens.expect_words("THEN")
        steps = tuple(_steps(tokens, ("WHEN", "END")))
        handlers.append((tuple(names), steps))
        if Block(steps).unsupported() is not None:
            break
    return tuple(handlers)


def _steps(tokens: Tokens, ends: tuple[str, ...]) -> list[Step]:
    """The statements up to one of these words, which is not consumed."""
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
    if tokens.is_words("DECLARE") or (tokens.is_words("BEGIN") and not _opens_transaction(tokens)):
        return _block(tokens)
    if tokens.match_words("IF"):
        return _if(tokens)
    if tokens.match_words("CASE"):
        return _case(tokens)
    if any(tokens.is_words(word) for word in ("FOR", "WHILE", "REPEAT", "LOOP")):
        return _loop(tokens)
    for word in ("BREAK", "EXIT", "CONTINUE", "ITERATE"):
        if tokens.match_words(word):
            return Leave(_label(tokens), word in ("CONTINUE", "ITERATE"))
    if tokens.match_words("LET"):
        return _declaration(tokens)
    if tokens.match_words("RETURN"):
        return _return(tokens)
    if tokens.match_words("OPEN"):
        name = tokens.identifier()
        values = tokens.match_words("USING") and tokens.match_type(TokenType.L_PAREN)
        return Open(name, tokens.arguments() if values else ())
    if tokens.match_words("FETCH"):
        return Fetch(tokens.identifier(), _targets(tokens))
    if tokens.match_words("CLOSE"):
        return Close(tokens.identifier())
    if tokens.match_words("RAISE"):
        raised = _label(tokens)
        return Raise(raised if raised is None else Placed.at(raised, tokens.sql, start))
    if tokens.match_words("NULL"):
        return Nothing()
    following = tokens.peek(1)
    if following is not None and following.token_type is TokenType.COLON_EQ:
        name = tokens.identifier()
        tokens.expect_type(TokenType.COLON_EQ)
        return Assign(name, _text(tokens), declares=False)
    return Run(_text(tokens))


def _declaration(tokens: Tokens) -> Declared:
    """`name [type] [:= | DEFAULT expression]`, a cursor, a result set or an exception."""
    start = tokens.offset
    name = tokens.identifier()
    if tokens.match_words("CURSOR"):
        tokens.expect_words("FOR")
        return Cursor(name, _text(tokens))
    if tokens.match_words("EXCEPTION"):
        if tokens.match_type(TokenType.L_PAREN) is None:
            return ExceptionType(name)
        number, *sentence = tokens.arguments()
        said = Tokens(sentence[0]).expect_string() if sentence else ""
        return ExceptionType(name, int(number.replace(" ", "")), said)
    is_result_set = tokens.match_words("RESULTSET")
    before = tokens.offset
    while not tokens.is_words("DEFAULT") and (token := tokens.peek()) is not None:
        if token.token_type in (TokenType.COLON_EQ, TokenType.SEMICOLON):
            break
        tokens.index += 1
    type = "" if tokens.offset == before else tokens.sql[before : tokens.offset].strip()
    given = tokens.match_words("DEFAULT") or tokens.match_type(TokenType.COLON_EQ) is not None
    if given and tokens.is_words("ASYNC"):
        return Unsupported(tokens.sql[start:])
    text = _text(tokens) if given else None
    return ResultSet(name, text) if is_result_set else Assign(name, text, True, type)


def _return(tokens: Tokens) -> Return | ReturnTable:
    if not tokens.match_words("TABLE"):
        following = tokens.peek()
        is_bare = following is not None and following.token_type is TokenType.SEMICOLON
        return Return(None if is_bare else _text(tokens))
    tokens.expect_type(TokenType.L_PAREN)
    inner = tokens.match_words("RESULTSET_FROM_CURSOR")
    if inner:
        tokens.expect_type(TokenType.L_PAREN)
    name = tokens.identifier()
    for _ in range(1 + inner):
        tokens.expect_type(TokenType.R_PAREN)
    return ReturnTable(name)


def _targets(tokens: Tokens) -> tuple[str, ...]:
    tokens.expect_words("INTO")
    names = []
    while True:
        tokens.match_type(TokenType.COLON)
        names.append(tokens.identifier())
        if tokens.match_type(TokenType.COMMA) is None:
            return tuple(names)


def _label(tokens: Tokens) -> str | None:
    token = tokens.peek()
    return None if token is None or token.token_type is TokenType.SEMICOLON else tokens.identifier()


def _loop(tokens: Tokens) -> Loop:
    if tokens.match_words("REPEAT"):
        steps = tuple(_steps(tokens, ("UNTIL",)))
        if Block(steps).unsupported() is not None:
            return Repeat(steps, "TRUE")
        tokens.expect_words("UNTIL")
        condition = _text(tokens, ("END",))
        tokens.expect_words("END", "REPEAT")
        return Repeat(steps, condition, _label(tokens))
    if tokens.match_words("WHILE"):
        condition = _text(tokens, ("DO", "LOOP"))
        return While(condition, *_turns(tokens, "WHILE"))
    if tokens.match_words("LOOP"):
        tokens.index -= 1
        return While("TRUE", *_turns(tokens, "LOOP"))
    tokens.expect_words("FOR")
    variable = tokens.identifier()
    tokens.expect_words("IN")
    reverse = tokens.match_words("REVERSE")
    first = _text(tokens, ("TO", "DO", "LOOP"))
    if tokens.match_words("TO"):
        last = _text(tokens, ("DO", "LOOP"))
        return Count(variable, first, last, reverse, *_turns(tokens, "FOR"))
    return Each(variable, first, *_turns(tokens, "FOR"))


def _turns(tokens: Tokens, kind: str) -> tuple[tuple[Step, ...], str | None]:
    """`DO … END <kind>` or `LOOP … END LOOP`, and the label after it."""
    word = kind if tokens.match_words("DO") else "LOOP"
    if word == "LOOP":
        tokens.expect_words("LOOP")
    steps = tuple(_steps(tokens, ("END",)))
    if Block(steps).unsupported() is not None:
        return steps, None
    tokens.expect_words("END", word)
    return steps, _label(tokens)


def _case(tokens: Tokens) -> If:
    """Both forms of CASE as branches."""
    value = None if tokens.is_words("WHEN") else _text(tokens, ("WHEN",))
    branches: list[tuple[str, tuple[Step, ...]]] = []
    while True:
        if tokens.match_words("WHEN"):
            text = _text(tokens, ("THEN",))
            condition: str = text if value is None else f"({value}) = ({text})"
            tokens.expect_words("THEN")
        elif tokens.match_words("ELSE"):
            condition = "TRUE"
        else:
            tokens.expect_words("END")
            tokens.match_words("CASE")
            return If(tuple(branches))
        steps = tuple(_steps(tokens, ("WHEN", "ELSE", "END")))
        branches.append((condition, steps))
        if Block(steps).unsupported() is not None:
            return If(tuple(branches))


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


def _text(tokens: Tokens, stops: tuple[str, ...] = ()) -> Placed:
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
    return Placed.at(tokens.sql[start:end], tokens.sql, start)
