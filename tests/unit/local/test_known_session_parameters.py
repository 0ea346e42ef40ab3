"""`sfml validate` knows the session parameters that the local Snowflake knows, and refuses no value that it takes."""

from __future__ import annotations

import pytest

from sfml.semantics.session_parameters import NUMBERS, PARAMETERS, value_problem
from sfml_local.core.errors import SqlError
from sfml_local.core.session_parameters import OF_SESSION


def test_the_names_are_those_of_the_server() -> None:
    assert OF_SESSION.keys() == PARAMETERS
    assert NUMBERS.keys() == {name for name, known in OF_SESSION.items() if known.kind == "NUMBER"}


@pytest.mark.parametrize("name", [name for name, bounds in NUMBERS.items() if bounds is not None])
def test_both_refuse_the_same_numbers(name: str) -> None:
    low, high = NUMBERS[name] or (0, 0)
    check = OF_SESSION[name].check
    assert check is not None
    for value in (low, high):
        check(name, value)
        assert value_problem(name, value) is None
    for value in (low - 1, high + 1):
        with pytest.raises(SqlError):
            check(name, value)
        assert value_problem(name, value) == f"a whole number from {low:,} to {high:,}"


def test_other_values() -> None:
    assert value_problem("WEEK_START", "first") == "a whole number"
    assert value_problem("LOCK_TIMEOUT", "1") is None
    assert value_problem("TIMEZONE", "Europe/Berlin") is None
    assert value_problem("TIMEZONE", "Europe/Nowhere") == "a region such as `Europe/Berlin`, or `UTC`"
    assert value_problem("DATE_OUTPUT_FORMAT", "anything") is None
