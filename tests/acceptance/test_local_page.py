"""docs/local.md by doing what it shows: its commands in their order in one project, and its Python."""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fork_server
import pytest
from conftest import ROOT, SFML, Project

PAGE = (ROOT / "docs" / "local.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ sfml "), comments=True)
    for line in PAGE.splitlines()
    if line.startswith("$ sfml local ")
]
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SETTINGS = re.findall(r"^\| `(SFML_LOCAL_\w+)` \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which every command of the page has been given."""
    made = Project(tmp_path_factory.mktemp("page"))
    made.write("sfml.yaml", "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n")
    nowhere = tmp_path_factory.mktemp("home")
    try:
        for words in COMMANDS:
            # What reads or writes connections finds the home folder when it is imported. Where there are some, no
            # command can be forked: the others have a home without any.
            writes = "--write" in words
            home = made.folder if writes else nowhere
            replace(made, from_nothing=writes, home=home).sfml(*words)
        yield made
    finally:
        made.sfml("local", "stop", ok=None)


def test_its_commands_do_what_it_says(project: Project) -> None:
    assert len(COMMANDS) >= 8
    history = "SELECT name, state FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
    [result] = project.sfml("local", "sql", "-o", "json", history).json["results"]
    assert sorted(result["rows"]) == [[name, "SUCCEEDED"] for name in ("CHILD", "HELLO", "PARENT")]
    [entries] = list(project.folder.rglob("connections.toml"))
    assert "[local]" in entries.read_text(encoding="utf-8")
    assert stat.S_IMODE(entries.stat().st_mode) == 0o600


def test_its_data_is_where_it_says(project: Project) -> None:
    found = {path.name for path in (project.folder / ".sfml" / "local").iterdir()}
    table = PAGE[PAGE.index("| file or folder | content |") : PAGE.index("## What it emulates\n")]
    named = {name.rstrip("/") for name in re.findall(r"`([^`]+)`", table)}
    # These two are made when somebody imports a file, or a job asks for packages.
    assert named - {"imports", "environments"} <= found


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[0])
def test_its_python_runs(project: Project, tmp_path: Path, code: str) -> None:
    """A program that is a server itself knows no connections."""
    serves = "LocalServer" in code
    kind, home = (fork_server.SERVER, tmp_path) if serves else (fork_server.LIGHT, project.folder)
    environment = {**os.environ, "PATH": f"{SFML.parent}:{os.environ['PATH']}", "HOME": str(home)}
    program = (sys.executable, "-X", f"forked={kind}", "-c", code)
    done = fork_server.run(program, cwd=project.folder, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr


def test_every_setting_is_on_the_page() -> None:
    sources = (ROOT / "emulator").rglob("*.py")
    used = {name for path in sources for name in re.findall(r"\"(SFML_LOCAL_\w+)\"", path.read_text("utf-8"))}
    assert used == set(SETTINGS)
