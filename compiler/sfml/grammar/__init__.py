"""The Snowflake statements that sqlglot leaves opaque, read into frozen dataclasses.

`parse_statement` tries each family of `FAMILIES` in order; a family answers None when the statement is not
one of its own and raises `SqlSyntaxError` when it is and cannot be read. None from all of them means:
leave the statement to sqlglot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sfml.grammar import (
    access,
    calls,
    compute,
    copying,
    databases,
    datasets,
    models,
    procedures,
    routines,
    scripting,
    services,
    session,
    stages,
    streams,
    tables,
    tags,
    tasks,
)
from sfml.grammar.tokens import Name, SqlSyntaxError, Tokens, parse_name

__all__ = ["FAMILIES", "Name", "SqlSyntaxError", "Tokens", "parse_name", "parse_statement"]

Statement = Any

FAMILIES: tuple[Callable[[Tokens], Statement | None], ...] = (
    session.parse,
    databases.parse,
    stages.parse,
    copying.parse,
    streams.parse,
    tasks.parse,
    procedures.parse,
    routines.parse,
    datasets.parse,
    tags.parse,
    models.parse,
    services.parse,
    compute.parse,
    access.parse,
    calls.parse,
    tables.parse,  # after those who know models and routines
    scripting.parse,
)


def parse_statement(sql: str) -> Statement | None:
    """The statement as one of the families' dataclasses, or None when it is none of theirs.

    Raises `SqlSyntaxError`, also for whatever is nested too deeply.
    """
    tokens = Tokens(sql)
    tokens.check_depth()
    for family in FAMILIES:
        tokens.index = 0
        statement = family(tokens)
        if statement is not None:
            return statement
    return None
