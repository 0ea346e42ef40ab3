"""A cursor over the tokens of one SQL statement.

Tokens come from sqlglot's Snowflake tokenizer; the statements that sqlglot reads as opaque commands
(CREATE TASK, PUT, CREATE MODEL …) are read from them by recursive descent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, TypeVar

from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from sfml_local.grammar.nesting import DEEPEST, first_too_deep

Item = TypeVar("Item")

_STRINGS = frozenset({TokenType.STRING, TokenType.RAW_STRING, TokenType.NATIONAL_STRING})

_SIGNS = {
    TokenType.COLON: ":",
    TokenType.COLON_EQ: ":=",
    TokenType.COMMA: ",",
    TokenType.EQ: "=",
    TokenType.L_PAREN: "(",
    TokenType.R_PAREN: ")",
    TokenType.SEMICOLON: ";",
}
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


class _Tokenizer(Snowflake.Tokenizer):
    """Snowflake's tokenizer without its shortcut that swallows what follows CALL or RM as one string."""

    COMMANDS: ClassVar[set[TokenType]] = set()


_DIALECT = Snowflake()


class SqlSyntaxError(ValueError):
    """A statement that starts like one of ours and goes on differently; `offset` counts characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Name:
    """An object name as written: one to three parts, each already folded as Snowflake folds it."""

    parts: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.parts[-1]


def _word_of(token: Token) -> str | None:
    """An unquoted word in upper case, or a sign."""
    is_quoted = token.token_type in _STRINGS or token.token_type is TokenType.IDENTIFIER
    return None if is_quoted else token.text.upper()


class Tokens:
    """The tokens of one statement with a position; `match_*` moves on only when it matches."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        read = _read if len(sql) <= _REMEMBERED else _read.__wrapped__
        self._tokens, self._words, self._end = read(sql)
        self.index = 0

    # -- looking ------------------------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        return self.index >= len(self._tokens)

    @property
    def offset(self) -> int:
        """Where the current token starts in the statement."""
        return len(self.sql) if self.at_end else self._tokens[self.index].start

    def peek(self, ahead: int = 0) -> Token | None:
        at = self.index + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def is_words(self, *words: str) -> bool:
        """Whether the next tokens are these unquoted words, in any case."""
        return self._words[self.index : self.index + len(words)] == words

    def is_phrase(self, phrase: str) -> bool:
        """Whether the next tokens are these words; `PRIMARY KEY` is one token of sqlglot's."""
        return self.is_words(*phrase.split()) or (" " in phrase and self._spaced_word == phrase)

    @property
    def _spaced_word(self) -> str | None:
        """The text of the current token in upper case, with single spaces."""
        token = self.peek()
        return None if token is None else " ".join(token.text.upper().split())

    def match_phrase(self, phrase: str) -> bool:
        if not self.is_phrase(phrase):
            return False
        self.index += 1 if not self.is_words(*phrase.split()) else len(phrase.split())
        return True

    def following(self, count: int | None = None) -> Sequence[Token]:
        """The tokens from the current one on, at most `count` of them."""
        return self._tokens[self.index : None if count is None else self.index + count]

    # -- moving -------------------------------------------------------------------------------------

    def match_words(self, *words: str) -> bool:
        if self._words[self.index : self.index + len(words)] != words:
            return False
        self.index += len(words)
        return True

    def expect_words(self, *words: str) -> None:
        if not self.match_words(*words):
            raise self.error(f"expected {' '.join(words)}")

    def match_type(self, token_type: TokenType) -> Token | None:
        token = self.peek()
        if token is None or token.token_type is not token_type:
            return None
        self.index += 1
        return token

    def expect_type(self, token_type: TokenType) -> Token:
        token = self.match_type(token_type)
        if token is None:
            raise self.error(f"expected {_SIGNS.get(token_type) or token_type.name.lower()}")
        return token

    def match_string(self) -> str | None:
        """The value of a string literal ('…' or $$…$$), unescaped."""
        token = self.peek()
        if token is None or token.token_type not in _STRINGS:
            return None
        self.index += 1
        return self.text_of(token)

    def expect_string(self) -> str:
        value = self.match_string()
        if value is None:
            raise self.error("expected a string")
        return value

    def if_exists(self) -> bool:
        """IF EXISTS, which may be left out."""
        return self.match_words("IF", "EXISTS")

    def if_not_exists(self) -> bool:
        """IF NOT EXISTS, likewise."""
        return self.match_words("IF", "NOT", "EXISTS")

    def like(self) -> str | None:
        """The pattern of LIKE, None without one."""
        return self.expect_string() if self.match_words("LIKE") else None

    def starts_with(self) -> str | None:
        """The text of STARTS WITH, None without one."""
        return self.expect_string() if self.match_words("STARTS", "WITH") else None

    def listed(self, read: Callable[[], Item]) -> tuple[Item, ...]:
        """One or more of what `read` reads, with commas between them."""
        items = [read()]
        while self.match_type(TokenType.COMMA):
            items.append(read())
        return tuple(items)

    def text_of(self, token: Token) -> str:
        """A string token's value; sqlglot keeps the `$$` of a dollar-quoted one."""
        text = token.text
        if token.token_type is TokenType.RAW_STRING and text.startswith("$$") and text.endswith("$$"):
            return text[2:-2]
        return text

    def identifier(self) -> str:
        """One identifier: quoted ones as written, others in upper case."""
        token = self.peek()
        if token is None or token.token_type in _STRINGS:
            raise self.error("expected an identifier")
        self.index += 1
        if token.token_type is TokenType.IDENTIFIER:
            return token.text
        if not (token.text[:1].isalpha() or token.text[:1] == "_"):
            self.index -= 1
            raise self.error("expected an identifier")
        return token.text.upper()

    def name(self) -> Name:
        """A name of one to three parts, or IDENTIFIER('…')."""
        if self.is_words("IDENTIFIER") and (paren := self.peek(1)) and paren.token_type is TokenType.L_PAREN:
            self.index += 2
            inner = self.expect_string()
            self.expect_type(TokenType.R_PAREN)
            return parse_name(inner)
        parts = [self.identifier()]
        while self.match_type(TokenType.DOT):
            parts.append(self.identifier())
        if len(parts) > 3:
            raise self.error("a name has at most three parts")
        return Name(tuple(parts))

    def rest(self) -> str:
        """What is left of the statement, as written, comments included, without a closing semicolon."""
        start = self._tokens[self.index - 1].end + 1 if self.index else 0
        self.index = len(self._tokens)
        return self.sql[start : self._end].strip()

    def text_until(self, *stops: tuple[str, ...]) -> str:
        """The text, as written, up to one of these words outside parentheses, or to the end."""
        start, depth = self.index, 0
        while not self.at_end:
            token = self._tokens[self.index]
            if depth == 0 and any(self.is_words(*stop) for stop in stops):
                break
            if token.token_type is TokenType.L_PAREN:
                depth += 1
            elif token.token_type is TokenType.R_PAREN:
                depth -= 1
            self.index += 1
        if start == self.index:
            return ""
        return self.sql[self._tokens[start].start : self._tokens[self.index - 1].end + 1]

    def text_until_closed(self) -> str:
        """The text up to the parenthesis that closes the one which is passed, and passes that."""
        start, depth, end = self.offset, 1, self.offset
        while depth and (token := self.peek()) is not None:
            depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
            end = token.start
            self.index += 1
        return self.sql[start:end]

    def arguments(self) -> tuple[str, ...]:
        """The texts of a list of arguments, whose opening parenthesis is passed, up to its closing one."""
        texts: list[str] = []
        start, depth = self.index, 0
        while (token := self.peek()) is not None:
            kind = token.token_type
            if depth == 0 and kind in (TokenType.COMMA, TokenType.R_PAREN):
                if self.index > start:
                    texts.append(self.sql[self._tokens[start].start : self._tokens[self.index - 1].end + 1])
                self.index += 1
                if kind is TokenType.R_PAREN:
                    return tuple(texts)
                start = self.index
                continue
            depth += kind in _OPENING
            depth -= kind in _CLOSING
            self.index += 1
        raise self.error("expected )")

    def check_depth(self) -> None:
        """Raise `SqlSyntaxError` where the statement is nested too deeply to be worked through by recursion."""
        index = first_too_deep(self._tokens)
        if index is not None:
            self.index = index
            raise self.error(f"nested more than {DEEPEST} levels deep")

    def expect_end(self) -> None:
        if not self.at_end:
            raise self.error("unexpected text")

    def error(self, what: str) -> SqlSyntaxError:
        """Snowflake's sentence for a syntax error, with what was expected."""
        token = self.peek()
        line = self.sql.count("\n", 0, self.offset) + 1
        column = self.offset - (self.sql.rfind("\n", 0, self.offset) + 1)
        found = "<EOF>" if token is None else token.text
        return SqlSyntaxError(
            f"SQL compilation error:\nsyntax error line {line} at position {column} "
            f"unexpected '{found}'. ({what})",
            self.offset,
        )


_REMEMBERED = 2_000
"""The most characters of a statement whose tokens are remembered."""


@lru_cache(maxsize=64)
def _read(sql: str) -> tuple[tuple[Token, ...], tuple[str | None, ...], int]:
    """The tokens of a statement, their words, and where the last one ends; several passes read the same statement."""
    try:
        tokens = _Tokenizer(_DIALECT).tokenize(sql)
    except SqlglotError as cause:
        raise SqlSyntaxError(_unended(sql), len(sql)) from cause
    end = len(sql)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        end = tokens.pop().start
    return tuple(tokens), tuple(map(_word_of, tokens)), end


def _unended(sql: str) -> str:
    """Snowflake's sentence for a text, name or comment that does not end."""
    line, column = sql.count("\n") + 1, len(sql) - (sql.rfind("\n") + 1)
    return f"SQL compilation error:\nparse error line {line} at position {column} near '<EOF>'."


def parse_name(text: str) -> Name:
    """The name in `text`, such as `db."My schema".task`; raises `SqlSyntaxError`."""
    return _usual_name(text) if len(text) <= _USUAL else _parsed_name(text)


def _parsed_name(text: str) -> Name:
    tokens = Tokens(text)
    name = tokens.name()
    tokens.expect_end()
    return name


_USUAL = 300
"""The most characters of a name that is remembered."""
_usual_name = lru_cache(maxsize=2048)(_parsed_name)
