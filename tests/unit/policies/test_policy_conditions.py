"""Conditions: what each operator holds for, what an unset value does, and that patterns take bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sfml.policies.conditions import Condition, is_like

TABLE: tuple[tuple[dict[str, Any], list[Any], list[Any]], ...] = (
    ({"equals": "a"}, ["a"], ["A", "b", 1]),
    ({"equals": True}, [True], [False, 1]),
    ({"equals": ("a", "b")}, [("a", "b")], [("b", "a"), ("a",)]),
    ({"not": "a"}, ["b", 1], ["a"]),
    ({"in": ("a", 1)}, ["a", 1, 1.0], ["b", 2, True]),
    ({"not_in": ("a",)}, ["b"], ["a"]),
    ({"like": "ML_*"}, ["ML_WH", "ml_wh", "ML_"], ["OTHER", "XML_WH"]),
    ({"like": ("A*", "B?")}, ["AX", "BX"], ["BXX", "C"]),
    ({"not_like": ("*drop*",)}, ["select"], ["DROP TABLE", "x drop y"]),
    ({"at_least": 3}, [3, 4.5], [2, True, "5"]),
    ({"at_most": 3}, [3, 0], [4, "1"]),
    ({"contains": "a"}, [("a", "b"), "banana", {"a": 1}], [("b",), "b", {"b": "a"}]),
    ({"not_contains": "a"}, [("b",), "b"], [("a",), "a"]),
    ({"count_at_least": 2}, [("a", "b")], [("a",)]),
    ({"count_at_most": 1}, [("a",), {"a": 1}], [("a", "b")]),
    ({"all": Condition((("like", "*==*"),))}, [("a==1", "b==2")], [("a==1", "b")]),
    ({"any": Condition((("equals", "a"),))}, [("a", "b")], [("b",)]),
    ({"none": Condition((("equals", "a"),))}, [("b",)], [("a", "b")]),
    ({"set": True}, [0, False, "a", ("a",)], [None, "", (), {}]),
    ({"set": False}, [None, "", ()], [0, "a"]),
    ({"at_least": 1, "at_most": 3}, [1, 3], [0, 4]),
)


@pytest.mark.parametrize(("tests", "right", "wrong"), TABLE, ids=lambda case: str(case)[:40])
def test_a_condition_holds_for(tests: dict[str, Any], right: list[Any], wrong: list[Any]) -> None:
    condition = Condition(tuple(tests.items()))
    assert [value for value in right if not condition.holds(value)] == []
    assert [value for value in wrong if condition.holds(value)] == []


@pytest.mark.parametrize(
    ("tests", "holds", "selects"),
    [
        ({"equals": "a"}, True, False),
        ({"in": ("a",)}, True, False),
        ({"like": "*"}, True, False),
        ({"at_most": 3}, True, False),
        ({"all": Condition((("equals", "a"),))}, True, False),
        ({"not": "a"}, True, True),
        ({"not_like": "a"}, True, True),
        ({"none": Condition((("equals", "a"),))}, True, True),
        ({"set": True}, False, False),
        ({"set": False}, True, True),
        ({"count_at_least": 1}, False, False),
        ({"count_at_most": 1}, True, True),
    ],
    ids=str,
)
def test_what_is_not_set_is_right_but_not_meant(tests: dict[str, Any], holds: bool, selects: bool) -> None:
    condition = Condition(tuple(tests.items()))
    assert [condition.holds(value) for value in (None, (), "")] == [holds] * 3
    assert [condition.selects(value) for value in (None, (), "")] == [selects] * 3


def test_hostile_patterns_take_no_time() -> None:
    began = time.process_time()
    assert not is_like("a" * 2_000, "*a" * 200 + "b")
    assert is_like("a" * 2_000, "*" * 500)
    assert time.process_time() - began < 5
