"""The end of a server: it goes when its editor does, however that goes, and never stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from editor_projects import SFML, Start, project
from language_client import LanguageClient

LIMIT = 60
"""Seconds after which a server counts as left behind."""


@pytest.fixture
def client(tmp_path: Path, start: Start) -> LanguageClient:
    """A client of a server that has read a project."""
    entry = project(tmp_path)
    client: LanguageClient = start(tmp_path, alone=True)
    client.open(entry)
    client.until(entry)
    return client


def test_exit_without_a_shutdown_ends_it_with_the_code_of_the_protocol(client: LanguageClient) -> None:
    client.notify("exit", None)
    assert client.process.wait(LIMIT) == 1


@pytest.mark.parametrize("begun", (b"", b"Content-Length: 500\r\n\r\n{"))
def test_a_closed_standard_input_ends_it(client: LanguageClient, begun: bytes) -> None:
    client.send_raw(begun)
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(LIMIT) == 0


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_signal_ends_it_though_the_input_stays_open(client: LanguageClient, number: signal.Signals) -> None:
    client.process.send_signal(number)
    assert client.process.wait(LIMIT) == -number


EDITOR = """import os, subprocess, sys
server = subprocess.Popen(sys.argv[1:3], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=int(sys.argv[3]),
                          pass_fds=[int(sys.argv[3])])
body = (b'{"jsonrpc": "2.0", "id": 1, "method": "initialize",'
        b' "params": {"processId": null, "rootUri": null, "capabilities": {}}}')
server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
server.stdin.flush()
server.stdout.read(9)
print("served", flush=True)
server.wait()
"""


def test_the_death_of_the_editor_ends_it(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    command = (sys.executable, "-c", EDITOR, str(SFML), "lsp", str(writes))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, pass_fds=[writes], cwd=tmp_path, text=True
    ) as editor:
        os.close(writes)
        assert editor.stdout is not None
        assert editor.stdout.readline() == "served\n"
        editor.kill()
    with os.fdopen(reads, "rb") as held_by_the_server:
        os.set_blocking(reads, True)
        assert held_by_the_server.read() == b""  # ends with the last process that could write to it
