"""What a statement refers to and what is not there, a column or a session variable, with the place of the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot.tokens import TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.syntax_errors import position
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import SqlSyntaxError, Tokens


class UnknownReference(SqlError):
    """A reference before it is known where it stands; `sentence` takes what accounts show of it.

    The message without a place is that of a reference in another text: the definition of a view.
    """

    def __init__(self, sentence: str, column: str | None, table: str | None = None) -> None:
        shown = _shown([part for part in (table, column) if part is not None])
        super().__init__(f"SQL compilation error:\n{sentence.format(shown)}", *_CODES[sentence])
        self.sentence = sentence
        self.column = column
        self.table = table


class UntypedOperand(SqlError):
    """DuckDB chose no overload for an operand without a type: a column that is not there, perhaps."""

    def __init__(self) -> None:
        words = "a comparison with a value whose type is not known here: cast it"
        super().__init__(f"Unsupported feature: not emulated by the local server: {words}", 2, "0A000")


def untyped_operand(message: str) -> UntypedOperand | None:
    return UntypedOperand() if _OVERLOADS.match(message) else None


class UnknownRelation(SqlError):
    """A table or view that is not there, before it is known whether its schema and database are."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"SQL compilation error:\nObject '{name}' does not exist or not authorized.", 2003, "42S02"
        )
        self.name = name


def written_name(name: str, sql: str) -> list[str]:
    """The parts of a table's name in the statement; DuckDB leaves out those of the current schema."""
    *_, last = parts = name.split(".")
    try:
        found = [one for _, one in _references(Tokens(sql)) if one[-1] == last]
    except SqlSyntaxError:
        found = []
    return max([parts, *found[:1]], key=len)


_IDENTIFIER = "invalid identifier '{}'"
_VARIABLE = "Session variable '{}' does not exist"
_CODES = {_IDENTIFIER: (904, "42000"), _VARIABLE: (2211, "02000")}


def unknown_variable(name: str) -> UnknownReference:
    return UnknownReference(_VARIABLE, f"${name}")


def unknown_column(name: str) -> UnknownReference:
    return UnknownReference(_IDENTIFIER, name)


def invalid_identifier(message: str) -> UnknownReference | None:
    """DuckDB's message about an unknown column, or about a table that the FROM clause does not have."""
    if (column := next((found[1] for one in _COLUMNS if (found := one.match(message))), None)) is not None:
        return UnknownReference(_IDENTIFIER, column)
    if (beyond := _POSITION.match(message)) is not None:
        return UnknownReference(_IDENTIFIER, f"${beyond[1]}")
    if (table := _TABLE.match(message)) is not None:
        return UnknownReference(_IDENTIFIER, None, table[1])
    if (sequence := _SEQUENCE.match(message)) is not None:
        return UnknownReference(_IDENTIFIER, "NEXTVAL", sequence[1].rsplit(".", 1)[-1])
    return None


def placed(error: UnknownReference, sql: str) -> SqlError:
    """The error with the reference as the statement has it, and its place there; as it is, if it is elsewhere."""
    reference = _reference(error, sql)
    if reference is None:
        return error
    offset, shown = reference
    words = f"SQL compilation error: error {position(offset, sql)}\n{error.sentence.format(shown)}"
    return SqlError(words, error.errno, error.sqlstate)


def _reference(error: UnknownReference, sql: str) -> tuple[int, str] | None:
    """Where the first reference that is meant starts, and how accounts show it."""
    try:
        references = list(_references(Tokens(sql)))
    except SqlSyntaxError:
        return None
    for offset, parts in references:
        if _is_meant(error, parts):
            return offset, _shown(parts)
    return None


def _is_meant(error: UnknownReference, parts: list[str]) -> bool:
    if error.table is not None:
        return error.table in parts[:-1]
    positional = _COLUMN_OF_VALUES.fullmatch(error.column or "")
    return parts[-1] == error.column or (positional is not None and parts[-1] == f"${positional[1]}")


def _references(tokens: Tokens) -> Iterator[tuple[int, list[str]]]:
    """The dotted names of a statement that are no names of functions, and no aliases after AS."""
    is_alias = False
    while not tokens.at_end:
        start = tokens.offset
        part = _part(tokens)
        if part is None:
            is_alias = tokens.match_type(TokenType.ALIAS) is not None
            tokens.index += not is_alias
            continue
        parts = [part]
        while tokens.match_type(TokenType.DOT) and (part := _part(tokens)) is not None:
            parts.append(part)
        following = tokens.peek()
        is_call = following is not None and following.token_type is TokenType.L_PAREN
        if not is_alias and not (is_call and len(parts) == 1):
            yield start, parts
        is_alias = False


def _part(tokens: Tokens) -> str | None:
    """The next part of a name, folded, or None at another token."""
    token, following = tokens.peek(), tokens.peek(1)
    if token is None or token.token_type in (TokenType.STRING, TokenType.ALIAS):
        return None
    if token.token_type is TokenType.IDENTIFIER:
        tokens.index += 1
        return token.text
    if token.token_type is TokenType.PARAMETER and following is not None:
        tokens.index += 2
        return f"${following.text.upper()}"
    if _WORD.fullmatch(token.text):
        tokens.index += 1
        return token.text.upper()
    return None


def _shown(parts: list[str]) -> str:
    return ".".join(part if part.startswith("$") else quoted_if_needed(part) for part in parts)


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_COLUMN_OF_VALUES = re.compile(r"COLUMN(\d+)")
_COLUMNS = tuple(
    re.compile(f"Binder Error: {words}", re.DOTALL)
    for words in (
        r'(?:failed to bind function.*)?Referenced column "(.*?)"',
        r"Referenced column (\S+) not found",
        r"Referenced update column (\S+) not found",
        r'Table ".*?" does not have a column (?:named|with name) "(.*?)"',
        r'Values list ".*?" does not have a column named "(.*?)"',
        r'Column "(.*?)" in \w+ list not found',
        r'Column "(.*?)" does not exist on (?:left|right) side of join',
        r'Column "(.*?)" referenced that exists in the SELECT clause',
    )
)
_TABLE = re.compile(r'Binder Error: Referenced table "(.*?)" not found')
_POSITION = re.compile(r"Binder Error: Positional reference (\d+) out of range")
_SEQUENCE = re.compile(r'Catalog Error: Sequence with name "?(\S+?)"? does not exist')
_OVERLOADS = re.compile(r"Binder Error: Macro sf_\w+\(\) has multiple overloads")
