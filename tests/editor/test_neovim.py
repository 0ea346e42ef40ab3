"""A session in Neovim: the server in a real editor, whose record is kept beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from editor_projects import ROOT, SFML

from sfml.frontend.reading import read_targets

HERE = Path(__file__).parent / "neovim"
RECORD = HERE / "session.txt"


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed: apt-get install neovim")
def test_a_session_in_neovim_goes_as_recorded(shop: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.txt"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "SFML": str(SFML),
        "SHOP": str(shop),
        "RECORD": str(record),
        "LIMIT": "120000",
    }
    done = subprocess.run(
        ("nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {HERE / 'session.lua'}"),
        cwd=shop,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert record.exists(), done.stdout + done.stderr
    told = record.read_text(encoding="utf-8")
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        RECORD.write_text(told, encoding="utf-8")
    assert told == RECORD.read_text(encoding="utf-8")
    assert not [
        finding for reading in read_targets(shop / "specs" / "clv.yaml") for finding in reading.diagnostics
    ]
    assert "fit_model" in (shop / "specs" / "clv.yaml").read_text()
    assert "  fit_model:" in (shop / "specs" / "clv" / "job_config.yaml").read_text()
    assert (ROOT / "specs" / "clv.yaml").read_text().count(
        "train_model"
    ) == 1  # this repository's own is as it was
