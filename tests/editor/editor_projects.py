"""Small projects for tests of editors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fork_server
from language_client import LanguageClient

ROOT = Path(__file__).parents[2]
SFML = Path(sys.executable).parent / "sfml"
Start = Callable[..., LanguageClient]

GATE = '''from typing import Literal

from sfml_steps import Context, step


@step
def check(ctx: Context, value: float) -> Literal["good", "bad"]:
    """Whether it is good."""
    return "good" if value > 0 else "bad"
'''
PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true}
  dev: {connection: dev, account: A-B, owner_role: R, database: D, schema: S, warehouse: W, mode: development}
"""
PIPELINE = """version: 1
pipeline: small
graph:
  tasks:
    load: {sql: select 1}
    check:
      step: gate.check
      after: [load]
      with: {value: 1.5}
      outcomes: {good: keep, bad: []}
    keep: {sql: select 2}
"""


def project(folder: Path, pipeline: str = PIPELINE) -> Path:
    """A small project in a folder; its entry file."""
    (folder / "steps").mkdir(parents=True)
    (folder / "specs").mkdir()
    (folder / "sfml.yaml").write_text(PROJECT)
    (folder / "steps" / "gate.py").write_text(GATE)
    entry = folder / "specs" / "small.yaml"
    entry.write_bytes(pipeline.encode())
    return entry


class Servers:
    """The servers of one file of tests: one for each set of capabilities, and those that a test wants for itself."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shared: dict[str, LanguageClient] = {}
        self._all: list[LanguageClient] = []

    @property
    def started(self) -> list[LanguageClient]:
        """The clients of the servers that have not ended."""
        return [client for client in self._all if client.process.poll() is None]

    def client(self, folder: Path, capabilities: dict[str, Any], *, alone: bool) -> LanguageClient:
        """A client of a server with these capabilities: a new one if it is to be alone, or if the last has ended."""
        key = json.dumps(capabilities, sort_keys=True)
        known = self._shared.get(key)
        if not alone and known is not None and known.process.poll() is None:
            return known
        environment = {**os.environ, "HOME": str(self._home), "SFML_TRACEBACK": "1"}
        client = LanguageClient(
            (str(SFML), "lsp"), folder, environment, capabilities, popen=fork_server.Popen
        )
        self._all.append(client)
        if not alone:
            self._shared[key] = client
        return client


def assert_no_traceback(client: LanguageClient) -> None:
    text = "".join(client.errors)
    assert "Traceback" not in text, text
