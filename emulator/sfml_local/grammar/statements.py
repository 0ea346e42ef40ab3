"""The Snowflake statements that sqlglot leaves opaque, read into frozen dataclasses.

`parse_statement` tries each family of `FAMILIES` in order; a family answers None when the statement is not
one of its own and raises `SqlSyntaxError` when it is and cannot be read. None from all of them means:
leave the statement to sqlglot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sfml_local.grammar import (
    absent,
    access,
    alerts,
    calls,
    compute,
    copying,
    databases,
    datasets,
    dynamic_tables,
    feature_store,
    models,
    procedures,
    routines,
    scripting,
    sequences,
    services,
    session,
    shows,
    stages,
    streams,
    table_properties,
    tables,
    tagging,
    tags,
    tasks,
    users,
)
from sfml_local.grammar.tokens import SqlSyntaxError, Tokens

Statement = Any

FAMILIES: tuple[Callable[[Tokens], Statement | None], ...] = (
    absent.cloned,
    tagging.parse,
    session.parse,
    databases.parse,
    stages.parse,
    copying.parse,
    streams.parse,
    tasks.parse,
    alerts.parse,
    procedures.parse,
    routines.parse,
    datasets.parse,
    tags.parse,
    dynamic_tables.parse,
    feature_store.parse,
    services.parse,
    compute.parse,
    users.parse,
    access.parse,
    calls.parse,
    absent.parse,  # after the families with some statements on such objects
    models.parse,  # after `absent`, because MODEL MONITOR is not a model
    shows.parse,
    table_properties.parse,
    sequences.parse,
    tables.parse,  # after the families of models and routines
    scripting.parse,
    shows.unknown,
)


OF_ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE")
"""Words with which no statement of the families begins: nearly thirty of them would look at each query."""


def parse_statement(sql: str) -> Statement | None:
    """The statement as one of the families' dataclasses, or None if it belongs to none.

    Raises `SqlSyntaxError`, also for statements that are nested too deeply.
    """
    tokens = Tokens(sql)
    tokens.check_depth()
    if any(map(tokens.is_words, OF_ROWS)):
        return None
    _refuse_both(tokens)
    for family in FAMILIES:
        tokens.index = 0
        statement = family(tokens)
        if statement is not None:
            tokens.expect_end()
            return statement
    return None


_DEFINING = ("CREATE", "ALTER", "DROP", "UNDROP", "GRANT", "REVOKE", "COMMENT")


def is_definition(sql: str) -> bool:
    """Whether a statement defines objects or rights, which commits the open transaction; ALTER SESSION does not."""
    tokens = Tokens(sql)
    return any(map(tokens.is_words, _DEFINING)) and not tokens.is_words("ALTER", "SESSION")


def _refuse_both(tokens: Tokens) -> None:
    """OR REPLACE and IF NOT EXISTS in one CREATE; the kind of object between them has at most four words."""
    if not tokens.is_words("CREATE", "OR", "REPLACE"):
        return
    for tokens.index in range(4, 9):
        if tokens.is_words("IF", "NOT", "EXISTS"):
            raise SqlSyntaxError(
                "SQL compilation error:\noptions IF NOT EXISTS and OR REPLACE are incompatible.",
                tokens.offset,
            )
    tokens.index = 0
