"""What ML Jobs ask of services and compute pools."""

from __future__ import annotations

import pytest

from sfml_local.grammar import services as s
from sfml_local.grammar.procedures import Argument
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.tokens import Name, Tokens

J = Name(("D", "S", "JOB_1"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DESCRIBE SERVICE D.S.JOB_1", s.DescribeService(J)),
        ("DESC SERVICE IDENTIFIER('D.S.JOB_1')", s.DescribeService(J)),
        ("DROP SERVICE IF EXISTS D.S.JOB_1 FORCE", s.DropService(J, if_exists=True)),
        ("SHOW SERVICE INSTANCES IN SERVICE IDENTIFIER('D.S.JOB_1')", s.ShowServiceInstances(J)),
        (
            "SHOW JOB SERVICES LIKE 'M%' IN D.S LIMIT 10",
            s.ShowServices(Listing(like="M%", scope="", within=Name(("D", "S")), limit=10)),
        ),
        ("SHOW JOB SERVICES IN ACCOUNT LIMIT 3", s.ShowServices(Listing(scope="ACCOUNT", limit=3))),
        (
            "call D.S.JOB_1!spcs_wait_for('DONE', 30)",
            s.CallServiceMethod(J, "SPCS_WAIT_FOR", (Argument("'DONE'"), Argument("30"))),
        ),
        (
            'CALL D.S."job-1"!spcs_cancel_job()',
            s.CallServiceMethod(Name(("D", "S", "job-1")), "SPCS_CANCEL_JOB", ()),
        ),
    ],
)
def test_statements_about_services(sql: str, expected: object) -> None:
    assert s.parse(Tokens(sql)) == expected


@pytest.mark.parametrize("sql", ["CALL p('a!b')", "SHOW TABLES", "DESCRIBE TABLE service", "CALL"])
def test_other_statements_are_left_alone(sql: str) -> None:
    assert s.parse(Tokens(sql)) is None
