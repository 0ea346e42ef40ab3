"""Conditions of YAML policies: whether a value is as a team wants it. They are data: nothing of them is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from sfml.base.record import record

Operand: TypeAlias = Any


@record
class Condition:
    """Operators with their operands, all of which must hold."""

    tests: tuple[tuple[str, Operand], ...]

    def holds(self, value: Any) -> bool:
        """Whether the value is as demanded. One that is not set is, but for `set` and counts."""
        return all(_holds(name, operand, value, if_unset=True) for name, operand in self.tests)

    def selects(self, value: Any) -> bool:
        """Whether the value is meant. One that is not set is only meant by `set: false`, counts, and what it is not."""
        return all(_holds(name, operand, value, if_unset=name in _NEGATIVE) for name, operand in self.tests)


def is_set(value: Any) -> bool:
    """Whether there is a value: a list or mapping of nothing is none, nor is an empty text."""
    return value is not None and not (isinstance(value, str | tuple | list | Mapping) and len(value) == 0)


def _holds(name: str, operand: Operand, value: Any, *, if_unset: bool) -> bool:
    if name == "set":
        return is_set(value) is operand
    if not is_set(value) and name not in COUNTS:
        return if_unset
    return _OPERATORS[name](value, operand)


def is_like(text: str, pattern: str) -> bool:
    """Whether the whole text matches: `*` stands for any characters, `?` for one. Case does not count.

    The time is bounded by the product of both lengths, whatever they hold.
    """
    text, pattern = text.casefold(), pattern.casefold()
    at = place = 0
    star, mark = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _equal(value: Any, operand: Operand) -> bool:
    """Equal and of one type, since `true` is not 1; lists are compared item by item."""
    if isinstance(value, str) and isinstance(operand, str):
        return value == operand
    if isinstance(value, tuple | list) and isinstance(operand, tuple | list):
        return len(value) == len(operand) and all(map(_equal, value, operand))
    if isinstance(value, Mapping) and isinstance(operand, Mapping):
        return value.keys() == operand.keys() and all(_equal(value[key], operand[key]) for key in value)
    return isinstance(value, bool) is isinstance(operand, bool) and bool(value == operand)


def _one_of(value: Any, operand: Operand) -> bool:
    return any(_equal(value, one) for one in operand)


def _like(value: Any, operand: Operand) -> bool:
    patterns = operand if isinstance(operand, tuple) else (operand,)
    return isinstance(value, str) and any(is_like(value, pattern) for pattern in patterns)


def _at_least(value: Any, operand: Operand) -> bool:
    return _is_number(value) and bool(value >= operand)


def _at_most(value: Any, operand: Operand) -> bool:
    return _is_number(value) and bool(value <= operand)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _contains(value: Any, operand: Operand) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return _one_of(operand, tuple(value)) if isinstance(value, tuple | list | Mapping) else False


def _items(value: Any) -> tuple[Any, ...]:
    if not is_set(value):
        return ()
    if isinstance(value, Mapping):
        return tuple(value.values())
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _all(value: Any, operand: Condition) -> bool:
    return all(operand.holds(item) for item in _items(value))


def _any(value: Any, operand: Condition) -> bool:
    return any(is_set(item) and operand.holds(item) for item in _items(value))


def _none(value: Any, operand: Condition) -> bool:
    return not _any(value, operand)


def _count_at_most(value: Any, operand: Operand) -> bool:
    return bool(len(_items(value)) <= operand)


def _count_at_least(value: Any, operand: Operand) -> bool:
    return bool(len(_items(value)) >= operand)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "equals": _equal,
        "not": lambda value, operand: not _equal(value, operand),
        "in": _one_of,
        "not_in": lambda value, operand: not _one_of(value, operand),
        "like": _like,
        "not_like": lambda value, operand: not _like(value, operand),
        "at_least": _at_least,
        "at_most": _at_most,
        "contains": _contains,
        "not_contains": lambda value, operand: not _contains(value, operand),
        "count_at_least": _count_at_least,
        "count_at_most": _count_at_most,
        "all": _all,
        "any": _any,
        "none": _none,
    }
)

NESTED = ("all", "any", "none")
"""Operators whose operand is a condition for each item of a list."""
ORDER = ("at_least", "at_most")
_NEGATIVE = ("not", "not_in", "not_like", "not_contains", "none")
COUNTS = ("count_at_least", "count_at_most")
"""Operators that compare numbers, and those that count items."""
