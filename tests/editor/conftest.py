"""Projects as an editor sees them, and a client that edits them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from editor_projects import ROOT, SFML, Start
from language_client import LanguageClient


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of this repository's own pipeline, copied."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shutil.copytree(ROOT / "specs", folder / "specs")
    shutil.copytree(ROOT / "steps" / "clv", folder / "steps" / "clv")
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copy(ROOT / "sfml.yaml", folder)
    return folder.resolve()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server for a client in a folder; it is ended with the test, and must not have crashed."""
    clients: list[LanguageClient] = []

    def started(folder: Path, capabilities: dict[str, Any] | None = None) -> LanguageClient:
        environment = {**os.environ, "HOME": str(tmp_path), "SFML_TRACEBACK": "1"}
        client = LanguageClient((str(SFML), "lsp"), folder, environment, capabilities)
        clients.append(client)
        return client

    yield started
    for client in clients:
        if client.process.poll() is None:
            assert client.stop() == 0, client.errors
        assert "Traceback" not in "".join(client.errors), "".join(client.errors)
