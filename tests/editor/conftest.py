"""Projects as an editor sees them, and a client that edits them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from editor_projects import ROOT, Servers, Start, assert_no_traceback
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


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The running servers of one file of tests: starting one takes longer than most tests do."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    for client in servers.started:
        assert client.stop() == 0, client.errors
        assert_no_traceback(client)


@pytest.fixture
def start(servers: Servers) -> Iterator[Start]:
    """Gives a client of a server, which other tests of the file have used or will use unless it is `alone`.

    The server must not have crashed, and forgets what the test has opened.
    """
    used: list[LanguageClient] = []

    def started(
        folder: Path, capabilities: dict[str, Any] | None = None, *, alone: bool = False
    ) -> LanguageClient:
        client = servers.client(folder, capabilities or {}, alone=alone)
        used.append(client)
        return client

    yield started
    for client in {id(one): one for one in used}.values():
        assert_no_traceback(client)
        if client.process.poll() is None:
            client.close_all()
            left = {uri: found for uri, found in client.published.items() if found}
            assert not left, "the server has not forgotten a project without an open file"
            client.forget()
