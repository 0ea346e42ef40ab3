"""Builders of functions' trees, from the arguments as written and the statement around them."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import Expr

from sfml_local.core.errors import SqlError
from sfml_local.core.rewriting import Rewriting

Arguments = list[Expr]
Builder = Callable[[Arguments, Rewriting], Expr]


def counted(name: str, least: int, most: int | None, build: Builder) -> Builder:
    """A builder for a fixed range of argument counts; other counts are refused as on an account."""

    def checked(arguments: Arguments, rewriting: Rewriting) -> Expr:
        found = len(arguments)
        if found < least:
            raise wrong_count("not enough", name, least, found)
        if most is not None and found > most:
            raise wrong_count("too many", name, most, found)
        return build(arguments, rewriting)

    return checked


def wrong_count(words: str, name: str, expected: int, got: int) -> SqlError:
    code = 938 if words == "not enough" else 939
    return SqlError(
        f"SQL compilation error: {words} arguments for function [{name}] expected {expected}, got {got}",
        code,
        "22023",
    )
