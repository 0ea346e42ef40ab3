"""Writes an entry into the connection file of Snowflake's clients."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfml.base.errors import ConflictingState, NotSupportedYet

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def written(name: str, entry: Mapping[str, Any]) -> Path:
    """Write the entry; returns the path of the file. Other entries and comments in it do not change.

    Raises `ConflictingState` if an entry with this name exists and does not lead to this machine.
    """
    tomlkit, file, is_config = _place()
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    try:
        document = tomlkit.parse(text)
    except tomlkit.exceptions.TOMLKitError as cause:
        raise ConflictingState(
            f"{file} is not TOML: {cause}", help="correct it, or print the entry without --write"
        ) from cause
    table = document.setdefault("connections", tomlkit.table()) if is_config else document
    before = table.get(name)
    if before is not None and before.get("host") not in LOOPBACK:
        raise ConflictingState(
            f"connection `{name}` of {file} leads to an account; nothing was changed",
            help="choose another name: --name local2",
        )
    table[name] = {key: value for key, value in entry.items() if value is not None}
    _replace(file, tomlkit.dumps(document))
    return file


def as_toml(name: str, entry: Mapping[str, Any]) -> str:
    """The entry as a TOML table."""
    quoted = name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _quoted(name)
    lines = [f"[{quoted}]"]
    for key, value in entry.items():
        if value is not None:
            lines.append(f"{key} = {value if isinstance(value, int) else _quoted(str(value))}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _place() -> tuple[Any, Path, bool]:
    """tomlkit, the connection file, and whether its entries are below the key `connections`."""
    try:
        import tomlkit
        from snowflake.connector.constants import CONFIG_FILE, CONNECTIONS_FILE
    except ImportError as cause:
        raise NotSupportedYet(
            "Snowflake's connector is not installed", help='pip install "sfml-snowflake[snowflake]"'
        ) from cause
    connections, config = Path(CONNECTIONS_FILE), Path(CONFIG_FILE)
    # If connections.toml exists, Snowflake's clients ignore the entries of config.toml, so a new one would hide them.
    # https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect
    is_config = not connections.exists() and config.exists()
    if is_config and "connections" in tomlkit.parse(config.read_text(encoding="utf-8")):
        return tomlkit, config, True
    return tomlkit, connections, False


def _replace(file: Path, text: str) -> None:
    """Write the file atomically, readable only by its owner, because it holds secrets."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Follow a symbolic link, because users keep such files in repositories elsewhere.
    file = file.resolve()
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    part.replace(file)
