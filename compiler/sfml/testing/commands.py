"""Runs the `sfml` command in a process of its own, with an environment that connects it to a test's server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sfml.base.record import record
from sfml.snowflake.connections_file import as_toml
from sfml_local.processes.children import without_proxies

SECONDS = 300.0
"""The timeout of a command."""


@record
class CommandResult:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The parsed output of a command with `-o json`."""
        return json.loads(self.out)


def run(words: tuple[str, ...], project: Path, environment: Mapping[str, str]) -> CommandResult:
    """Run `sfml WORDS` in the project's folder, without a terminal, and wait for its end."""
    ended = subprocess.run(
        (sys.executable, "-c", "from sfml.cli import main; main()", *words),
        cwd=project,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=SECONDS,
        check=False,
    )
    return CommandResult(ended.returncode, ended.stdout, ended.stderr)


def environment(home: Path, name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """This process's environment with `entry` as its only Snowflake connection, written into the folder `home`."""
    file = home / "connections.toml"
    file.touch(mode=0o600)
    file.write_text(as_toml(name, entry) + "\n", encoding="utf-8")
    return {**without_proxies(), "HOME": str(home), "SNOWFLAKE_HOME": str(home)}
