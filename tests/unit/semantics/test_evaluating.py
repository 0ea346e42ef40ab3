"""What conditions come to: SQL's logic, Snowflake's casts, and what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from sfml.semantics.evaluating import ConditionError, Undecided, Unknown, Value, condition_holds

FUNCTIONS: Mapping[str, Callable[[tuple[Value, ...]], Value]] = {
    "SYSTEM$STREAM_HAS_DATA": lambda asked: Unknown("nothing says whether it has data"),
    "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": lambda asked: {"CLV$TRAIN": "0.41", "CLV$GATE": "GOOD"}.get(
        str(asked[0])
    ),
}
VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"
STREAM = "SYSTEM$STREAM_HAS_DATA('ORDERS')"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 = 1", True),
        ("1=1 and 2 = 3", False),
        ("not (1 = 2) and (1 = 2 or true)", True),
        ("1 = 2 or 1 = 1 and 1 = 2", False),
        (f"{VALUE}('CLV$GATE') = 'GOOD'", True),
        (f"{VALUE}('CLV$GATE') = 'good'", False),
        (f"{VALUE}('CLV$GATE') <> 'it''s'", True),
        (f"{VALUE}('CLV$TRAIN')::FLOAT >= 0.4", True),
        (f"{VALUE}('CLV$TRAIN') > 0.5", False),
        (f"CAST({VALUE}('CLV$TRAIN') AS NUMBER(10, 1)) = 0.4", True),
        (f"to_number({VALUE}('CLV$TRAIN')) = 0", True),
        (f"{VALUE}('CLV$NOTHING') is null", True),
        (f"{VALUE}('CLV$NOTHING') = 'x' or {VALUE}('CLV$NOTHING') <> 'x'", False),
        (f"{VALUE}('CLV$GATE') in ('BAD', 'GOOD')", True),
        (f"{VALUE}('CLV$GATE') not in ('BAD', 'GOOD')", False),
        (f"{VALUE}('CLV$TRAIN') between 0.4 and 0.5", True),
        (f"{VALUE}('CLV$GATE') like 'G__D' and 'a%' like 'a%'", True),
        ("try_to_number('four') is null", True),
        ("'yes'::boolean and 'off'::boolean = false", True),
        ("'a' || 'b' = 'ab' -- a remark", True),
        ("-1 < 0 and 2.5::int = 3 and (-2.5)::int = -3", True),
        (f"1 = 1 or {STREAM}", True),
        (f"1 = 2 and {STREAM}", False),
        ("null", False),
        ("not null", False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert condition_holds(condition, FUNCTIONS) is expected


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (STREAM, "nothing says whether it has data"),
        (f"1 = 1 and not {STREAM}", "nothing says whether it has data"),
        ("case when 1 = 1 then true end", "the condition is not understood at `case`"),
        ("1 + 1 = 2", "the condition is not understood at `+`"),
        ("1 = ", "the condition is not understood at `its end`"),
        ("()", "the condition is not understood at `its end`"),
        ("PARSE_JSON('1') = 1", "`PARSE_JSON` is not understood here"),
        ("(" * 9_000 + "true" + ")" * 9_000, "the condition is nested too deeply"),
    ],
)
def test_what_cannot_be_told_is_said(condition: str, why: str) -> None:
    with pytest.raises(Undecided, match=rf"^{re.escape(why)}$"):
        condition_holds(condition, FUNCTIONS)


@pytest.mark.parametrize("condition", ["'x'::number = 1", "'x' > 1", "'perhaps'", "'nan'::float = 1"])
def test_what_snowflake_would_fail_for(condition: str) -> None:
    with pytest.raises(ConditionError):
        condition_holds(condition, {})
