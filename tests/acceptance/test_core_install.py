"""`sfml-snowflake` without extras: what pull-request checks use, in an environment without Snowflake packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def core(new_environment: Callable[..., Path], wheel: Path) -> Path:
    """The `bin` folder of a fresh environment with the built wheel and its own dependencies only."""
    return new_environment(wheel)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("specs", "steps/clv"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", tmp_path)
    return tmp_path


def sfml(core: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        (str(core / "sfml"), *arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_snowflake_package_is_there(core: Path) -> None:
    names = ("snowflake", "fakesnow", "pandas", "xgboost")
    probe = f"import importlib.util as u; print([n for n in {names!r} if u.find_spec(n)])"
    done = subprocess.run((str(core / "python"), "-c", probe), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_specs_are_validated_and_compiled(core: Path, checkout: Path) -> None:
    assert sfml(core, checkout, "validate", "specs/").returncode == 0
    done = sfml(core, checkout, "compile", "specs/clv.yaml", "-t", "prod", "--page")
    assert done.returncode == 0, done.stderr
    build = checkout / "build" / "clv" / "prod"
    files = {path.name for path in build.iterdir()}
    assert {"manifest.json", "tasks.sql", "graph.mmd", "graph.svg", "graph.html"} <= files


def test_graphs_are_tested(core: Path, checkout: Path) -> None:
    done = sfml(core, checkout, "test", "specs/clv.yaml")
    assert done.returncode == 0, done.stderr
    assert "passed" in done.stdout
    assert sfml(core, checkout, "simulate", "specs/clv.yaml").returncode == 0
    done = sfml(core, checkout, "test", "specs/clv.yaml", "--local")
    assert done.returncode == 1
    assert 'pip install "sfml-snowflake[' in done.stderr


def test_what_needs_snowflake_says_what_to_install(core: Path, checkout: Path) -> None:
    done = sfml(core, checkout, "plan", "specs/clv.yaml")
    assert done.returncode == 1
    assert 'pip install "sfml-snowflake[' in done.stderr
    assert "Traceback" not in done.stderr
