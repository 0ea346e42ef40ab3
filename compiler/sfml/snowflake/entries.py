"""Reads entries of Snowflake's connection files and environment variables. Their values are never shown.

Files, variables and precedence are those of Snowflake's own clients: `SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>` overrides
the entry, and the entry overrides `SNOWFLAKE_<KEY>`.

https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect
https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfml.base.errors import ConnectionFailed, NotSupportedYet
from sfml.base.record import record

KEYS = (
    *(
        "account",
        "user",
        "password",
        "authenticator",
        "token",
        "token_file_path",
        "role",
        "warehouse",
        "database",
    ),
    *("schema", "host", "port", "protocol", "region", "passcode", "private_key_file", "private_key_path"),
    *("private_key_file_pwd", "oauth_client_id", "oauth_client_secret", "oauth_authorization_url"),
    *("oauth_token_request_url", "oauth_redirect_uri", "oauth_scope", "workload_identity_provider"),
)
"""The keys that environment variables can set."""

PASSPHRASE = "PRIVATE_KEY_PASSPHRASE"
"""The variable from which Snowflake CLI takes the passphrase of a private key if the entry has none."""

_METHODS = {
    "SNOWFLAKE": "password",
    "SNOWFLAKE_JWT": "key pair",
    "OAUTH": "OAuth token",
    "OAUTH_AUTHORIZATION_CODE": "OAuth, authorization code",
    "OAUTH_CLIENT_CREDENTIALS": "OAuth, client credentials",
    "PROGRAMMATIC_ACCESS_TOKEN": "programmatic access token",
    "EXTERNALBROWSER": "single sign-on in the browser",
    "USERNAME_PASSWORD_MFA": "password with a second factor",
    "WORKLOAD_IDENTITY": "workload identity",
}
_PLACES = ("account", "host", "port", "protocol", "region")
_FILES = ("private_key_file", "private_key_path", "token_file_path")


@record
class Entry:
    """The arguments of a connection. They contain secrets, and are passed only to the connector."""

    name: str | None
    source: str
    """The path of the file, or `the environment`."""
    arguments: Mapping[str, Any]
    variables: tuple[str, ...] = ()
    """The names of the environment variables that were used."""
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Entry({self.name!r} of {self.source})"

    @property
    def method(self) -> str:
        """The method of authentication, in words."""
        method = str(self.arguments.get("authenticator") or "").strip()
        if not method and (self.arguments.get("private_key_file") or self.arguments.get("private_key")):
            return _METHODS["SNOWFLAKE_JWT"]
        if method.lower().startswith("https://"):
            return "single sign-on by the identity provider's own page"
        return _METHODS.get(method.upper() or "SNOWFLAKE", f"authenticator {method}")


def entry(name: str | None) -> Entry:
    """The entry with this name; for None, the entry made from `SNOWFLAKE_ACCOUNT` and related variables.

    Raises `ConnectionFailed` if there is none, with the names of the existing ones, and if a file is not usable.
    """
    generic = _from_environment("SNOWFLAKE_")
    if name is None:
        return _unnamed(generic)
    entries, source, warned = _entries()
    own = _from_environment(f"SNOWFLAKE_CONNECTIONS_{name.upper()}_")
    if name not in entries and not own:
        known = ", ".join(f"`{one}`" for one in sorted(entries)) or "none"
        raise ConnectionFailed(
            f"there is no connection `{name}`; {source} has {known}",
            help="add it (`snow connection add`), or correct the target's `connection:`",
        )
    written = entries.get(name, {})
    # General variables do not change the host of an entry: in Snowflake's containers, SNOWFLAKE_HOST is always set.
    generic = {key: value for key, value in generic.items() if key not in _PLACES}
    values = {**generic, **written, **own}
    used = [f"SNOWFLAKE_CONNECTIONS_{name.upper()}_{key.upper()}" for key in own]
    used += [f"SNOWFLAKE_{key.upper()}" for key in generic if key not in written and key not in own]
    return _completed(name, source if name in entries else "the environment", values, used, warned)


def _unnamed(generic: Mapping[str, str]) -> Entry:
    if "account" not in generic:
        raise ConnectionFailed(
            "the target names no connection, and SNOWFLAKE_ACCOUNT is not set",
            help="set `connection:` to an entry of Snowflake's connections.toml, or SNOWFLAKE_ACCOUNT,"
            " SNOWFLAKE_USER and what it authenticates with",
        )
    used = [f"SNOWFLAKE_{key.upper()}" for key in generic]
    return _completed(None, "the environment", generic, used, ())


def _completed(
    name: str | None, source: str, values: Mapping[str, Any], used: list[str], warned: tuple[str, ...]
) -> Entry:
    """Add the passphrase of the private key, and check the files that the entry names."""
    arguments = dict(values)
    # Snowflake CLI's older name of this key, which the connector does not know.
    if path := arguments.pop("private_key_path", None):
        arguments.setdefault("private_key_file", path)
    if arguments.get("private_key_file"):
        if not arguments.get("authenticator"):
            arguments["authenticator"] = "SNOWFLAKE_JWT"
        if not arguments.get("private_key_file_pwd") and os.environ.get(PASSPHRASE):
            arguments["private_key_file_pwd"] = os.environ[PASSPHRASE]
            used = [*used, PASSPHRASE]
    warnings = list(warned)
    for key in _FILES:
        if arguments.get(key):
            arguments[key] = str(Path(str(arguments[key])).expanduser())
            warnings += _file_warnings(key, Path(arguments[key]), name)
    return Entry(name, source, arguments, tuple(sorted(used)), tuple(warnings))


def _file_warnings(key: str, file: Path, name: str | None) -> list[str]:
    """Warnings about a file with secrets; raises `ConnectionFailed` if it is missing."""
    if not file.is_file():
        raise ConnectionFailed(
            f"the {key} of connection `{name or 'SNOWFLAKE_*'}` is not there: {file}",
            help="correct its path, or put the file there",
        )
    if os.name == "posix" and file.stat().st_mode & 0o077:
        return [f'others may read {file}; chmod 0600 "{file}"']
    return []


def _from_environment(prefix: str) -> dict[str, str]:
    return {key: value for key in KEYS if (value := os.environ.get(prefix + key.upper()))}


def clients_missing() -> NotSupportedYet:
    """The error for an environment without Snowflake's client libraries."""
    return NotSupportedYet(
        "Snowflake's client libraries are not installed",
        help='pip install "sfml-snowflake[snowflake]", or "sfml-snowflake[local]" for the local Snowflake',
    )


def _entries() -> tuple[Mapping[str, Mapping[str, Any]], str, tuple[str, ...]]:
    """The entries by name, their source, and the connector's warnings about file permissions."""
    try:
        from snowflake.connector.config_manager import CONFIG_MANAGER
        from snowflake.connector.constants import CONFIG_FILE, CONNECTIONS_FILE
        from snowflake.connector.errors import Error
    except ImportError as cause:
        raise clients_missing() from cause
    source = str(CONNECTIONS_FILE if Path(CONNECTIONS_FILE).exists() else CONFIG_FILE)
    if os.environ.get("SNOWFLAKE_CONNECTIONS"):
        source = "SNOWFLAKE_CONNECTIONS"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            CONFIG_MANAGER.read_config()
            entries: Any = CONFIG_MANAGER["connections"]
            plain = {
                str(key): dict(value.items()) for key, value in entries.items() if hasattr(value, "items")
            }
        except Error as cause:
            raise ConnectionFailed(
                f"Snowflake's connection files cannot be used: {getattr(cause, 'msg', None) or cause}",
                help=f"mend {source}; only its owner may write it (chmod 0600)",
            ) from cause
        except Exception as cause:  # an exception of tomlkit, if SNOWFLAKE_CONNECTIONS is not TOML
            raise ConnectionFailed(
                f"{source} is not TOML: {type(cause).__name__}", help="correct it, or unset it"
            ) from cause
    messages = (str(warning.message).partition("\n")[0].rstrip(". ") for warning in caught)
    return plain, source, tuple(dict.fromkeys(text for text in messages if "permissions" in text))
