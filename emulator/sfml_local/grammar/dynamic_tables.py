"""Dynamic tables: CREATE, ALTER, SHOW, DESCRIBE and DROP.

https://docs.snowflake.com/en/sql-reference/sql/create-dynamic-table and the pages beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tables import column_comments
from sfml_local.grammar.task_settings import names, tag_list, tags
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterDynamicTable",
    "ColumnSpec",
    "CreateDynamicTable",
    "DescribeDynamicTable",
    "DropDynamicTable",
    "ShowDynamicTables",
    "parse",
]

Tags = tuple[tuple[Name, str], ...]


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column of the list after the name; `type` is its text, where one is declared."""

    name: str
    type: str = ""
    comment: str = ""
    tags: Tags = ()


@dataclass(frozen=True, slots=True)
class CreateDynamicTable:
    """`written` is the whole statement, `head` what stands before its properties; these are by upper-case name."""

    name: Name
    written: str
    head: str = ""
    query: str = ""
    columns: tuple[ColumnSpec, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Tags = ()
    or_replace: bool = False
    or_alter: bool = False
    if_not_exists: bool = False
    transient: bool = False
    clone: Name | None = None


@dataclass(frozen=True, slots=True)
class AlterDynamicTable:
    """`change` is REFRESH, SUSPEND, RESUME, RENAME, SWAP, SET, UNSET, SET TAG, UNSET TAG, CLUSTER, UNCLUSTER, COMMENTS
    of columns, or what is not emulated; REFRESH may name `others`, too.
    """

    name: Name
    change: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    new: Name | None = None
    tags: Tags = ()
    tag_names: tuple[Name, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()
    others: tuple[Name, ...] = ()
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropDynamicTable:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeDynamicTable:
    name: Name


POLICIES = ("ROW ACCESS", "AGGREGATION", "JOIN", "MASKING", "PROJECTION", "STORAGE LIFECYCLE")


@dataclass(frozen=True, slots=True)
class ShowDynamicTables:
    listing: Listing


Statement = (
    CreateDynamicTable | AlterDynamicTable | DropDynamicTable | DescribeDynamicTable | ShowDynamicTables
)
_SIMPLE = ("REFRESH", "SUSPEND", "RESUME")


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("ALTER", "DYNAMIC", "TABLE"):
        return _alter(tokens)
    if tokens.match_words("DROP", "DYNAMIC", "TABLE"):
        if_exists = tokens.if_exists()
        return DropDynamicTable(tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE", "DYNAMIC", "TABLE") or tokens.match_words("DESC", "DYNAMIC", "TABLE"):
        return DescribeDynamicTable(tokens.name())
    terse = tokens.match_words("SHOW", "TERSE", "DYNAMIC", "TABLES")
    if terse or tokens.match_words("SHOW", "DYNAMIC", "TABLES"):
        return ShowDynamicTables(listing(tokens, terse=terse))
    return None


# -- CREATE


def _create(tokens: Tokens) -> CreateDynamicTable | None:
    or_replace = tokens.match_words("OR", "REPLACE")
    or_alter = tokens.match_words("OR", "ALTER")
    transient = tokens.match_words("TRANSIENT")
    if not tokens.match_words("DYNAMIC", "TABLE"):
        return None
    if_not_exists = tokens.if_not_exists()
    name = tokens.name()
    clone = tokens.name() if tokens.match_words("CLONE") else None
    policies: dict[str, Any] = {}
    listed = clone is None and tokens.match_type(TokenType.L_PAREN)
    columns = _columns(tokens, policies) if listed else ()
    head = tokens.sql[: tokens.offset].strip()
    settings, found = _settings(tokens)
    if not columns and tokens.match_type(TokenType.L_PAREN):
        columns = _columns(tokens, policies)
    if clone is None:
        tokens.expect_words("AS")
        if tokens.at_end:
            raise tokens.error("expected a query")
    return CreateDynamicTable(
        name,
        tokens.sql.strip(),
        head,
        tokens.rest(),
        columns,
        {**policies, **settings},
        found,
        or_replace=or_replace,
        or_alter=or_alter,
        if_not_exists=if_not_exists,
        transient=transient,
        clone=clone,
    )


def _columns(tokens: Tokens, policies: dict[str, Any]) -> tuple[ColumnSpec, ...]:
    """The list of columns, whose opening parenthesis is passed; adds their policies."""
    found = []
    while True:
        found.append(_column(tokens, policies))
        if not tokens.match_type(TokenType.COMMA):
            tokens.expect_type(TokenType.R_PAREN)
            return tuple(found)


def _column(tokens: Tokens, policies: dict[str, Any]) -> ColumnSpec:
    name, written, comment = tokens.identifier(), "", ""
    found: Tags = ()
    while (token := tokens.peek()) is not None and token.token_type not in (
        TokenType.COMMA,
        TokenType.R_PAREN,
    ):
        if tokens.match_words("COMMENT"):
            tokens.match_type(TokenType.EQ)
            comment = tokens.expect_string()
        elif tokens.match_words("TAG") or tokens.match_words("WITH", "TAG"):
            tokens.expect_type(TokenType.L_PAREN)
            found = tag_list(tokens)
        elif (policy := _policy(tokens)) is not None:
            policies[policy] = tokens.name().parts
        elif not written:
            written = _type(tokens)
        else:
            raise tokens.error("expected COMMENT or TAG")
    return ColumnSpec(name, written, comment, found)


def _policy(tokens: Tokens) -> str | None:
    """`[WITH] ROW ACCESS POLICY` and its like; None if there is none, or only TAG after WITH."""
    start = tokens.index
    tokens.match_words("WITH")
    kind = next((one for one in POLICIES if tokens.match_words(*one.split(), "POLICY")), None)
    if kind is None:
        tokens.index = start
        return None
    return f"{kind} POLICY"


def _type(tokens: Tokens) -> str:
    """The text of a type, with what stands in parentheses after it."""
    word = tokens.identifier()
    if tokens.match_type(TokenType.L_PAREN):
        return f"{word}({', '.join(tokens.arguments())})"
    return word


# -- properties


def _settings(tokens: Tokens) -> tuple[dict[str, Any], Tags]:
    """`NAME = value` in any order, with COMMENT, TAG, CLUSTER BY and the words that stand alone."""
    settings: dict[str, Any] = {}
    found: Tags = ()
    while not tokens.at_end and not tokens.is_words("AS") and not _opens(tokens):
        if tokens.match_phrase("CLUSTER BY"):
            settings["CLUSTER_BY"] = _keys(tokens)
        elif tokens.match_words("COPY", "GRANTS"):
            settings["COPY_GRANTS"] = True
        elif tokens.match_words("REQUIRE", "USER"):
            settings["REQUIRE_USER"] = True
        elif tokens.match_words("TAG") or tokens.match_words("WITH", "TAG"):
            tokens.expect_type(TokenType.L_PAREN)
            found = tag_list(tokens)
        elif (policy := _policy(tokens)) is not None:
            settings[policy] = tokens.text_until(("AS",))
        elif tokens.match_words("IMMUTABLE", "WHERE") or tokens.match_words("FROZEN", "WHERE"):
            settings["IMMUTABLE"] = tokens.text_until(("AS",))
        elif tokens.match_words("CONTACT"):
            settings["CONTACT"] = tokens.text_until(("AS",))
        elif tokens.match_words("EXECUTE", "AS"):
            settings["EXECUTE"] = tokens.text_until(("AS",))
        elif tokens.match_words("BACKFILL", "FROM"):
            settings["BACKFILL"] = tokens.text_until(("AS",))
        else:
            key = tokens.identifier()
            # Snowpark writes the property's name as it was in the preview.
            key = "TARGET_LAG" if key == "LAG" else key
            if not tokens.match_type(TokenType.EQ) and key != "COMMENT":
                raise tokens.error("expected =")
            settings[key] = _value(tokens)
        tokens.match_type(TokenType.COMMA)
    return settings, found


def _opens(tokens: Tokens) -> bool:
    """Whether a list of columns follows the settings."""
    token = tokens.peek()
    return token is not None and token.token_type is TokenType.L_PAREN


def _keys(tokens: Tokens) -> str:
    tokens.expect_type(TokenType.L_PAREN)
    return ", ".join(tokens.arguments())


def _value(tokens: Tokens) -> Any:
    if (text := tokens.match_string()) is not None:
        return text
    if (number := tokens.match_type(TokenType.NUMBER)) is not None:
        return int(number.text) if number.text.isdigit() else float(number.text)
    if tokens.match_words("TRUE"):
        return True
    if tokens.match_words("FALSE"):
        return False
    name = tokens.name()
    return ".".join(name.parts)


# -- ALTER


def _alter(tokens: Tokens) -> AlterDynamicTable:
    if_exists = tokens.if_exists()
    name = tokens.name()
    others = []
    while tokens.match_type(TokenType.COMMA):
        others.append(tokens.name())
    if others:
        tokens.expect_words("REFRESH")
        tokens.match_words("COPY", "SESSION")
        return AlterDynamicTable(name, "REFRESH", others=tuple(others), if_exists=if_exists)
    return _change(tokens, name, if_exists)


def _change(tokens: Tokens, name: Name, if_exists: bool) -> AlterDynamicTable:
    for word in _SIMPLE:
        if tokens.match_words(word):
            if word == "REFRESH":
                tokens.match_words("COPY", "SESSION")
            return AlterDynamicTable(name, word, if_exists=if_exists)
    if tokens.match_words("RENAME", "TO"):
        return AlterDynamicTable(name, "RENAME", new=tokens.name(), if_exists=if_exists)
    if tokens.match_words("SWAP", "WITH"):
        return AlterDynamicTable(name, "SWAP", new=tokens.name(), if_exists=if_exists)
    if tokens.match_phrase("CLUSTER BY"):
        keys = {"CLUSTER_BY": _keys(tokens)}
        return AlterDynamicTable(name, "CLUSTER", keys, if_exists=if_exists)
    if tokens.match_words("DROP", "CLUSTERING", "KEY"):
        return AlterDynamicTable(name, "UNCLUSTER", if_exists=if_exists)
    if (tokens.is_words("ADD") or tokens.is_words("DROP")) and (governed := _governed(tokens)) is not None:
        return AlterDynamicTable(name, governed, if_exists=if_exists)
    if tokens.match_words("ALTER") or tokens.match_words("MODIFY"):
        return _column_change(tokens, name, if_exists)
    if tokens.match_words("SET", "TAG"):
        return AlterDynamicTable(name, "SET TAG", tags=tags(tokens), if_exists=if_exists)
    if tokens.match_words("UNSET", "TAG"):
        return AlterDynamicTable(name, "UNSET TAG", tag_names=names(tokens), if_exists=if_exists)
    if tokens.match_words("SET"):
        settings, _ = _settings(tokens)
        if not settings:
            raise tokens.error("expected a property")
        return AlterDynamicTable(name, "SET", settings, if_exists=if_exists)
    tokens.expect_words("UNSET")
    found = [tokens.identifier()]
    while tokens.match_type(TokenType.COMMA) or not tokens.at_end:
        found.append(tokens.identifier())
    return AlterDynamicTable(name, "UNSET", unset=tuple(found), if_exists=if_exists)


_GOVERNED = ("SEARCH OPTIMIZATION", *(f"{kind} POLICY" for kind in POLICIES), "ALL ROW ACCESS POLICIES")


def _governed(tokens: Tokens) -> str | None:
    """ADD or DROP of a policy or of search optimization, with the rest of the statement."""
    start = tokens.index
    word = "ADD" if tokens.match_words("ADD") else tokens.identifier()
    found = next((one for one in _GOVERNED if tokens.match_phrase(one)), None)
    if found is None:
        tokens.index = start
        return None
    tokens.rest()
    return f"{word} {found}"


def _column_change(tokens: Tokens, name: Name, if_exists: bool) -> AlterDynamicTable:
    """Comments of columns; other changes of them are not emulated."""
    comments = column_comments(tokens)
    if comments is None:
        tokens.rest()
        return AlterDynamicTable(name, "MODIFY COLUMN", if_exists=if_exists)
    return AlterDynamicTable(name, "COMMENTS", comments=comments, if_exists=if_exists)
