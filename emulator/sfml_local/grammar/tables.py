"""Changes of tables other than types: dropped or renamed columns, swapped tables; and comments on any object.

https://docs.snowflake.com/en/sql-reference/sql/alter-table-column · /comment
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterColumns",
    "DropColumns",
    "RenameColumn",
    "SetColumnComments",
    "SetComment",
    "SwapTables",
    "Truncate",
    "parse",
]


@dataclass(frozen=True, slots=True)
class DropColumns:
    """`if_exists` is the table's, `if_columns_exist` that of every column."""

    table: Name
    columns: tuple[str, ...]
    if_exists: bool = False
    if_columns_exist: bool = False


@dataclass(frozen=True, slots=True)
class RenameColumn:
    table: Name
    column: str
    new: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetComment:
    """COMMENT ON, SET COMMENT and UNSET COMMENT; no text is none. `name` of a COLUMN ends with the column."""

    kind: str
    name: Name | None
    text: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetColumnComments:
    """Of a table or a view, which `kind` says."""

    table: Name
    comments: tuple[tuple[str, str], ...]
    if_exists: bool = False
    kind: str = "TABLE"


@dataclass(frozen=True, slots=True)
class AlterColumns:
    """Several changes of columns in one statement, each as it is written after ALTER COLUMN."""

    table: Name
    changes: tuple[str, ...]
    comments: tuple[tuple[str, str], ...] = ()
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    """TRUNCATE TABLE IF EXISTS; without IF EXISTS it is left to sqlglot."""

    table: Name


@dataclass(frozen=True, slots=True)
class SwapTables:
    """ALTER TABLE … SWAP WITH."""

    table: Name
    other: Name
    if_exists: bool = False


Statement = Truncate | DropColumns | RenameColumn | SetComment | SetColumnComments | AlterColumns | SwapTables

ELSEWHERE = ("ALERT", "STAGE", "STREAM", "TASK", "WAREHOUSE")
"""Kinds for COMMENT ON whose ALTER … SET COMMENT belongs to another family."""
_COMMENTED = ("TABLE", "VIEW", "COLUMN", "SCHEMA", "DATABASE")
_OTHER_PARTS = (
    *("CONSTRAINT", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CLUSTERING KEY", "SEARCH OPTIMIZATION"),
    *("ROW ACCESS", "ALL ROW", "AGGREGATION POLICY", "PROJECTION POLICY", "JOIN POLICY"),
    *("STORAGE LIFECYCLE", "DATA METRIC"),
)
"""Other parts that ALTER TABLE can drop."""


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("COMMENT"):
        return _comment(tokens)
    if tokens.match_words("TRUNCATE"):
        tokens.match_words("TABLE")
        if not tokens.if_exists():
            return None
        table = tokens.name()
        return Truncate(table)
    if not tokens.match_words("ALTER"):
        return None
    kind = next((kind for kind in ("TABLE", "VIEW", "SCHEMA", "DATABASE") if tokens.match_words(kind)), None)
    if kind is None or tokens.is_words("ROLE"):
        return None
    if_exists = tokens.if_exists()
    name = tokens.name()
    if (text := _set_comment(tokens)) is not None:
        return SetComment(kind, name, text, if_exists)
    if kind == "VIEW" and (tokens.match_words("ALTER") or tokens.match_words("MODIFY")):
        comments = column_comments(tokens)
        return None if comments is None else SetColumnComments(name, comments, if_exists, "VIEW")
    if kind != "TABLE":
        return None
    if tokens.match_words("SWAP", "WITH"):
        return SwapTables(name, tokens.name(), if_exists)
    return _columns(tokens, name, if_exists)


def _comment(tokens: Tokens) -> SetComment:
    if_exists = tokens.if_exists()
    tokens.expect_words("ON")
    kind = tokens.identifier()
    if kind not in (*_COMMENTED, *ELSEWHERE):
        tokens.rest()
        return SetComment(kind, None, "", if_exists)
    parts = list(tokens.name().parts) if kind != "COLUMN" else _column_parts(tokens)
    tokens.expect_words("IS")
    text = tokens.expect_string()
    return SetComment(kind, Name(tuple(parts)), text, if_exists)


def _column_parts(tokens: Tokens) -> list[str]:
    """A table's name of up to three parts and a column."""
    parts = [tokens.identifier()]
    while tokens.match_type(TokenType.DOT):
        parts.append(tokens.identifier())
    if not 2 <= len(parts) <= 4:
        raise tokens.error("expected a table and a column")
    return parts


def _set_comment(tokens: Tokens) -> str | None:
    """SET COMMENT or UNSET COMMENT, if it is the only change of the statement."""
    if tokens.match_words("UNSET", "COMMENT"):
        return "" if tokens.at_end else None
    if not tokens.match_words("SET", "COMMENT"):
        return None
    tokens.match_type(TokenType.EQ)
    text = tokens.expect_string()
    return text if tokens.at_end else None


def _columns(tokens: Tokens, table: Name, if_exists: bool) -> Statement | None:
    if tokens.match_words("RENAME", "COLUMN"):
        column = tokens.identifier()
        tokens.expect_words("TO")
        new = tokens.identifier()
        return RenameColumn(table, column, new, if_exists)
    if tokens.match_words("DROP"):
        return None if any(map(tokens.is_phrase, _OTHER_PARTS)) else _drop(tokens, table, if_exists)
    if tokens.match_words("ALTER") or tokens.match_words("MODIFY"):
        return _alter(tokens, table, if_exists)
    return None


def _alter(tokens: Tokens, table: Name, if_exists: bool) -> Statement | None:
    """Comments, or several changes; one change of another kind is left to sqlglot."""
    start = tokens.index
    comments = column_comments(tokens)
    if comments is not None:
        return SetColumnComments(table, comments, if_exists)
    tokens.index = start
    changes = _changes(tokens)
    if changes is None:
        return None
    noted = {change: one for change in changes if (one := column_comments(Tokens(change)))}
    return AlterColumns(
        table,
        tuple(change for change in changes if change not in noted),
        tuple(comment for one in noted.values() for comment in one),
        if_exists,
    )


def _changes(tokens: Tokens) -> tuple[str, ...] | None:
    """The texts of several changes; None for a single one without parentheses."""
    bracketed = tokens.match_type(TokenType.L_PAREN) is not None
    listed = tokens if bracketed else Tokens(f"{tokens.rest()})")
    given = listed.arguments()
    found = [_without_column(text) for text in given]
    is_respelled = [text.split() for text in found] != [_words(text) for text in given]
    return tuple(found) if bracketed or len(found) > 1 or is_respelled else None


def _words(text: str) -> list[str]:
    words = text.split()
    return words[1:] if len(words) > 2 and words[0].upper() == "COLUMN" else words


def _without_column(text: str) -> str:
    """A change without COLUMN before its column, and `a NOT NULL` as `a SET NOT NULL`."""
    tokens = Tokens(text)
    changed = tokens.rest() if tokens.match_words("COLUMN") else text
    words = Tokens(changed)
    words.index = 1
    if words.is_words("NOT", "NULL") and words.peek(2) is None:
        return f"{changed[: words.offset]}SET {changed[words.offset :]}"
    return changed


def _drop(tokens: Tokens, table: Name, if_exists: bool) -> DropColumns:
    """DROP [COLUMN] [IF EXISTS] a, b; a column may be called COLUMN or IF."""
    columns: list[str] = []
    lenient = False
    while True:
        if tokens.is_words("COLUMN") and _goes_on(tokens, 1):
            tokens.match_words("COLUMN")
        lenient = tokens.if_exists() or lenient
        columns.append(tokens.identifier())
        if tokens.match_type(TokenType.COMMA) is None:
            break
    if not tokens.match_words("CASCADE"):
        tokens.match_words("RESTRICT")
    return DropColumns(table, tuple(columns), if_exists, lenient)


def _goes_on(tokens: Tokens, ahead: int) -> bool:
    token = tokens.peek(ahead)
    return token is not None and token.token_type is not TokenType.COMMA


def column_comments(tokens: Tokens) -> tuple[tuple[str, str], ...] | None:
    """[COLUMN] a COMMENT '…', [COLUMN] b UNSET COMMENT, also in parentheses; None for other changes."""
    bracketed = tokens.match_type(TokenType.L_PAREN) is not None
    comments: list[tuple[str, str]] = []
    while True:
        tokens.match_words("COLUMN")
        column = tokens.identifier()
        if tokens.match_words("UNSET", "COMMENT"):
            comments.append((column, ""))
        elif tokens.match_words("COMMENT"):
            comments.append((column, tokens.expect_string()))
        else:
            return None
        if tokens.match_type(TokenType.COMMA) is None:
            break
    if bracketed:
        tokens.expect_type(TokenType.R_PAREN)
    return tuple(comments) if tokens.at_end else None
