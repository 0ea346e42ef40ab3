"""No secret of a statement is left in the text, whatever stands around it; all else is."""

from __future__ import annotations

import json
import time

import pytest
from machine_speed import SLOWNESS

from sfml.semantics.redaction import HIDDEN, redacted, redacted_value

SECRET = "Hunter2xyz"

STATEMENTS = (
    "CREATE USER u PASSWORD = '{}' DEFAULT_ROLE = r",
    "ALTER USER u SET PASSWORD='{}'",
    "create user u password /* why */ = -- not\n '{}' x",
    "CREATE USER u PASSWORD '{}'",
    "CREATE USER u PASSWORD = 'it''s {} ''so' COMMENT = 'y'",
    r"CREATE USER u PASSWORD = 'a\'b{}\\' COMMENT = 'y'",
    r"CREATE USER u PASSWORD = '\\{}' COMMENT = 'y'",
    "CREATE USER u PASSWORD = '''{}''' COMMENT = 'y'",
    "CREATE USER u PASSWORD = 'b\"q{}' COMMENT = 'y'",
    "CREATE USER u PASSWORD = $${}'it$$ COMMENT = 'y'",
    "CREATE USER u PASSWORD = '{} never ends",
    "CREATE SECRET s TYPE = GENERIC_STRING SECRET_STRING = '{}'",
    "CREATE SECRET s TYPE = PASSWORD USERNAME = 'ada' PASSWORD = '{}'",
    "CREATE SECRET s TYPE = OAUTH2 OAUTH_REFRESH_TOKEN = '{}'",
    "CREATE STAGE s URL = 's3://b' CREDENTIALS = (AWS_KEY_ID = '{}' AWS_SECRET_KEY = '({}')",
    "CREATE STAGE s CREDENTIALS = (AZURE_SAS_TOKEN = 'a)''b{}') COMMENT = 'y'",
    "CREATE STAGE s ENCRYPTION = (TYPE = 'AWS_CSE' MASTER_KEY = '{}')",
    "CREATE SECURITY INTEGRATION i OAUTH_CLIENT_SECRET = '{}'",
    "EXECUTE IMMEDIATE 'ALTER USER u SET PASSWORD = ''{}'' COMMENT = ''x'''",
    "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''ALTER USER u SET PASSWORD = ''''{}''''''' ",
    "EXECUTE IMMEDIATE $$ALTER USER u SET PASSWORD = '{}'$$",
    "CALL connect(private_key => '{}')",
    'SELECT PARSE_JSON(\'{{"password": "{}", "a": 1}}\')',
    "COPY INTO 'azure://x' CREDENTIALS=(AZURE_SAS_TOKEN='{}') FROM t",
    "SELECT f(CONNECTION_STRING => 'AccountKey={};EndpointSuffix=x')",
    "AccountName=x;AccountKey={};EndpointSuffix=x",
    "connect to postgres://ada:{}@db.example/x",
    "PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----'",
    "x -----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY----- y",
    'Authorization: Snowflake Token="{}"',
    "Authorization: Bearer {}",
    "token={}",
)
"""Braces are where the secret stands."""


def as_log(text: str) -> str:
    return text


def in_a_traceback(text: str) -> str:
    return f'Traceback (most recent call last):\n  File "x.py", line 1\nE: near\n\nLINE 1: {text}\n        ^'


@pytest.mark.parametrize("form", [as_log, in_a_traceback, repr, json.dumps, lambda text: repr(repr(text))])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_secret_is_left(statement: str, form) -> None:  # type: ignore[no-untyped-def]
    text = form(statement.replace("{{", "{").replace("}}", "}").replace("{}", SECRET))
    assert SECRET in text
    shown = redacted(text)
    assert SECRET not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SET PASSWORD = 'a''b' COMMENT = 'y'", "SET PASSWORD = '****' COMMENT = 'y'"),
        ("CREDENTIALS = (A = 'x)' B = 'y') FILE_FORMAT = f", "CREDENTIALS = '****' FILE_FORMAT = f"),
        ("PASSWORD = '' COMMENT = 'y'", "PASSWORD = '****' COMMENT = 'y'"),
        ("https://a:b@c.example/d", "https://****@c.example/d"),
    ],
)
def test_what_follows_a_secret_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "CREATE SECRET s TYPE = PASSWORD USERNAME = 'ada'",
        "SECRETS = ('key' = db.schema.a_secret) RSA_PUBLIC_KEY = 'MII'",
        "SELECT v:password::STRING FROM t",
        'DROP SECRET "my name"',
        "SELECT 'it''s' FROM https://example.com/a:b",
        "tokens = 5, passwords: 6",
        "Traceback (most recent call last):\n  File 'x', line 1",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


LONG = ("PASSWORD = '" + "\\'" * 50_000, "PASSWORD = (" * 9000, "a://" * 30_000, "'" * 90_000)


@pytest.mark.parametrize("text", LONG, ids=["escaped quotes", "parentheses", "addresses", "quotes"])
def test_its_time_grows_with_the_text(text: str) -> None:
    begun = time.process_time()
    redacted(text + " PASSWORD")
    assert time.process_time() - begun < 5 * SLOWNESS


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("api_token", "hunter2", HIDDEN),
        ("region", "eu", "eu"),
        ("threshold", "0.4", "0.4"),
        ("url", "https://u:hunter2@h/x", f"https://{HIDDEN}@h/x"),
    ],
)
def test_the_value_of_a_setting_is_hidden_by_its_name_or_its_form(name: str, value: str, shown: str) -> None:
    assert redacted_value(name, value) == shown
