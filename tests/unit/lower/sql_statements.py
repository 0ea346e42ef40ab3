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


_NO_BLOCKS = ("FOR", "IF", "LOOP", "REPEAT", "WHILE")
"""Words behind an END that ends no block: their beginnings are not counted, because they are functions too."""


class _Tokenizer(Snowflake.Tokenizer):
    COMMANDS: ClassVar[set[TokenType]] = set()


def split(text: str) -> Iterator[str]:
    """The text cut at the `;` that end statements: those outside of `DECLARE … BEGIN … END`."""
    tokens: list[Token] = list(_Tokenizer(dialect="snowflake").tokenize(text))
    words = [*map(_word, tokens), ""]
    start, depth, declares = 0, 0, False
    for at, token in enumerate(tokens):
        word = words[at]
        if word == "BEGIN" and declares:
            declares = False
        elif word in ("BEGIN", "CASE", "DECLARE") and (at == 0 or words[at - 1] != "END"):
            depth += 1
            declares = word == "DECLARE"
        elif word == "END" and depth and words[at + 1] not in _NO_BLOCKS:
            depth -= 1
        elif token.token_type is TokenType.SEMICOLON and not depth:
            piece = text[tokens[start].start : token.start]
            if piece.strip():
                yield piece
            start = at + 1
    assert start == len(tokens), "something stands behind the last statement"


def _word(token: Token) -> str:
    """A word outside of quotes, in capitals; an empty text for anything else."""
    quoted = token.token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER)
    return "" if quoted else token.text.upper()
