"""tasks.sql taken apart, by the lexer and the grammar and not by how it is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokenizer_core import Token, TokenType

from sfml_local.grammar.statements import parse_statement


def statements(text: str) -> list[Any]:
    """Every statement as the grammar reads it; one that is not read is an error."""
    found = []
    for piece in split(text):
        statement = parse_statement(piece)
        assert statement is not None, piece
        found.append(statement)
    return found


class _Tokenizer(Snowflake.Tokenizer):
    COMMANDS: ClassVar[set[TokenType]] = set()


def split(text: str) -> Iterator[str]:
    """The text cut at the `;` that end statements: those outside of `DECLARE … BEGIN … END`."""
    tokens: list[Token] = list(_Tokenizer(dialect="snowflake").tokenize(text))
    start, depth, declares = 0, 0, False
    for at, token in enumerate(tokens):
        word = token.text.upper() if token.token_type is not TokenType.STRING else ""
        if word == "BEGIN" and declares:
            declares = False
        elif word in ("BEGIN", "CASE", "DECLARE"):
            depth += 1
            declares = word == "DECLARE"
        elif word == "END" and depth:
            depth -= 1
        elif token.token_type is TokenType.SEMICOLON and not depth:
            piece = text[tokens[start].start : token.start]
            if piece.strip():
                yield piece
            start = at + 1
    assert start == len(tokens), "something stands behind the last statement"
