"""`make lock` writes the locks again, as whoever carries this on does it; it asks the package index."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("dev.txt", "core.txt", "local.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make lock` reads, beside an environment that is up to date and has uv."""
    for name in ("Makefile", "pyproject.toml", "tools"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / name)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".venv" / ".installed").touch()
    return tmp_path


def test_every_lock_is_written_with_hashes(checkout: Path) -> None:
    done = subprocess.run(("make", "lock"), cwd=checkout, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in LOCKS:
        text = (checkout / "requirements" / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[\w.-]+==\S+", text, re.MULTILINE)
        assert len(pins) > 5 and text.count("--hash=sha256:") >= len(pins), name
    assert {path.name for path in (checkout / "requirements").iterdir()} == set(LOCKS)
