"""The clauses of CREATE TASK and ALTER TASK … SET: `NAME = value`, AFTER, FINALIZE, WHEN, EXECUTE AS, TAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Name, Tokens


@dataclass(frozen=True, slots=True)
class Word:
    """A value without quotes of text: a word as it was written, or a name in double quotes."""

    text: str
    quoted: bool = False

    @property
    def folded(self) -> str:
        return self.text if self.quoted else self.text.upper()


LIST = Word("TOK_CONSTANT_LIST", quoted=True)
"""A list in parentheses, with the name that accounts use for it in messages."""

Value: TypeAlias = str | int | float | bool | Name | Word
"""Text in quotes, a number, TRUE or FALSE, a bare word, or the name of an object."""

NAMED = frozenset({"WAREHOUSE", "FINALIZE", "ERROR_INTEGRATION", "SUCCESS_INTEGRATION"})
"""Settings whose value names an object, bare or in quotes."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """Everything between a task's name and its body, in the order written where order matters.

    `settings` are the `NAME = value` pairs with names in upper case, session parameters among them.
    `after` and `when` are None where the clause is absent. `repeated` is a setting that is written twice in one
    spelling; in another spelling the later one counts.
    """

    settings: tuple[tuple[str, Value], ...] = ()
    after: tuple[Name, ...] | None = None
    when: str | None = None
    execute_as: str | None = None
    tags: tuple[tuple[Name, str], ...] = ()
    contacts: tuple[tuple[str, Name], ...] = ()
    repeated: str | None = None


def parse_clauses(tokens: Tokens) -> Clauses:
    """The clauses up to AS or the end of the statement, in any order, each at most once."""
    settings: dict[str, Value] = {}
    after: tuple[Name, ...] | None = None
    when: str | None = None
    execute_as: str | None = None
    tags: tuple[tuple[Name, str], ...] = ()
    contacts: tuple[tuple[str, Name], ...] = ()
    spellings: list[str] = []
    while not tokens.at_end and not tokens.is_words("AS"):
        if tokens.match_words("AFTER"):
            once(tokens, "AFTER", after)
            after = names(tokens)
        elif tokens.match_words("WHEN"):
            once(tokens, "WHEN", when)
            when = condition(tokens)
        elif tokens.match_words("EXECUTE", "AS"):
            once(tokens, "EXECUTE AS", execute_as)
            execute_as = user(tokens)
        elif _matches_with(tokens, "TAG"):
            tags = tag_list(tokens)
        elif _matches_with(tokens, "CONTACT"):
            contacts = _contact_list(tokens)
        else:
            spellings.append(spelling(tokens))
            name, value = setting(tokens)
            settings[name] = value
        tokens.match_type(TokenType.COMMA)
    return Clauses(
        tuple(settings.items()), after, when, execute_as, tags, contacts, first_repeated(spellings)
    )


def spelling(tokens: Tokens) -> str:
    """The next token as it is written."""
    token = tokens.peek()
    return "" if token is None else token.text


def first_repeated(spellings: Sequence[str]) -> str | None:
    """The first text that occurs twice."""
    return next((text for at, text in enumerate(spellings) if text in spellings[:at]), None)


def once(tokens: Tokens, clause: str, before: object) -> None:
    if before is not None:
        raise tokens.error(f"{clause} is given twice")


def _matches_with(tokens: Tokens, word: str) -> bool:
    """`[WITH] TAG (…)`, `[WITH] CONTACT (…)`."""
    start = tokens.index
    tokens.match_words("WITH")
    if tokens.match_words(word) and tokens.match_type(TokenType.L_PAREN):
        return True
    tokens.index = start
    return False


def setting(tokens: Tokens) -> tuple[str, Value]:
    """`NAME = value`."""
    name = tokens.identifier()
    tokens.expect_type(TokenType.EQ)
    return name, value(tokens, name)


def value(tokens: Tokens, name: str) -> Value:
    """A setting's value; an object's name in quotes is read as the name it holds."""
    text = tokens.match_string()
    if text is not None:
        return text
    sign = -1 if tokens.match_type(TokenType.DASH) else 1
    if number := tokens.match_type(TokenType.NUMBER):
        return sign * (float(number.text) if set(number.text) & set(".eE") else int(number.text))
    if tokens.match_words("TRUE"):
        return True
    if tokens.match_words("FALSE"):
        return False
    if tokens.match_type(TokenType.L_PAREN):
        tokens.arguments()
        return LIST
    if name in NAMED:
        return tokens.name()
    token = tokens.peek()
    tokens.identifier()
    assert token is not None
    return Word(token.text, quoted=token.token_type is TokenType.IDENTIFIER)


def names(tokens: Tokens) -> tuple[Name, ...]:
    """`a, db.schema.b`."""
    return tokens.listed(tokens.name)


def condition(tokens: Tokens) -> str:
    """The text of a WHEN expression: up to AS outside parentheses, or to the end."""
    text = tokens.text_until(("AS",))
    if not text:
        raise tokens.error("expected a condition")
    return text


def user(tokens: Tokens) -> str:
    tokens.expect_words("USER")
    text = tokens.match_string()
    return text if text is not None else tokens.identifier()


def tag_list(tokens: Tokens) -> tuple[tuple[Name, str], ...]:
    """`name = 'value', …)` after the opening parenthesis."""
    found = tags(tokens)
    tokens.expect_type(TokenType.R_PAREN)
    return found


def tags(tokens: Tokens) -> tuple[tuple[Name, str], ...]:
    """`name = 'value', …`."""
    found = []
    while True:
        name = tokens.name()
        tokens.expect_type(TokenType.EQ)
        found.append((name, tokens.expect_string()))
        if not tokens.match_type(TokenType.COMMA):
            return tuple(found)


def _contact_list(tokens: Tokens) -> tuple[tuple[str, Name], ...]:
    found = []
    while not tokens.match_type(TokenType.R_PAREN):
        purpose = tokens.identifier()
        tokens.expect_type(TokenType.EQ)
        found.append((purpose, tokens.name()))
        tokens.match_type(TokenType.COMMA)
    return tuple(found)


def contacts(tokens: Tokens) -> tuple[tuple[str, Name], ...]:
    """`purpose = name, …`."""
    found = []
    while True:
        purpose = tokens.identifier()
        tokens.expect_type(TokenType.EQ)
        found.append((purpose, tokens.name()))
        if not tokens.match_type(TokenType.COMMA):
            return tuple(found)


def body(tokens: Tokens) -> str:
    """The text after AS: the rest of the statement, as written."""
    tokens.expect_words("AS")
    if tokens.at_end:
        raise tokens.error("expected a statement")
    return tokens.rest()
