"""The cutting of texts of several statements, which tests of tasks.sql rely on."""

from __future__ import annotations

import pytest
from sql_statements import split

BODIES = {
    "plain": "SELECT 1",
    "block": "BEGIN SELECT 1; END",
    "declared": "DECLARE A INT; BEGIN SELECT 1; END",
    "nested": "BEGIN BEGIN SELECT 1; EXCEPTION WHEN OTHER THEN RAISE; END; SELECT 2; END",
    "if": "BEGIN IF (A > 0) THEN SELECT 1; END IF; SELECT 2; END",
    "if in a block": "BEGIN BEGIN IF (A > 0) THEN SELECT 1; END IF; END; SELECT 2; END",
    "case": "BEGIN CASE (A) WHEN 1 THEN SELECT 1; END CASE; SELECT CASE WHEN A THEN 1 END; END",
    "loops": "BEGIN FOR I IN 1 TO 2 DO SELECT 1; END FOR; WHILE (A) DO SELECT 1; END WHILE; SELECT 2; END",
    "quoted": """BEGIN SELECT "BEGIN", 'CASE', $$DECLARE; END$$; SELECT 2; END""",
    "functions": "BEGIN SELECT REPEAT('a', 2), IFF(A, 1, 2); SELECT 2; END",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
def test_a_text_is_cut_behind_a_body(body: str) -> None:
    first, second = f"CREATE TASK A AS\n{body}\n", "\nALTER TASK A RESUME"
    assert [piece.strip() for piece in split(f"{first};{second};")] == [first.strip(), second.strip()]
