"""The extension for Visual Studio Code: it passes its linter, is packaged by its own tool, and names this version."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from editor_projects import ROOT

from sfml import __version__

EXTENSION = ROOT / "editors" / "vscode"
FILES = (
    "package.json",
    "package-lock.json",
    ".npmrc",
    ".vscodeignore",
    "README.md",
    "eslint.config.mjs",
    "extension.js",
)
INSTALLED_FROM = ("package.json", "package-lock.json", ".npmrc")
UNREACHED = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET")


def npm(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("npm", *words), cwd=folder, capture_output=True, text=True, timeout=900)


def test_its_version_is_that_of_the_server() -> None:
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in package["dependencies"].values())
    assert "resolved" not in (EXTENSION / "package-lock.json").read_text(encoding="utf-8")


@pytest.fixture
def modules(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What `npm ci` installs from the lock, which pytest's cache keeps until the lock or the version of npm changes."""
    assert request.config.cache is not None
    digest = hashlib.sha256(npm(tmp_path, "--version").stdout.encode())
    for name in INSTALLED_FROM:
        digest.update((EXTENSION / name).read_bytes())
    kept = Path(str(request.config.cache.mkdir("vscode-extension")))
    made = kept / digest.hexdigest()[:16]
    if not made.exists():
        for before in kept.iterdir():
            shutil.rmtree(before, ignore_errors=True)
        _install(kept / "unfinished").rename(made)
    return made / "node_modules"


def _install(folder: Path) -> Path:
    folder.mkdir()
    for name in INSTALLED_FROM:
        shutil.copy(EXTENSION / name, folder)
    installed = npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if installed.returncode and UNREACHED.search(installed.stderr):
        pytest.skip("the npm registry cannot be reached")
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_it_passes_its_linter_and_is_packaged(modules: Path, tmp_path: Path) -> None:
    folder = tmp_path / "vscode"
    folder.mkdir()
    for name in FILES:
        shutil.copy(EXTENSION / name, folder)
    (folder / "node_modules").symlink_to(modules)
    linted = npm(folder, "run", "lint")
    assert linted.returncode == 0, linted.stdout + linted.stderr
    packaged = npm(folder, "run", "package")
    assert packaged.returncode == 0, packaged.stdout + packaged.stderr
    with zipfile.ZipFile(folder / f"sfml-{__version__}.vsix") as archive:
        names = archive.namelist()
    assert {"extension/extension.js", "extension/package.json"} <= set(names)
    assert any(name.startswith("extension/node_modules/vscode-languageclient/") for name in names)
    assert not [name for name in names if name.startswith("extension/node_modules/eslint")]
