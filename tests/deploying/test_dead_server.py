"""A command whose local server dies says so within seconds, whatever it is doing, and ends with exit code 1.

The server is a socket and a lock of this test, which lets go of both once the command waits for an answer.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import fork_server
import pytest

from sfml_local import control
from sfml_local.control import ServerInfo

SFML = str(Path(sys.executable).with_name("sfml"))
COMMANDS = ("run", "apply", "logs", "status", "plan", "plan -o json")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_with_its_server(tmp_path: Path, command: str) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local}}\n")
    (tmp_path / "p.yaml").write_text("version: 1\npipeline: p\ngraph:\n  tasks:\n    a: {sql: SELECT 1}\n")
    folder = tmp_path / ".sfml" / "local"
    lock = control.lock(folder)
    assert lock is not None
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        host, port = listening.getsockname()
        control.write_info(
            folder,
            ServerInfo(True, host, port, "http", "LOCAL", "SFML", "secret", "SFML", "PUBLIC", os.getpid()),
        )
        arguments = [SFML, *command.split(), "p.yaml"]
        running = fork_server.Popen(
            arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        request = b""
        while not request:  # the first connection only looks whether somebody answers
            client, _ = listening.accept()
            client.settimeout(30)
            request = client.recv(65536)
    os.close(lock)
    client.close()
    said, _ = running.communicate(timeout=20)
    assert running.returncode == 1, said
    assert f"target `local` at 127.0.0.1:{port} has ended" in said
    assert "Traceback" not in said
    if "json" in command:
        assert json.loads(said)["error"]["message"].endswith("has ended")
