"""Builders of functions' trees, from the arguments as written and the statement around them."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import Expr

from sfml_local.core.rewriting import Rewriting

Arguments = list[Expr]
Builder = Callable[[Arguments, Rewriting], Expr]
