"""The server as a process: started, found, refused twice, killed, stopped, reset."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfml.errors import LocalServerError
from sfml.local import process


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "local"
    yield folder
    process.stop(folder)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def test_nothing_runs_where_nothing_was_started(place: Path) -> None:
    assert process.status(place) == process.STOPPED
    process.stop(place)


def test_a_started_server_is_found_and_stopped(place: Path) -> None:
    import snowflake.connector

    info = process.start(place)
    assert info.running and process.status(place) == info
    assert process.start(place) == info, "a second start finds the first"
    keys = ("host", "port", "protocol", "account", "user", "password")
    with snowflake.connector.connect(**{key: getattr(info, key) for key in keys}) as connection:
        assert connection.cursor().execute("select 41 + 1").fetchall() == [(42,)]
    process.stop(place)
    assert process.status(place) == process.STOPPED


def test_the_token_is_for_this_user_alone(place: Path) -> None:
    process.start(place)
    assert stat.S_IMODE((place / "server.json").stat().st_mode) == 0o600


def test_a_second_server_on_a_folder_refuses(place: Path) -> None:
    process.start(place)
    second = subprocess.run(
        (sys.executable, "-m", "sfml.local", "--folder", str(place)), capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "another local Snowflake serves" in second.stderr


def test_a_killed_server_leaves_nothing_that_looks_alive(place: Path) -> None:
    info = process.start(place)
    assert info.pid is not None
    os.kill(info.pid, signal.SIGKILL)
    wait_for(lambda: not process.status(place).running)
    again = process.start(place)
    assert again.running and again.pid != info.pid


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    folder.mkdir()
    (folder / "databases").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(LocalServerError, match="did not start"):
        process.start(folder)


def test_reset_leaves_nothing(place: Path) -> None:
    process.start(place)
    process.reset(place)
    assert not place.exists()


def test_a_server_that_was_started_for_a_while_is_stopped_by_the_last_to_need_it(place: Path) -> None:
    with process.in_use(place) as first:
        with process.in_use(place) as second:
            assert first == second
        assert process.status(place).running, "somebody still needs it"
    assert not process.status(place).running


def test_a_server_that_is_kept_outlives_those_who_use_it(place: Path) -> None:
    with process.in_use(place):
        kept = process.keep(place)
    assert process.status(place) == kept
