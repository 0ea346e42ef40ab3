"""Which texts can be the condition of WHEN: values and operators alternate, as in the statement that it is put into."""

from __future__ import annotations

import pytest

from sfml.semantics.condition_words import problem_of

VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('T')"


@pytest.mark.parametrize(
    "condition",
    [
        f"{VALUE} = ')'",
        f"{VALUE} = '(' AND '=' <> {VALUE}",
        f"{VALUE} NOT IN ('a', 'b')",
        f"NOT {VALUE} = 'not' AND {VALUE} = 'in'",
        f"{VALUE} IS NOT NULL OR TRUE",
        f"{VALUE}::NUMBER(10, 2) BETWEEN -1 AND +2.5",
        f"{VALUE} NOT LIKE 'a%' ESCAPE '!'",
        f"CASE WHEN {VALUE} = 'a' THEN TRUE ELSE FALSE END",
        f"CAST({VALUE} AS INT) IN (1, 2) AND NOT (SYSTEM$STREAM_HAS_DATA('S'))",
        f"PARSE_JSON({VALUE})['a'] = 'x' || 'y'",
        f"{VALUE} IS DISTINCT FROM 'a'",
        "1 = 1",
    ],
)
def test_conditions(condition: str) -> None:
    assert problem_of(condition) is None


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (f"{VALUE} =", "`=` has nothing behind it"),
        (f"{VALUE} = 'a' AND", "`AND` has nothing behind it"),
        (f"({VALUE} = 'a' or)", "`or` has nothing behind it"),
        (f"{VALUE} = 'a' AND OR 1 = 1", "`AND` has nothing behind it"),
        (f"NOT AND {VALUE} = 'a'", "`NOT` has nothing behind it"),
        ("NOT", "`NOT` has nothing behind it"),
        (f"= {VALUE}", "`=` has nothing before it"),
        (f"1 = 1 AND (OR {VALUE} = 'a')", "`OR` has nothing before it"),
        (f"{VALUE} 'a'", "there is no operator between `)` and `a`"),
        (f"{VALUE} {VALUE}", "there is no operator between `)` and `SYSTEM$GET_PREDECESSOR_RETURN_VALUE`"),
        (f"{VALUE} = 1 2", "there is no operator between `1` and `2`"),
        ("TRUE (1 = 1)", "there is no operator between `TRUE` and `(`"),
    ],
)
def test_values_and_operators_alternate(condition: str, problem: str) -> None:
    assert problem_of(condition) == problem
