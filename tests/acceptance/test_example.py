"""The project in examples/: what a user copies works, with its own tests, where only its requirements are installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, environment, finished

EXAMPLE = ROOT / "examples" / "churn"


@pytest.fixture(scope="module")
def bin_folder(
    new_environment: Callable[..., Path], wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Where `python` and `sfml` are: a new environment with the project's requirements, this checkout as a wheel."""
    text = (EXAMPLE / "requirements.txt").read_text(encoding="utf-8")
    assert "\n../..[local]\n" in text
    requirements = tmp_path_factory.mktemp("requirements") / "requirements.txt"
    built = text.replace("\n../..[local]\n", f"\nsfml-snowflake[local] @ {wheel.as_uri()}\n")
    requirements.write_text(built, encoding="utf-8")
    return new_environment("--requirement", requirements)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example") / "churn"
    left_out = shutil.ignore_patterns("__pycache__", ".sfml", "build", ".venv", ".pytest_cache")
    shutil.copytree(EXAMPLE, folder, ignore=left_out)
    return folder


def test_its_spec_is_valid(bin_folder: Path, project: Path) -> None:
    command = (bin_folder / "sfml", "validate", "specs/churn.yaml")
    assert "0 errors, 0 warnings" in finished(*command, cwd=project, env=environment(project))


def test_its_own_tests_pass(bin_folder: Path, project: Path) -> None:
    command = (bin_folder / "python", "-m", "pytest", "-q")
    output = finished(*command, cwd=project, env=environment(project))
    counted = re.search(r"(\d+) passed", output)
    assert counted, output
    assert int(counted[1]) == 11, output
    assert "skipped" not in output
    assert "warning" not in output
