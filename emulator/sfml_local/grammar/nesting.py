"""The nesting of a statement, counted on its tokens before any recursive processing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokens import Token, TokenType

DEEPEST = 200
"""The most levels of brackets, CASE and blocks, or signs in a row. The limit of accounts is not documented."""

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_BEGINNING = frozenset({"CASE", "BEGIN", "IF", "LOOP", "REPEAT"})
_SIGNS = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE})
_SUFFIXES = frozenset({TokenType.DCOLON, TokenType.DOT, TokenType.COLON})
_APART = frozenset({TokenType.COMMA, TokenType.SEMICOLON})


def first_too_deep(tokens: Sequence[Token]) -> int | None:
    """The index of the first token below more than `DEEPEST` levels."""
    level = signs = suffixes = 0
    for index, token in enumerate(tokens):
        kind = token.token_type
        signs = signs + 1 if kind in _SIGNS else 0
        suffixes = 0 if kind in _APART else suffixes + (kind in _SUFFIXES)
        if kind in _OPENING:
            level += 1
        elif kind in _CLOSING:
            level -= 1
        elif kind is not TokenType.STRING and kind is not TokenType.IDENTIFIER:
            level += _step(tokens, index)
        if max(level, signs, suffixes) > DEEPEST:
            return index
    return None


def level_change(tokens: Sequence[Token], index: int) -> int:
    """1 if a token begins a block, a loop or a CASE, -1 if it ends one, else 0."""
    if tokens[index].token_type in (TokenType.STRING, TokenType.IDENTIFIER):
        return 0
    # FOR and WHILE begin with the word before their steps, because FOR has other meanings.
    return 1 if tokens[index].text.upper() == "DO" else _step(tokens, index)


def _step(tokens: Sequence[Token], index: int) -> int:
    """1 if a word begins a level, -1 if it ends one, else 0, as for `IF (` of a function and the IF of `END IF`."""
    word = tokens[index].text.upper()
    if word == "END":
        return -1
    if word not in _BEGINNING:
        return 0
    before = tokens[index - 1].text.upper() if index else ""
    after = tokens[index + 1].text.upper() if index + 1 < len(tokens) else ""
    is_statement = word not in ("IF", "REPEAT") or before in (
        "",
        ";",
        "THEN",
        "ELSE",
        "BEGIN",
        "DO",
        "LOOP",
        "REPEAT",
    )
    is_transaction = word == "BEGIN" and after in ("", ";", "TRANSACTION", "WORK", "NAME")
    return int(before != "END" and is_statement and not is_transaction)
