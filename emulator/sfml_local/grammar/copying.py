"""Loading files into tables and unloading tables into files, and file formats.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table · /copy-into-location · /create-file-format
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.options import conflicting_format, options
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.stages import location
from sfml_local.grammar.tokens import Name, SqlSyntaxError, Tokens

__all__ = [
    "AlterFileFormat",
    "CopyIntoLocation",
    "CopyIntoTable",
    "CreateFileFormat",
    "CreateFromTemplate",
    "DescribeFileFormat",
    "DropFileFormat",
    "ShowFileFormats",
    "parse",
]


@dataclass(frozen=True, slots=True)
class CopyIntoTable:
    """`projection` is the text between SELECT and FROM of a copy with transformation."""

    table: Name
    source: str
    columns: tuple[str, ...] = ()
    projection: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CopyIntoLocation:
    """`query` is the text between the parentheses, or a query of the named table."""

    target: str
    query: str
    options: Mapping[str, Any] = field(default_factory=dict)
    partition_by: str | None = None


@dataclass(frozen=True, slots=True)
class CreateFromTemplate:
    """CREATE TABLE … USING TEMPLATE: the text up to the name, the query of the columns, and what is after it."""

    head: str
    query: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class CreateFileFormat:
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlterFileFormat:
    """SET of options, or RENAME TO `new_name`."""

    name: Name
    if_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    new_name: Name | None = None


@dataclass(frozen=True, slots=True)
class DropFileFormat:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeFileFormat:
    name: Name


@dataclass(frozen=True, slots=True)
class ShowFileFormats:
    listing: Listing


Statement = (
    CopyIntoTable
    | CopyIntoLocation
    | CreateFromTemplate
    | CreateFileFormat
    | AlterFileFormat
    | DropFileFormat
    | DescribeFileFormat
    | ShowFileFormats
)


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("COPY", "INTO"):
        token = tokens.peek()
        if token is None:
            return None
        is_location = token.token_type in (TokenType.PARAMETER, TokenType.STRING) or token.text.startswith(
            "@"
        )
        return _unload(tokens) if is_location else _copy(tokens)
    if (tokens.match_words("DESCRIBE") or tokens.match_words("DESC")) and _file_format(tokens):
        return DescribeFileFormat(tokens.name())
    if tokens.is_words("SHOW", "FILE", "FORMATS") or tokens.is_words("SHOW", "TERSE", "FILE", "FORMATS"):
        tokens.index += 4 if tokens.is_words("SHOW", "TERSE") else 3
        return ShowFileFormats(listing(tokens))
    if tokens.match_words("CREATE"):
        start = tokens.index
        if (found := _create(tokens)) is not None:
            return found
        tokens.index = start
        return _from_template(tokens)
    if tokens.match_words("ALTER") and _file_format(tokens):
        if_exists = tokens.if_exists()
        name = tokens.name()
        if tokens.match_words("RENAME", "TO"):
            return AlterFileFormat(name, if_exists, new_name=tokens.name())
        tokens.expect_words("SET")
        return AlterFileFormat(name, if_exists, options(tokens))
    if tokens.match_words("DROP") and _file_format(tokens):
        if_exists = tokens.if_exists()
        name = tokens.name()
        return DropFileFormat(name, if_exists)
    return None


def _copy(tokens: Tokens) -> CopyIntoTable:
    table = tokens.name()
    columns: list[str] = []
    if tokens.match_type(TokenType.L_PAREN):
        while not tokens.match_type(TokenType.R_PAREN):
            columns.append(tokens.identifier())
            tokens.match_type(TokenType.COMMA)
    projection = None
    if not tokens.match_words("FROM"):
        source = _own_stage(table)
    elif tokens.match_type(TokenType.L_PAREN):
        tokens.expect_words("SELECT")
        projection = tokens.text_until(("FROM",))
        tokens.expect_words("FROM")
        source = _in_parentheses(tokens)
        tokens.match_words("AS")
        if tokens.match_type(
            TokenType.L_PAREN
        ):  # a format after the location, which COPY's own FILE_FORMAT repeats
            options(tokens, within_parentheses=True)
        if not tokens.match_type(TokenType.R_PAREN):
            tokens.identifier()  # an alias: `t.$1:name` is `$1:name`
            tokens.expect_type(TokenType.R_PAREN)
    else:
        source = location(tokens)
    return CopyIntoTable(table, source, tuple(columns), projection, options(tokens, repeated=_conflicting))


_BEFORE_TABLE = (("LOCAL",), ("GLOBAL",), ("TEMPORARY",), ("TEMP",), ("VOLATILE",), ("TRANSIENT",))


def _from_template(tokens: Tokens) -> CreateFromTemplate | None:
    tokens.match_words("OR", "REPLACE")
    while any(tokens.match_words(*words) for words in _BEFORE_TABLE):
        pass
    if not tokens.match_words("TABLE"):
        return None
    tokens.if_not_exists()
    token = tokens.peek()
    if token is None or token.token_type is TokenType.L_PAREN:
        return None
    try:
        tokens.name()
    except SqlSyntaxError:
        return None
    head = tokens.sql[: tokens.offset]
    if not tokens.match_words("USING", "TEMPLATE"):
        return None
    tokens.expect_type(TokenType.L_PAREN)
    query = tokens.text_until_closed()
    return CreateFromTemplate(head.rstrip(), query, "" if tokens.at_end else tokens.rest())


def _own_stage(table: Name) -> str:
    """The stage of a table, from which it is loaded where no other place is named."""
    *place, last = [quoted_if_needed(part) for part in table.parts]
    return "@" + ".".join([*place, f"%{last}"])


def _conflicting(option: str) -> SqlSyntaxError:
    return SqlSyntaxError(f"SQL compilation error: conflicting values for copy option '{option}'", 0)


def _unload(tokens: Tokens) -> CopyIntoLocation:
    target = location(tokens)
    tokens.expect_words("FROM")
    if tokens.match_type(TokenType.L_PAREN):
        query = tokens.text_until_closed()
    else:
        start = tokens.offset
        tokens.name()
        query = f"SELECT * FROM {tokens.sql[start : tokens.offset].strip()}"
    partition_by = _expression(tokens) if tokens.match_phrase("PARTITION BY") else None
    return CopyIntoLocation(target, query, options(tokens, repeated=_conflicting), partition_by)


def _expression(tokens: Tokens) -> str:
    """The text up to the first option: a word outside of parentheses with a sign behind it."""
    start, depth, end = tokens.offset, 0, tokens.offset
    while (token := tokens.peek()) is not None:
        following = tokens.peek(1)
        if depth == 0 and following is not None and following.token_type is TokenType.EQ and end > start:
            break
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        end = token.end + 1
        tokens.index += 1
    return tokens.sql[start:end].strip()


def _in_parentheses(tokens: Tokens) -> str:
    """A location that a closing parenthesis may follow without a blank."""
    if (text := tokens.match_string()) is not None:
        return text
    start = end = tokens.offset
    while (token := tokens.peek()) is not None and token.start == end:
        if token.token_type is TokenType.R_PAREN:
            break
        end = token.end + 1
        tokens.index += 1
    return tokens.sql[start:end]


def _file_format(tokens: Tokens) -> bool:
    """FILE FORMAT, which sqlglot reads as one token."""
    token = tokens.peek()
    if token is None or token.text.upper().split() != ["FILE", "FORMAT"]:
        return tokens.match_words("FILE", "FORMAT")
    tokens.index += 1
    return True


def _create(tokens: Tokens) -> CreateFileFormat | None:
    replace = tokens.match_words("OR", "REPLACE")
    temporary = tokens.match_words("TEMPORARY") or tokens.match_words("TEMP")
    if not _file_format(tokens):
        return None
    missing = tokens.if_not_exists()
    return CreateFileFormat(
        tokens.name(), replace, missing, temporary, options(tokens, repeated=conflicting_format)
    )
