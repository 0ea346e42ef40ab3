"""A server that runs by itself, and the connection file with which clients nobody here wrote find it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fork_server
import pytest

from sfml_local.http.app import LocalServer

PROGRAMS = Path(__file__).parent / "programs"
KEYS = ("account", "user", "password", "host", "port", "protocol", "database", "schema", "warehouse", "role")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("clients")) as server:
        yield server


@pytest.fixture(scope="session")
def home(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose connection `local` is the server: connections.toml and the CLI's config.toml."""
    home = tmp_path_factory.mktemp("home")
    given = server.connect_args(warehouse="LOCAL_WH", role="SYSADMIN")
    lines = "".join(f"{key} = {json.dumps(given[key])}\n" for key in KEYS)
    folder = home / ".snowflake"
    folder.mkdir()
    for name, text in (
        ("connections.toml", f"[local]\n{lines}"),
        ("config.toml", f'default_connection_name = "local"\n\n[connections.local]\n{lines}'),
    ):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    return home


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """Nothing of this machine's own Snowflake settings, and no proxy between client and server."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("SNOWFLAKE_") and not key.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home), "SNOWFLAKE_HOME": str(home / ".snowflake")}


@pytest.fixture(scope="session")
def run_program(environment: dict[str, str]) -> Any:
    """Run a program of `programs/` by itself; answers the JSON of its last line.

    Started as users start it, or else forked from what has imported the clients.
    """

    def run(name: str, *, from_nothing: bool = False) -> Any:
        words = (sys.executable, "-W", "ignore", str(PROGRAMS / name))
        if from_nothing:
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=180)
        else:
            done = fork_server.run(words, cwd=Path.cwd(), env=environment, timeout=180)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run
