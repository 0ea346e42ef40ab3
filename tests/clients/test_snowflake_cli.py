"""The Snowflake CLI, in an environment of its own: it pins another snowflake.core than this project needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fork_server
import pytest
from kept_bytecode import link_compiled

Snow = Callable[..., "subprocess.CompletedProcess[str]"]
WANTED = "snowflake-cli>=3.7,<4"


def _install(folder: Path) -> str | None:
    """Make the environment; answers why it could not be made."""
    python = str(folder / "bin" / "python")
    uv = Path(sys.executable).parent / "uv"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile", WANTED]
    commands = (
        [sys.executable, "-m", "venv", "--clear", *(["--without-pip"] if uv.is_file() else []), str(folder)],
        [str(uv), "pip", "install", "--quiet", "--python", python, WANTED] if uv.is_file() else pip,
    )
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
    (packages,) = (folder / "lib").glob("python*/site-packages")
    link_compiled(packages)  # what else is imported is compiled then
    (folder / ".complete").write_text(WANTED, encoding="utf-8")
    return None


@pytest.fixture(scope="session")
def executable(request: pytest.FixtureRequest) -> Path:
    """`snow` from an environment that pytest's cache keeps; made when it is not there."""
    assert request.config.cache is not None
    folder = Path(str(request.config.cache.mkdir("snowflake-cli"))) / f"py{sys.version_info.minor}"
    mark = folder / ".complete"
    if not mark.exists() or mark.read_text(encoding="utf-8") != WANTED:
        problem = _install(folder)
        if problem:
            pytest.skip(f"the Snowflake CLI cannot be installed here: {problem}")
    return folder / "bin" / "snow"


@pytest.fixture(scope="session")
def snow(executable: Path, environment: dict[str, str], home: Path) -> Snow:
    """`snow …` on the server; started as users start it, or else forked from what has imported it."""

    def run(*arguments: str, from_nothing: bool = False) -> subprocess.CompletedProcess[str]:
        words = (str(executable), "--config-file", str(home / ".snowflake" / "config.toml"), *arguments)
        env = {**environment, "NO_COLOR": "1", "COLUMNS": "200"}
        if not from_nothing:
            return fork_server.run(words, cwd=home, env=env, timeout=120)
        return subprocess.run(words, cwd=home, env=env, capture_output=True, text=True, timeout=120)

    return run


def answered(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_a_graph_by_the_command_line(snow: Snow) -> None:
    made = snow(
        "sql", "-q",
        "create task by_snow schedule = '8 hours' as select 1; create task by_snow_child after by_snow as select 2;"
        " alter task by_snow_child resume",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "Task BY_SNOW successfully created." in made.stdout
    listed = answered(snow("object", "list", "task", "--like", "by_snow%", "--format", "json"))
    assert [(row["name"], row["state"]) for row in listed] == [
        ("BY_SNOW", "suspended"),
        ("BY_SNOW_CHILD", "started"),
    ]
    [described] = answered(snow("object", "describe", "task", "by_snow", "--format", "json"))
    assert (described["definition"], described["schedule"]) == ("select 1", "8 hours")
    assert described["id"] == listed[0]["id"]
    executed = answered(snow("sql", "-q", "execute task by_snow", "--format", "json"))
    assert executed == [{"status": "Task BY_SNOW is scheduled to run immediately."}]
    for name in ("by_snow_child", "by_snow"):
        dropped = snow("object", "drop", "task", name)
        assert dropped.returncode == 0, dropped.stderr
        assert f"{name.upper()} successfully dropped." in dropped.stdout
    assert answered(snow("object", "list", "task", "--like", "by_snow%", "--format", "json")) == []


def test_a_refusal_reaches_the_terminal(snow: Snow) -> None:
    refused = snow("object", "drop", "task", "nope", from_nothing=True)
    assert refused.returncode == 1
    assert "002003" in refused.stderr
    assert "Task 'SFML.PUBLIC.NOPE' does not exist or not authorized." in refused.stderr


def test_an_object_is_created_over_rest(snow: Snow) -> None:
    created = snow("object", "create", "task", "name=by_rest", "definition=select 1")
    assert created.returncode == 0, created.stderr
    assert "Task BY_REST successfully created." in created.stdout
    assert snow("object", "drop", "task", "by_rest").returncode == 0
