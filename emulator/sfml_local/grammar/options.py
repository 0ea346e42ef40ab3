"""Lists of options: `NAME = value`, where a value is a word, a number, a text or a list in parentheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import SqlSyntaxError, Tokens

__all__ = ["Quoted", "conflicting_format", "duplicate", "options", "written"]


class Quoted(str):
    """A value that was written as a text in quotes."""

    __slots__ = ()


def written(value: Any) -> str:
    """A value as it was written: a text in quotes, and a word without."""
    return f"'{value}'" if isinstance(value, Quoted) else str(value)


def duplicate(name: str) -> SqlSyntaxError:
    """The refusal of a property that is written twice."""
    return SqlSyntaxError(f"SQL compilation error:\nduplicate property '{name}';", 0)


def conflicting_format(name: str) -> SqlSyntaxError:
    """The refusal of an option of a file format that is written twice."""
    return SqlSyntaxError(f"SQL compilation error: conflicting values file format parameter '{name}'", 0)


def options(
    tokens: Tokens, *, within_parentheses: bool = False, repeated: Callable[[str], Exception] | None = None
) -> dict[str, Any]:
    """The options up to the end of the statement, or up to a closing parenthesis, by upper-case name.

    TAG and CONTACT are the entries of their clauses, as written. Of an option that is written twice, the last value
    holds, unless `repeated` says how it is refused.
    """
    found: dict[str, Any] = {}
    while not tokens.at_end:
        if within_parentheses and tokens.match_type(TokenType.R_PAREN):
            return found
        if (clause := _labels(tokens)) is not None:
            found[clause] = tokens.arguments()
            continue
        name = tokens.identifier()
        tokens.expect_type(TokenType.EQ)
        if name in found and repeated is not None:
            raise repeated(name)
        found[name] = _value(tokens, conflicting_format if name == "FILE_FORMAT" else None)
        tokens.match_type(TokenType.COMMA)
    if within_parentheses:
        raise tokens.error("expected )")
    return found


def _labels(tokens: Tokens) -> str | None:
    """TAG or CONTACT of the clause `[WITH] TAG (name = 'value', …)`, which has no sign before its list."""
    start = tokens.index
    tokens.match_words("WITH")
    clause = next((one for one in ("TAG", "CONTACT") if tokens.match_words(one)), None)
    if clause is not None and tokens.match_type(TokenType.L_PAREN):
        return clause
    tokens.index = start
    return None


def _value(tokens: Tokens, repeated: Callable[[str], Exception] | None = None) -> Any:
    if (text := tokens.match_string()) is not None:
        return Quoted(text)
    if tokens.match_type(TokenType.L_PAREN):
        following = tokens.peek(1)
        first = tokens.peek()
        quoted = first is not None and first.token_type is TokenType.STRING
        if following is not None and following.token_type is TokenType.EQ and quoted:
            return _pairs(tokens)
        if following is not None and following.token_type is TokenType.EQ:
            return options(tokens, within_parentheses=True, repeated=repeated)
        return _list(tokens)
    sign = -1 if tokens.match_type(TokenType.DASH) else 1
    if (number := tokens.match_type(TokenType.NUMBER)) is not None:
        return sign * (float(number.text) if "." in number.text else int(number.text))
    if tokens.match_words("TRUE"):
        return True
    if tokens.match_words("FALSE"):
        return False
    name = tokens.name()
    return ".".join(name.parts)


def _pairs(tokens: Tokens) -> dict[str, Any]:
    """`'name' = 'value', …` up to the closing parenthesis, as for the headers of a webhook."""
    found: dict[str, Any] = {}
    while not tokens.match_type(TokenType.R_PAREN):
        name = tokens.expect_string()
        tokens.expect_type(TokenType.EQ)
        found[name] = _value(tokens)
        tokens.match_type(TokenType.COMMA)
    return found


def _list(tokens: Tokens) -> list[Any]:
    items: list[Any] = []
    while not tokens.match_type(TokenType.R_PAREN):
        items.append(_value(tokens))
        tokens.match_type(TokenType.COMMA)
    return items
