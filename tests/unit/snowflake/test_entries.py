"""Connection entries are read as Snowflake's clients read them, and nothing secret is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sfml.base.errors import ConnectionFailed
from sfml.snowflake.entries import entry

TOML = """
[dev]
account = "ORG-DEV"
user = "ME"
password = "hunter2"

[keyed]
account = "ORG-PROD"
user = "CI"
private_key_file = "{key}"

[sso]
account = "ORG-PROD"
user = "ME"
authenticator = "externalbrowser"

[pat]
account = "ORG-PROD"
authenticator = "PROGRAMMATIC_ACCESS_TOKEN"
token_file_path = "{key}"

[oauth]
account = "ORG-PROD"
authenticator = "oauth"
token = "ey-secret"

[okta]
account = "ORG-PROD"
authenticator = "https://example.okta.com"

[lost]
account = "ORG-PROD"
private_key_file = "/nowhere/key.p8"
"""


@pytest.fixture(autouse=True)
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The connector's own variable for the whole file, and none of those that would take part."""
    for name in list(os.environ):
        if name.startswith("SNOWFLAKE_") or name == "PRIVATE_KEY_PASSPHRASE":
            monkeypatch.delenv(name)
    key = tmp_path / "key.p8"
    key.write_text("-----BEGIN")
    key.chmod(0o600)
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", TOML.replace("{key}", str(key)))
    return key


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("dev", "password"),
        ("keyed", "key pair"),
        ("sso", "single sign-on in the browser"),
        ("pat", "programmatic access token"),
        ("oauth", "OAuth token"),
        ("okta", "single sign-on by the identity provider's own page"),
    ],
)
def test_how_it_authenticates(name: str, method: str) -> None:
    found = entry(name)
    assert found.method == method
    assert not {"hunter2", "ey-secret"} & set(repr(found).split())
    assert "hunter2" not in f"{found} {found!r}"


def test_everything_that_is_written_reaches_the_connector(entries: Path) -> None:
    assert entry("oauth").arguments == {
        "account": "ORG-PROD",
        "authenticator": "oauth",
        "token": "ey-secret",
    }
    assert entry("keyed").arguments["private_key_file"] == str(entries)
    assert entry("keyed").arguments["authenticator"] == "SNOWFLAKE_JWT"


def test_a_missing_entry_lists_those_there_are() -> None:
    with pytest.raises(ConnectionFailed, match=r"no connection `prod`.*`dev`, `keyed`") as told:
        entry("prod")
    assert "hunter2" not in told.value.message


def test_the_environment_stands_over_the_entry_and_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_DEV_PASSWORD", "from-ci")
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "too-general")
    monkeypatch.setenv("SNOWFLAKE_ROLE", "R")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "ELSEWHERE")
    monkeypatch.setenv("SNOWFLAKE_HOST", "elsewhere.example.com")
    found = entry("dev")
    assert (found.arguments["password"], found.arguments["role"]) == ("from-ci", "R")
    # Where an entry leads it alone says.
    assert found.arguments["account"] == "ORG-DEV"
    assert "host" not in found.arguments
    assert found.variables == ("SNOWFLAKE_CONNECTIONS_DEV_PASSWORD", "SNOWFLAKE_ROLE")


def test_a_key_takes_its_passphrase_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_KEY_PASSPHRASE", "open sesame")
    found = entry("keyed")
    assert found.arguments["private_key_file_pwd"] == "open sesame"
    assert found.variables == ("PRIVATE_KEY_PASSPHRASE",)


def test_a_key_that_others_may_read_is_told_and_one_that_is_missing_refused(entries: Path) -> None:
    assert entry("keyed").warnings == ()
    entries.chmod(0o644)
    [warning] = entry("keyed").warnings
    assert "others may read" in warning
    with pytest.raises(ConnectionFailed, match="private_key_file of connection `lost` is not there"):
        entry("lost")


def test_without_an_entry_the_environment_may_say_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionFailed, match="names no connection, and SNOWFLAKE_ACCOUNT is not set"):
        entry(None)
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "ORG-CI")
    monkeypatch.setenv("SNOWFLAKE_USER", "CI")
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "hunter2")
    found = entry(None)
    assert found.arguments == {"account": "ORG-CI", "user": "CI", "password": "hunter2"}
    assert found.source == "the environment"


def test_text_that_is_no_toml_is_told_without_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", 'password = "hunter2" [')
    with pytest.raises(ConnectionFailed, match="SNOWFLAKE_CONNECTIONS") as told:
        entry("dev")
    assert "hunter2" not in f"{told.value.message} {told.value.help}"


@pytest.mark.parametrize(
    ("file", "heading"), [("connections.toml", "[dev]"), ("config.toml", "[connections.dev]")]
)
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666])
def test_files_are_read_as_the_connector_reads_them(
    tmp_path: Path, file: str, heading: str, mode: int
) -> None:
    """In a process of its own, as a command: the connector settles where its files are when it is imported."""
    path = tmp_path / file
    path.write_text(f'{heading}\naccount = "A"\nuser = "U"\npassword = "hunter2"\n')
    path.chmod(mode)
    program = (
        "from sfml.base.errors import SfmlError\nfrom sfml.snowflake.entries import entry\n"
        "from sfml.snowflake.light_connector import import_lightly\nimport_lightly()\n"
        "try:\n    found = entry('dev'); print(found.source, found.arguments['account'], found.warnings)\n"
        "except SfmlError as error:\n    print('refused', error.message)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWFLAKE_")}
    done = subprocess.run(
        (sys.executable, "-c", program),
        env={**environment, "SNOWFLAKE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stdout + done.stderr
    assert "hunter2" not in told
    if mode == 0o666:
        assert "refused" in told
        assert "writable by group or others" in told
    else:
        assert f"{path} A" in told
        assert ("Bad owner or permissions" in told) == (mode == 0o644)
