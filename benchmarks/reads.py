"""Commands that only read, against a local server that is up, beside a process that logs in and sends two queries."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from page import ROOT
from processes import medians

SFML = str(Path(sys.executable).with_name("sfml"))
COMMANDS = ("plan", "drift", "status", "history")
BARE = """
import json, sys
import snowflake.connector
place = json.loads(sys.argv[1])
with snowflake.connector.connect(**place) as connection:
    for _ in range(2):
        connection.cursor().execute("select 1").fetchall()
"""
KEYS = ("host", "port", "protocol", "account", "user", "password")


def measured(folder: Path, rounds: int) -> Iterator[str]:
    """A row for each command on our own pipeline, which is deployed and as in the spec."""
    shutil.copytree(ROOT / "specs", folder / "specs")
    shutil.copytree(ROOT / "steps" / "clv", folder / "steps" / "clv")
    shutil.copy(ROOT / "sfml.yaml", folder)
    _sfml(folder, "local", "start")
    try:
        _sfml(folder, "apply", "specs/clv.yaml", "--auto-approve")
        place = json.loads(_sfml(folder, "local", "status", "-o", "json"))
        bare = (sys.executable, "-c", BARE, json.dumps({key: place[key] for key in KEYS}))
        commands: dict[str, Sequence[str]] = {"a login and two queries": bare}
        commands |= {f"`sfml {name}`": (SFML, name, "specs/clv.yaml") for name in COMMANDS}
        taken = medians(commands, folder, rounds)
    finally:
        _sfml(folder, "local", "stop")
    beside = taken["a login and two queries"]
    yield "| process | time | CPU | beside the login | memory |"
    yield "|---|---:|---:|---:|---:|"
    for name, one in taken.items():
        ratio = f"{one.wall / beside.wall:.2f} × the time, {one.cpu / beside.cpu:.2f} × the CPU"
        yield f"| {name} | {one.wall:.2f} s | {one.cpu:.2f} s | {ratio} | {one.memory / 1e6:.0f} MB |"


def _sfml(folder: Path, *words: str) -> str:
    done = subprocess.run((SFML, *words), cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout
