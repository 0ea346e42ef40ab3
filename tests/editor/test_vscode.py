"""The extension for Visual Studio Code: it passes its linter, is packaged by its own tool, and names this version."""

from __future__ import annotations

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
UNREACHED = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET")


def npm(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(("npm", *words), cwd=folder, capture_output=True, text=True, timeout=900)


def test_its_version_is_that_of_the_server() -> None:
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in package["dependencies"].values())
    assert "resolved" not in (EXTENSION / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_it_passes_its_linter_and_is_packaged(tmp_path: Path) -> None:
    folder = tmp_path / "vscode"
    folder.mkdir()
    for name in FILES:
        shutil.copy(EXTENSION / name, folder)
    installed = npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if installed.returncode and UNREACHED.search(installed.stderr):
        pytest.skip("the npm registry cannot be reached")
    assert installed.returncode == 0, installed.stderr
    linted = npm(folder, "run", "lint")
    assert linted.returncode == 0, linted.stdout + linted.stderr
    packaged = npm(folder, "run", "package")
    assert packaged.returncode == 0, packaged.stdout + packaged.stderr
    with zipfile.ZipFile(folder / f"sfml-{__version__}.vsix") as archive:
        names = archive.namelist()
    assert {"extension/extension.js", "extension/package.json"} <= set(names)
    assert any(name.startswith("extension/node_modules/vscode-languageclient/") for name in names)
    assert not [name for name in names if name.startswith("extension/node_modules/eslint")]
