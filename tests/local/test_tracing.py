"""`snowflake.telemetry` and OpenTelemetry in procedures and functions: spans and events in the event table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from snowflake.snowpark import Session

HEAD = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
EVENTS = "SNOWFLAKE.TELEMETRY.EVENTS"


def create(session: Session, body: str, returns: str = "VARCHAR") -> None:
    session.sql(
        f"CREATE OR REPLACE PROCEDURE traced() RETURNS {returns} {HEAD} HANDLER = 'main'"
        f" PACKAGES = ('snowflake-snowpark-python', 'snowflake-telemetry-python') AS $${body}$$"
    ).collect()


def records(session: Session) -> list[tuple[str, str, dict[str, Any]]]:
    """Type, name and attributes of all spans and events."""
    rows = session.sql(
        f"SELECT RECORD_TYPE, RECORD, RECORD_ATTRIBUTES FROM {EVENTS} WHERE RECORD_TYPE <> 'LOG' ORDER BY TIMESTAMP"
    ).collect()
    return [(row[0], json.loads(row[1])["name"], json.loads(row[2])) for row in rows]


TRACED = """
from opentelemetry import trace
from snowflake import telemetry

def main(session):
    telemetry.set_span_attribute('model', 'clv')
    telemetry.add_event('loaded', {'rows': 3})
    with trace.get_tracer('own').start_as_current_span('fitting') as span:
        span.set_attribute('depth', 2)
        telemetry.add_event('fitted')
    session.sql('SELECT 1').collect()
    return 'done'
"""


def test_a_procedures_spans_and_events_are_in_the_event_table(session: Session) -> None:
    create(session, TRACED)
    before = datetime.now(UTC).replace(tzinfo=None)
    assert session.call("traced") == "done"
    assert records(session) == [
        ("SPAN_EVENT", "loaded", {"rows": 3}),
        ("SPAN_EVENT", "fitted", {}),
        ("SPAN", "fitting", {"depth": 2}),
        ("SPAN", "snow.auto_instrumented", {"model": "clv"}),
    ]
    spans = session.sql(
        "SELECT START_TIMESTAMP, TIMESTAMP, TRACE['trace_id']::VARCHAR AS T, TRACE['span_id']::VARCHAR AS S,"
        " RECORD['parent_span_id']::VARCHAR AS P, RECORD['status']['code']::VARCHAR AS C,"
        " RESOURCE_ATTRIBUTES['snow.query.id']::VARCHAR AS Q, SCOPE['name']::VARCHAR AS N"
        f" FROM {EVENTS} WHERE RECORD_TYPE = 'SPAN' ORDER BY TIMESTAMP"
    ).collect()
    inner, outer = spans
    assert before <= outer[0] <= inner[0] <= inner[1] <= outer[1]
    assert inner.T == outer.T and inner.P == outer.S and outer.P is None
    assert (inner.C, inner.N) == ("STATUS_CODE_UNSET", "own")
    assert inner.Q == outer.Q


def test_a_procedure_that_fails_keeps_its_events(session: Session) -> None:
    create(
        session,
        "from snowflake import telemetry\ndef main(session):\n    telemetry.add_event('begun')\n    1 // 0",
    )
    found = len(records(session))
    try:
        session.call("traced")
    except Exception as error:
        assert "ZeroDivisionError" in str(error)
    assert [name for _, name, _ in records(session)[found:]] == ["begun", "snow.auto_instrumented"]


def test_a_program_that_traces_nothing_has_no_span(session: Session) -> None:
    create(session, "def main(session):\n    return str(session.sql('SELECT 1').collect()[0][0])")
    found = len(records(session))
    assert session.call("traced") == "1"
    assert len(records(session)) == found


def test_functions_have_the_package_and_keep_nothing(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE FUNCTION told(n INT) RETURNS INT {HEAD} HANDLER = 'f' AS $$\n"
        "from snowflake import telemetry\n"
        "def f(n):\n    telemetry.add_event('row', {'n': n})\n"
        "    telemetry.set_span_attribute('n', n)\n    return n\n$$"
    ).collect()
    found = len(records(session))
    assert session.sql("SELECT told(1)").collect()[0][0] == 1
    assert len(records(session)) == found
