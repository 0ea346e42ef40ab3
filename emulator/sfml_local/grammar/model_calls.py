"""Rewrites calls of models' methods for sqlglot: `WITH mv AS MODEL m VERSION v … mv!TRANSFORM(…)`.

https://docs.snowflake.com/en/sql-reference/commands-model
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

from sfml_local.grammar.quoting import quoted as written
from sfml_local.grammar.tokens import Tokens

__all__ = ["method_name", "respelled"]

_MARK = "_sfml_method_"
"""The prefix of a method's name that sqlglot would take for a function, or that is case-sensitive."""

_MAYBE = re.compile(r"!\s*[\w\"]|\bAS\s+MODEL\b", re.IGNORECASE)
_KNOWN = frozenset({*Snowflake.Parser.FUNCTIONS, *Snowflake.Parser.FUNCTION_PARSERS})

Edit = tuple[int, int, str]


def respelled(sql: str) -> str:
    """The statement with aliases of versions replaced, and methods' names with the prefix where necessary."""
    if not _MAYBE.search(sql):
        return sql
    tokens = Tokens(sql)
    edits: list[Edit] = []
    aliases: dict[str, str] = {}
    while (token := tokens.peek()) is not None:
        if tokens.match_words("WITH"):
            edits += _without_aliases(tokens, token.start, aliases)
        elif token.token_type is TokenType.EXCLAMATION:
            edits += _spelled(tokens, aliases)
        else:
            tokens.index += 1
    for start, end, text in sorted(edits, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql


def method_name(written: object) -> str:
    """The name of the called method in a parsed tree, folded like in Snowflake."""
    text = str(getattr(written, "name", written))
    return text.removeprefix(_MARK) if text.startswith(_MARK) else text.upper()


def _without_aliases(tokens: Tokens, start: int, aliases: dict[str, str]) -> list[Edit]:
    """Remove `alias AS MODEL name [VERSION version]` from the list after WITH, and record the alias."""
    begin = tokens.offset
    edits: list[Edit] = []
    kept_until: int | None = None
    more = True
    while more:
        entry = tokens.offset
        is_alias = _alias(tokens, aliases)
        more = tokens.match_type(TokenType.COMMA) is not None if is_alias else _skip_ordinary(tokens)
        if is_alias:
            edits.append((entry, tokens.offset, " "))
        elif more:
            comma = tokens.peek(-1)
            kept_until = comma.start if comma is not None else None
        else:
            kept_until = tokens.offset
    if edits and kept_until is None:
        return [(start, tokens.offset, "")]
    if edits and edits[-1][1] == tokens.offset and kept_until is not None:
        # The last entry of the list is removed with the comma before it.
        edits = [edit for edit in edits if edit[0] < kept_until] + [(kept_until, tokens.offset, " ")]
    _move_to(tokens, begin)  # the queries of the list call models too
    return edits


def _move_to(tokens: Tokens, offset: int) -> None:
    tokens.index = 0
    while not tokens.at_end and tokens.offset < offset:
        tokens.index += 1


def _alias(tokens: Tokens, aliases: dict[str, str]) -> bool:
    start = tokens.index
    name = tokens.identifier()
    if not tokens.match_words("AS", "MODEL"):
        tokens.index = start
        return False
    model = _text(tokens, tokens.name)
    version = f", {_text(tokens, tokens.identifier)}" if tokens.match_words("VERSION") else ""
    aliases[name] = f"MODEL({model}{version})"
    return True


def _text(tokens: Tokens, read: Callable[[], object]) -> str:
    """The text that `read` consumes, as written."""
    start = tokens.offset
    read()
    last = tokens.peek(-1)
    return tokens.sql[start : last.end + 1] if last is not None else ""


def _skip_ordinary(tokens: Tokens) -> bool:
    """Move behind `name [(columns)] AS (query)`; returns whether a comma follows."""
    depth = 0
    seen = False
    while (token := tokens.peek()) is not None:
        if depth == 0 and seen and token.token_type is TokenType.COMMA:
            tokens.index += 1
            return True
        if depth == 0 and seen and not tokens.is_words("AS") and token.token_type is not TokenType.L_PAREN:
            return False
        depth += token.token_type is TokenType.L_PAREN
        depth -= token.token_type is TokenType.R_PAREN
        seen |= token.token_type is TokenType.R_PAREN
        tokens.index += 1
    return False


def _spelled(tokens: Tokens, aliases: dict[str, str]) -> list[Edit]:
    """The edits for `subject!METHOD(`: of the subject if it is an alias, of the method if it needs the prefix."""
    edits: list[Edit] = []
    before, method, bracket = tokens.peek(-1), tokens.peek(1), tokens.peek(2)
    tokens.index += 1
    if before is None or method is None or bracket is None or bracket.token_type is not TokenType.L_PAREN:
        return edits
    quoted = before.token_type is TokenType.IDENTIFIER
    subject = aliases.get(before.text if quoted else before.text.upper())
    if subject is not None:
        edits.append((before.start, before.end + 1, subject))
    quoted = method.token_type is TokenType.IDENTIFIER
    name = method.text if quoted else method.text.upper()
    if quoted or name in _KNOWN:
        edits.append((method.start, method.end + 1, written(f"{_MARK}{name}")))
    return edits
