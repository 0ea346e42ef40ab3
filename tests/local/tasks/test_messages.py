"""Notifications compiled and sent on the local server: each text arrives as it was meant, whatever is in it."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from asking import Sql

from sfml.base.quoting import literal
from sfml.graph.model import (
    GraphSettings,
    Mode,
    NotifyBody,
    OnWarehouse,
    Reference,
    Source,
    SqlBody,
    Target,
    TaskGraph,
    TaskNode,
    Template,
)
from sfml.lower.bodies import definition_of
from sfml.lower.desired import SqlDefinition
from sfml.lower.named_graph import named_graph

WAREHOUSE = OnWarehouse("ML_WH")
TARGET = Target("prod", "account", "SFML", "PUBLIC", "ML_WH", None, Mode.PRODUCTION)
NAME = Reference(Source.RESULT, "fit", ("name",))
FIXED = "it's \"said\" <b> & a\\b C:\\new\nline\ttab é 日本 😀 '' $$ %s \\u0041 {}"
VALUE = 'it\'s "so" </b> & c\\d\nnext\r\ttab \x01 é 日本 😀 \'\' $$ %s \\u0041 {"k": 1}\\'
BODY = '{"text": "SNOWFLAKE_WEBHOOK_MESSAGE", "channel": "alerts"}'
"""A webhook's template: the message takes the placeholder's place as it is."""


def statement(notification: NotifyBody) -> str:
    fit = TaskNode("fit", SqlBody("SELECT 1"), WAREHOUSE)
    tell = TaskNode("tell", notification, WAREHOUSE, after=("fit",))
    graph = TaskGraph("clv", "specs/clv.yaml", TARGET, GraphSettings(), (fit, tell))
    definition = definition_of(named_graph(graph), tell, None, None)
    assert isinstance(definition, SqlDefinition)
    return definition.sql


def run(sql: Sql, notification: NotifyBody, value: Any = VALUE) -> str:
    """The state of the task that notifies, after one that returned the value."""
    sql.graph(
        "CLV AS SELECT 1",
        f"CLV$FIT AFTER CLV AS CALL SYSTEM$SET_RETURN_VALUE({literal(json.dumps({'name': value}))})",
        f"CLV$TELL AFTER CLV$FIT AS {statement(notification)}",
    )
    return sql.run("CLV")["CLV$TELL"]


def sent(sql: Sql, notification: NotifyBody, value: Any = VALUE) -> dict[str, Any]:
    assert run(sql, notification, value) == "SUCCEEDED", sql.history(NAME="CLV$TELL")[0]["ERROR_MESSAGE"]
    return sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS")[-1]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (FIXED, FIXED),
        (Template((FIXED, NAME, FIXED)), FIXED + VALUE + FIXED),
        (NAME, VALUE),
        ("done", "done"),
    ],
)
def test_the_body_of_a_webhook_is_json_that_holds_the_text(sql: Sql, message: Any, text: str) -> None:
    message = sent(sql, NotifyBody("hook", message, type="webhook"))["MESSAGE"]
    assert json.loads(BODY.replace("SNOWFLAKE_WEBHOOK_MESSAGE", message)) == {
        "text": text,
        "channel": "alerts",
    }


@pytest.mark.parametrize("value", ['"', '""', "\\", '\\"', "", "5", "null", "[1]"])
def test_quotes_at_the_ends_of_a_value_stay(sql: Sql, value: str) -> None:
    message = sent(sql, NotifyBody("hook", NAME, type="webhook"), value)["MESSAGE"]
    assert json.loads(f'"{message}"') == value


def test_a_value_cannot_ask_for_the_secret_of_a_webhook(sql: Sql) -> None:
    message = sent(sql, NotifyBody("hook", NAME, type="webhook"), "a SNOWFLAKE_WEBHOOK_SECRET b")["MESSAGE"]
    assert message == "a REDACTED b"


@pytest.mark.parametrize("type", ["email", None])
@pytest.mark.parametrize(
    ("message", "text"), [(FIXED, FIXED), (Template((FIXED, NAME)), FIXED + VALUE), ("done", "done")]
)
def test_a_plain_email_has_the_text_itself(sql: Sql, type: Any, message: Any, text: str) -> None:
    email = sent(sql, NotifyBody("mail", message, ("a@example.com",), Template(("on ", NAME)), type=type))
    assert (email["CONTENT_TYPE"], email["MESSAGE"]) == ("text/plain", text)
    assert email["SUBJECT"] == "on " + VALUE.replace("\n", " ").replace("\r", " ")


def test_values_are_no_tags_of_an_html_email(sql: Sql) -> None:
    message = Template(('<p title="', NAME, '">', NAME, "</p>\n"))
    email = sent(sql, NotifyBody("mail", message, ("a@example.com",), format="html"))
    shown = html.escape(VALUE)
    assert (
        email["MESSAGE"]
        == f'<p title="{shown.replace("&#x27;", "&#39;")}">{shown.replace("&#x27;", "&#39;")}</p>\n'
    )
    assert html.unescape(email["MESSAGE"]).count(VALUE) == 2


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ({"text": NAME, "fixed": FIXED}, {"text": VALUE, "fixed": FIXED}),
        ({"fixed": FIXED}, {"fixed": FIXED}),
        (json.dumps({"fixed": FIXED}), {"fixed": FIXED}),
    ],
)
def test_a_queue_gets_json_that_holds_the_text(sql: Sql, message: Any, value: Any) -> None:
    queued = sent(sql, NotifyBody("queue", message, type="queue", format="json"))
    assert queued["CONTENT_TYPE"] == "application/json"
    assert json.loads(queued["MESSAGE"]) == value


@pytest.mark.parametrize("type", ["webhook", "email"])
def test_a_message_of_what_is_not_there_fails_its_task(sql: Sql, type: Any) -> None:
    assert run(sql, NotifyBody("hook", Template(("a ", NAME)), type=type), None) == "FAILED"
    assert sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS") == []


def test_a_text_in_which_nothing_is_escaped_reads_as_before() -> None:
    assert statement(NotifyBody("hook", "it's done", type="webhook")) == (
        "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION(SNOWFLAKE.NOTIFICATION.TEXT_PLAIN("
        "SNOWFLAKE.NOTIFICATION.SANITIZE_WEBHOOK_CONTENT('it''s done')), SNOWFLAKE.NOTIFICATION.INTEGRATION('HOOK'))"
    )
