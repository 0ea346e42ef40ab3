"""Entries of Snowflake's connection files, with what the environment adds to them; nothing of theirs is ever shown.

The files and variables are those of Snowflake's own clients, in their order: `SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>` over
the entry, the entry over `SNOWFLAKE_<KEY>`.
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
"""The keys that may also come from the environment."""

PASSPHRASE = "PRIVATE_KEY_PASSPHRASE"
"""Where Snowflake CLI looks for the passphrase of a private key that the entry names without one."""

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
    """What a connection is opened with. `arguments` hold secrets: they go to the connector and nowhere else."""

    name: str | None
    source: str
    """The file, or that it comes from the environment."""
    arguments: Mapping[str, Any]
    variables: tuple[str, ...] = ()
    """The environment variables that took part, by name."""
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Entry({self.name!r} of {self.source})"

    @property
    def method(self) -> str:
        """How it authenticates, in words."""
        given = str(self.arguments.get("authenticator") or "").strip()
        if not given and (self.arguments.get("private_key_file") or self.arguments.get("private_key")):
            return _METHODS["SNOWFLAKE_JWT"]
        if given.lower().startswith("https://"):
            return "single sign-on by the identity provider's own page"
        return _METHODS.get(given.upper() or "SNOWFLAKE", f"authenticator {given}")


def entry(name: str | None) -> Entry:
    """The entry of that name, or for None what `SNOWFLAKE_ACCOUNT` and its like say.

    Raises `ConnectionFailed` where there is none, with the names that there are, and for files that others may write.
    """
    generic = _from_environment("SNOWFLAKE_")
    if name is None:
        return _unnamed(generic)
    found, source, warned = _entries()
    own = _from_environment(f"SNOWFLAKE_CONNECTIONS_{name.upper()}_")
    if name not in found and not own:
        known = ", ".join(f"`{one}`" for one in sorted(found)) or "none"
        raise ConnectionFailed(
            f"there is no connection `{name}`; {source} has {known}",
            help="add it (`snow connection add`), or mend the target's `connection:`",
        )
    written = found.get(name, {})
    # Where an entry leads is its own business: containers of Snowflake have SNOWFLAKE_HOST set.
    generic = {key: value for key, value in generic.items() if key not in _PLACES}
    values = {**generic, **written, **own}
    used = [f"SNOWFLAKE_CONNECTIONS_{name.upper()}_{key.upper()}" for key in own]
    used += [f"SNOWFLAKE_{key.upper()}" for key in generic if key not in written and key not in own]
    return _completed(name, source if name in found else "the environment", values, used, warned)


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
    """The entry with the passphrase of its key, and its files looked at."""
    arguments = dict(values)
    # Snowflake CLI's older word for it, which the connector does not know.
    if path := arguments.pop("private_key_path", None):
        arguments.setdefault("private_key_file", path)
    if arguments.get("private_key_file"):
        if not arguments.get("authenticator"):
            arguments["authenticator"] = "SNOWFLAKE_JWT"
        if not arguments.get("private_key_file_pwd") and os.environ.get(PASSPHRASE):
            arguments["private_key_file_pwd"] = os.environ[PASSPHRASE]
            used = [*used, PASSPHRASE]
    found = list(warned)
    for key in _FILES:
        if arguments.get(key):
            arguments[key] = str(Path(str(arguments[key])).expanduser())
            found += _file_warnings(key, Path(arguments[key]), name)
    return Entry(name, source, arguments, tuple(sorted(used)), tuple(found))


def _file_warnings(key: str, file: Path, name: str | None) -> list[str]:
    """What is wrong with a file of secrets; one that is missing is an error."""
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


def _entries() -> tuple[Mapping[str, Mapping[str, Any]], str, tuple[str, ...]]:
    """The entries, where they stand, and what the connector warned of when it read them."""
    try:
        from snowflake.connector.config_manager import CONFIG_MANAGER
        from snowflake.connector.constants import CONFIG_FILE, CONNECTIONS_FILE
        from snowflake.connector.errors import Error
    except ImportError as cause:
        raise NotSupportedYet(
            "Snowflake's client libraries are not installed",
            help='pip install "sfml-snowflake[snowflake]", or "sfml-snowflake[local]" for the local Snowflake',
        ) from cause
    source = str(CONNECTIONS_FILE if Path(CONNECTIONS_FILE).exists() else CONFIG_FILE)
    if os.environ.get("SNOWFLAKE_CONNECTIONS"):
        source = "SNOWFLAKE_CONNECTIONS"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            CONFIG_MANAGER.read_config()
            found: Any = CONFIG_MANAGER["connections"]
            plain = {str(key): dict(value.items()) for key, value in found.items() if hasattr(value, "items")}
        except Error as cause:
            raise ConnectionFailed(
                f"Snowflake's connection files cannot be used: {getattr(cause, 'msg', None) or cause}",
                help=f"mend {source}; only its owner may write it (chmod 0600)",
            ) from cause
        except Exception as cause:  # tomlkit's own, for SNOWFLAKE_CONNECTIONS that is no TOML
            raise ConnectionFailed(
                f"{source} is no TOML: {type(cause).__name__}", help="mend it, or unset it"
            ) from cause
    told = (str(one.message).partition("\n")[0].rstrip(". ") for one in caught)
    return plain, source, tuple(dict.fromkeys(text for text in told if "permissions" in text))
