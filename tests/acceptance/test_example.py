"""The project in examples/: what a user copies works, with its own tests, where only its requirements are installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, environment, finished

from sfml.cli.examples import EXAMPLES, example_files

EXAMPLE = ROOT / "examples" / "churn"


@pytest.fixture(scope="module")
def bin_folder(
    new_environment: Callable[..., Path], wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Where `python` and `sfml` are: a new environment with the project's requirements, this checkout as a wheel."""
    text = (EXAMPLE / "requirements.txt").read_text(encoding="utf-8")
    assert "\nsfml-snowflake[local]\n" in text
    requirements = tmp_path_factory.mktemp("requirements") / "requirements.txt"
    built = text.replace("\nsfml-snowflake[local]\n", f"\nsfml-snowflake[local] @ {wheel.as_uri()}\n")
    requirements.write_text(built, encoding="utf-8")
    return new_environment("--requirement", requirements)


@pytest.fixture(scope="module")
def project(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that the installed command made."""
    folder = tmp_path_factory.mktemp("example") / "churn"
    folder.mkdir()
    finished(bin_folder / "sfml", "init", "--example", "churn", cwd=folder, env=environment(folder))
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


def test_the_wheel_has_every_example_and_nothing_else(bin_folder: Path, tmp_path: Path) -> None:
    program = "import sys; from sfml.cli.entry import run; sys.exit(run(['init', '-q', '--example', *sys.argv[1:]]))"
    for name in EXAMPLES:
        python, folder = bin_folder / "python", tmp_path / name
        finished(python, "-c", program, name, folder, cwd=tmp_path, env=environment(tmp_path))
        copied = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        assert copied == example_files(name)
