"""The session parameters that a client sends with one statement, which hold for it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_GIVEN: ContextVar[Mapping[str, Any]] = ContextVar("statement_parameters", default=MappingProxyType({}))


@contextmanager
def with_parameters(given: Mapping[str, Any]) -> Iterator[None]:
    """Let parameters hold, by their names in upper case, while a statement runs."""
    mark = _GIVEN.set(given)
    try:
        yield
    finally:
        _GIVEN.reset(mark)


def value_of(name: str, parameters: Mapping[str, Any]) -> Any:
    """A parameter's value for the statement, else for its session; None where neither sets it."""
    given = _GIVEN.get()
    return given[name] if name in given else parameters.get(name)
