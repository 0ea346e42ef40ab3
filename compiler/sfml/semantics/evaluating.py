"""Evaluating a WHEN condition from what is known about a run; values that are not known raise, and are not guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from sfml.semantics.condition_values import (
    TYPES,
    ConditionError,
    Known,
    Unknown,
    Value,
    any_of,
    boolean,
    cast,
    compared,
    concatenated,
    like,
    negation,
)
from sfml.semantics.condition_words import Kind, Word, words_of

__all__ = ["ConditionError", "Functions", "Undecided", "Unknown", "Value", "condition_holds"]


Functions: TypeAlias = Mapping[str, Callable[[tuple[Value, ...]], Value]]
"""The SYSTEM$ functions of a condition, by their names in upper case."""

_Expression: TypeAlias = Callable[[Functions], Value]


class Undecided(ValueError):
    """A condition whose value is not known; the message says why, as the end of a sentence."""


def condition_holds(condition: str, functions: Functions) -> bool:
    """Whether the condition lets the task run; NULL does not. `functions` answers its SYSTEM$ functions.

    Raises `Undecided` where the value is not known, and `ConditionError` where Snowflake fails the task.

    >>> condition_holds("'2'::NUMBER > 1.5 and not 'a' in ('b', 'c')", {})
    True
    """
    try:
        value = boolean(_parsed(condition)(functions))
    except RecursionError:
        raise Undecided("the condition is nested too deeply") from None
    if isinstance(value, Unknown):
        raise Undecided(value.of)
    return value is True


@lru_cache(maxsize=4096)
def _parsed(condition: str) -> _Expression:
    reader = _Reader([word for word in words_of(condition) if word.kind is not Kind.COMMENT])
    expression = reader.disjunction()
    if reader.at < len(reader.words):
        raise reader.unread()
    return expression


class _Reader:
    """A recursive-descent parser of a condition, from the loosest operator to the tightest.

    OR, AND, NOT, comparison, ||, sign, cast. Every method returns a function that evaluates what it read.
    """

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.at = 0

    def unread(self) -> Undecided:
        here = self.words[self.at].text[:40] if self.at < len(self.words) else "its end"
        return Undecided(f"the condition is not understood at `{here}`")

    def _is(self, *texts: str) -> bool:
        if self.at >= len(self.words):
            return False
        word = self.words[self.at]
        return word.kind in (Kind.WORD, Kind.SIGN) and word.text.upper() in texts

    def _take(self, *texts: str) -> str | None:
        if not self._is(*texts):
            return None
        self.at += 1
        return self.words[self.at - 1].text.upper()

    def _demand(self, text: str) -> None:
        if self._take(text) is None:
            raise self.unread()

    def disjunction(self) -> _Expression:
        parts = [self._conjunction()]
        while self._take("OR"):
            parts.append(self._conjunction())
        return (
            parts[0]
            if len(parts) == 1
            else lambda functions: any_of([boolean(part(functions)) for part in parts])
        )

    def _conjunction(self) -> _Expression:
        parts = [self._negation()]
        while self._take("AND"):
            parts.append(self._negation())
        if len(parts) == 1:
            return parts[0]
        return lambda functions: negation(any_of([negation(boolean(part(functions))) for part in parts]))

    def _negation(self) -> _Expression:
        if self._take("NOT"):
            inner = self._negation()
            return lambda functions: negation(boolean(inner(functions)))
        return self._comparison()

    def _comparison(self) -> _Expression:
        left = self._joined()
        while True:
            if sign := self._take("=", "<>", "!=", "<", "<=", ">", ">="):
                left = _compared(sign, left, self._joined())
            elif self._take("IS"):
                left = self._null_test(left)
            elif self._is("NOT", "IN", "BETWEEN", "LIKE"):
                is_not = self._take("NOT") is not None
                membership = self._membership(left)
                left = _negated(membership) if is_not else membership
            else:
                return left

    def _null_test(self, left: _Expression) -> _Expression:
        is_not = self._take("NOT") is not None
        self._demand("NULL")

        def test(functions: Functions) -> Value:
            value = left(functions)
            return value if isinstance(value, Unknown) else (value is None) is not is_not

        return test

    def _membership(self, left: _Expression) -> _Expression:
        if self._take("BETWEEN"):
            low = self._joined()
            self._demand("AND")
            high = self._joined()
            above, below = _compared(">=", left, low), _compared("<=", left, high)
            return lambda functions: negation(
                any_of([negation(boolean(one(functions))) for one in (above, below)])
            )
        if self._take("LIKE"):
            pattern = self._joined()
            return lambda functions: like(left(functions), pattern(functions))
        self._demand("IN")
        choices = [_compared("=", left, argument) for argument in self._arguments()]
        return lambda functions: any_of([boolean(choice(functions)) for choice in choices])

    def _arguments(self) -> list[_Expression]:
        self._demand("(")
        arguments: list[_Expression] = []
        while not self._take(")"):
            if arguments:
                self._demand(",")
            arguments.append(self.disjunction())
        return arguments

    def _joined(self) -> _Expression:
        parts = [self._signed()]
        while self._take("||"):
            parts.append(self._signed())
        return (
            parts[0]
            if len(parts) == 1
            else lambda functions: concatenated([part(functions) for part in parts])
        )

    def _signed(self) -> _Expression:
        if self._take("-"):
            inner = self._signed()

            def negative(functions: Functions) -> Value:
                value = cast("NUMERIC", 38, inner(functions))
                return -value if isinstance(value, Decimal) else value

            return negative
        self._take("+")
        return self._cast()

    def _cast(self) -> _Expression:
        value = self._primary()
        while self._take("::"):
            value = self._to_type(value)
        return value

    def _to_type(self, value: _Expression) -> _Expression:
        word = self.words[self.at] if self.at < len(self.words) else None
        if word is None or word.kind is not Kind.WORD or word.text.upper() not in TYPES:
            raise self.unread()
        self.at += 1
        kind, scale = word.text.upper(), 0
        if self._is("("):
            numbers = [argument({}) for argument in self._arguments()]
            scale = int(numbers[1]) if len(numbers) > 1 and isinstance(numbers[1], Decimal) else 0
        return lambda functions: cast(kind, scale, value(functions))

    def _primary(self) -> _Expression:
        if self.at >= len(self.words):
            raise self.unread()
        if self._is("("):
            inner = self._arguments()
            if len(inner) != 1:
                raise self.unread()
            return inner[0]
        word = self.words[self.at]
        self.at += 1
        if word.kind is Kind.TEXT:
            text = _unescaped(word.text)
            return lambda functions: text
        if word.kind is Kind.NUMBER:
            number = Decimal(word.text)
            return lambda functions: number
        name = word.text.upper()
        if word.kind is Kind.WORD and self._is("("):
            return self._call(name)
        if word.kind is Kind.WORD and name in _CONSTANTS:
            constant = _CONSTANTS[name]
            return lambda functions: constant
        self.at -= 1
        raise self.unread()

    def _call(self, name: str) -> _Expression:
        if name in ("CAST", "TRY_CAST"):
            self._demand("(")
            value = self.disjunction()
            self._demand("AS")
            converted_value = self._to_type(value)
            self._demand(")")
            return converted_value if name == "CAST" else _tried(converted_value)
        arguments = self._arguments()
        kind = name.removeprefix("TRY_").removeprefix("TO_")
        if name != kind and kind in TYPES and len(arguments) == 1:
            value = arguments[0]

            def converted(functions: Functions) -> Value:
                return cast(kind, 0, value(functions))

            return _tried(converted) if name.startswith("TRY_") else converted

        def called(functions: Functions) -> Value:
            if name not in functions:
                return Unknown(f"`{name}` is not understood here")
            return functions[name](tuple(argument(functions) for argument in arguments))

        return called


_CONSTANTS: Mapping[str, Known] = {"TRUE": True, "FALSE": False, "NULL": None}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.replace("''", "'"), flags=re.DOTALL)


def _negated(expression: _Expression) -> _Expression:
    return lambda functions: negation(boolean(expression(functions)))


def _compared(sign: str, left: _Expression, right: _Expression) -> _Expression:
    return lambda functions: compared(sign, left(functions), right(functions))


def _tried(expression: _Expression) -> _Expression:
    def tried(functions: Functions) -> Value:
        try:
            return expression(functions)
        except ConditionError:
            return None

    return tried
