"""The project in examples/: what a user copies works, with its own tests.

By default in a copy of the folder, with this environment's Python. With SFML_TEST_FRESH_ENVIRONMENT=1 in a new
virtual environment with the built package, as its README says, which takes a minute or two more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "churn"
FRESH = "SFML_TEST_FRESH_ENVIRONMENT"


def environment(folder: Path) -> dict[str, str]:
    left_out = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"}
    return {key: value for key, value in os.environ.items() if key not in left_out} | {"HOME": str(folder)}


def done(*words: str | Path, cwd: Path) -> str:
    """The output of a command that must succeed."""
    ended = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment(cwd),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `python` and `sfml` are."""
    if not os.environ.get(FRESH):
        return Path(sys.executable).parent
    folder = tmp_path_factory.mktemp("fresh")
    done(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    done(python, "-m", "pip", "install", "--quiet", f"{ROOT}[local]", "pytest>=8.3", cwd=folder)
    return python.parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "churn"
    left_out = shutil.ignore_patterns("__pycache__", ".sfml", "build", ".venv", ".pytest_cache")
    shutil.copytree(EXAMPLE, folder, ignore=left_out)
    return folder


def test_its_spec_is_valid(bin_folder: Path, project: Path) -> None:
    assert "0 errors, 0 warnings" in done(bin_folder / "sfml", "validate", "specs/churn.yaml", cwd=project)


def test_its_own_tests_pass(bin_folder: Path, project: Path) -> None:
    output = done(bin_folder / "python", "-m", "pytest", "-q", cwd=project)
    counted = re.search(r"(\d+) passed", output)
    assert counted, output
    assert int(counted[1]) == 11, output
    assert "skipped" not in output
    assert "warning" not in output
