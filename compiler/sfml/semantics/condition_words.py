"""The tokens of a WHEN condition, and the check that it is a single expression without columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from sfml.base.record import record


class Kind(Enum):
    """The kinds of tokens."""

    TEXT = "text"
    NAME = "name"
    WORD = "word"
    NUMBER = "number"
    COMMENT = "comment"
    OPEN = "open"
    SIGN = "sign"


@record
class Word:
    """A token; `text` leaves out the quotes of TEXT and NAME. OPEN is a quote or comment that is not closed."""

    kind: Kind
    text: str


_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|'(?P<text>(?:[^'\\]|''|\\.)*)'"
    r"|\"(?P<name>(?:[^\"]|\"\")*)\""
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[^\W\d][\w$]*|\$[\w$]*)"
    r"|(?P<open>/\*|['\"])"
    r"|(?P<sign>::|<=|>=|<>|!=|\|\||.)",
    re.DOTALL,
)

_OPERATORS = frozenset(
    {
        *("AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "LIKE", "ILIKE", "ESCAPE"),
        *("CASE", "WHEN", "THEN", "ELSE", "END", "DISTINCT", "FROM", "AS"),
    }
)
_TYPES = frozenset(
    {
        *(
            "NUMBER",
            "DECIMAL",
            "NUMERIC",
            "INT",
            "INTEGER",
            "BIGINT",
            "SMALLINT",
            "TINYINT",
            "FLOAT",
            "DOUBLE",
        ),
        *("REAL", "VARCHAR", "CHAR", "STRING", "TEXT", "BOOLEAN"),
    }
)


def words_of(condition: str) -> Iterator[Word]:
    """The tokens of a condition, spaces left out."""
    for match in _TOKEN.finditer(condition):
        kind = match.lastgroup or "sign"
        if kind != "space":
            yield Word(Kind(kind), match[kind])


def problem_of(condition: str) -> str | None:
    """Why this text cannot be the condition of WHEN, as the end of a sentence; None when it can.

    A condition reads no tables, so a bare name has no meaning. The statement puts it between other clauses and the
    task's body, so no part of it may end it early.
    https://docs.snowflake.com/en/sql-reference/sql/create-task
    """
    words = [*words_of(condition)]
    depth = 0
    for at, word in enumerate(words):
        following = words[at + 1].text if at + 1 < len(words) else ""
        if word.kind is Kind.OPEN:
            return "a quote or comment is not closed"
        if word.kind is Kind.COMMENT:
            return "it holds a comment"
        if word.text == ";" and word.kind is Kind.SIGN:
            return "it holds `;`"
        if word.kind is Kind.NAME:
            return f'there is nothing that `"{word.text[:40]}"` could name'
        if word.kind is Kind.SIGN:
            depth += (word.text == "(") - (word.text == ")")
            if depth < 0:
                return "a `)` has no `(`"
        if word.kind is Kind.WORD and following != "(":
            upper = word.text.upper()
            if upper == "SELECT":
                return "it holds a subquery"
            if upper == "AS" and depth == 0:
                return "`AS` would end it"
            if upper not in _OPERATORS | _TYPES:
                return f"there is nothing that `{word.text[:40]}` could name"
    return "a `(` is not closed" if depth else _disorder(words)


def _disorder(words: list[Word]) -> str | None:
    """Why values and operators do not alternate, as the end of a sentence; None if they do."""
    for before, word, after in zip([None, *words], words, [*words[1:], None], strict=False):
        shown = f"`{word.text[:40]}`"
        if _is_binary(word) and (before is None or _is_sign(before, "(") or _is_binary(before)):
            return f"{shown} has nothing before it"
        if _takes_value(word) and _is_no_value(after) and not _is_negated(word, after):
            return f"{shown} has nothing behind it"
        if after is not None and _ends_value(word) and _begins_value(after):
            return f"there is no operator between {shown} and `{after.text[:40]}`"
    return None


_NEGATED = frozenset({"IN", "BETWEEN", "LIKE", "ILIKE"})
_BINARY_WORDS = _NEGATED | {"AND", "OR", "IS", "ESCAPE"}
_BINARY_SIGNS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "||", "::", "/", "%", ","})
_VALUES = frozenset({"NULL", "TRUE", "FALSE"})


def _is_sign(word: Word, sign: str) -> bool:
    return word.kind is Kind.SIGN and word.text == sign


def _is_binary(word: Word) -> bool:
    if word.kind is Kind.SIGN:
        return word.text in _BINARY_SIGNS
    return word.kind is Kind.WORD and word.text.upper() in _BINARY_WORDS


def _takes_value(word: Word) -> bool:
    return _is_binary(word) or (word.kind is Kind.WORD and word.text.upper() == "NOT")


def _is_no_value(word: Word | None) -> bool:
    return word is None or _is_sign(word, ")") or _is_binary(word)


def _is_negated(word: Word, after: Word | None) -> bool:
    """Whether these are `NOT IN`, `NOT LIKE` and such, which are one operator."""
    return (
        word.text.upper() == "NOT"
        and after is not None
        and _is_binary(after)
        and after.text.upper() in _NEGATED
    )


def _ends_value(word: Word) -> bool:
    if word.kind is Kind.WORD:
        return word.text.upper() in _VALUES
    return word.kind in (Kind.TEXT, Kind.NUMBER) or _is_sign(word, ")")


def _begins_value(word: Word) -> bool:
    if word.kind is Kind.WORD:
        return word.text.upper() in _VALUES or word.text.upper() not in _OPERATORS | _TYPES
    return word.kind in (Kind.TEXT, Kind.NUMBER) or _is_sign(word, "(")


def arguments_of(condition: str, function: str) -> tuple[str | None, ...]:
    """The first argument of every call of a function; None for each that is missing or not a text in quotes."""
    words = [*words_of(condition)]
    arguments: list[str | None] = []
    for at, word in enumerate(words[:-2]):
        if word.kind is Kind.WORD and word.text.upper() == function and words[at + 1].text == "(":
            first = words[at + 2]
            arguments.append(first.text.replace("''", "'") if first.kind is Kind.TEXT else None)
    return tuple(arguments)


def texts_compared_with(condition: str, function: str) -> tuple[str, ...]:
    """The texts that the answers of a function are compared with by `=`, `<>` or `!=`, where they stand behind it.

    >>> texts_compared_with("system$task_completion_state('A') = 'FAILED' or 1 = 1", "SYSTEM$TASK_COMPLETION_STATE")
    ('FAILED',)
    """
    words = [*words_of(condition)]
    return tuple(
        words[at + 5].text
        for at, word in enumerate(words[:-5])
        if word.kind is Kind.WORD
        and word.text.upper() == function
        and (words[at + 1].text, words[at + 3].text) == ("(", ")")
        and words[at + 4].text in ("=", "<>", "!=")
        and words[at + 5].kind is Kind.TEXT
    )


_HAS_DATA = "SYSTEM$STREAM_HAS_DATA"


def streams_in(condition: str | None) -> tuple[str, ...]:
    """The streams that a condition reads, as written, each once.

    >>> streams_in("system$stream_has_data('raw.orders') or SYSTEM$STREAM_HAS_DATA('Clicks')")
    ('raw.orders', 'Clicks')
    """
    if condition is None or _HAS_DATA not in condition.upper():
        return ()
    names = [name for name in arguments_of(condition, _HAS_DATA) if name]
    return tuple(dict.fromkeys(re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL) for name in names))
