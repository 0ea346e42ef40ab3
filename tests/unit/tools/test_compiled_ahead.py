"""What workers find of a fresh checkout when they start."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from compiled_ahead import compile_ahead
from hypothesis import configuration


@pytest.fixture(autouse=True)
def hypothesis_home(tmp_path: Path) -> Iterator[Path]:
    home, before = tmp_path / "hypothesis", configuration.storage_directory().path
    configuration.set_hypothesis_home_dir(home)
    yield home
    configuration.set_hypothesis_home_dir(before)


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def bytecode(folder: Path) -> dict[str, int]:
    """The inode of each file; whoever writes bytecode makes a new file and puts it in place."""
    return {path.name: path.stat().st_ino for path in (folder / "__pycache__").iterdir()}


def test_pytest_takes_the_tests_that_were_rewritten_ahead(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    write(tmp_path, "tests/conftest.py", "import pytest\n")
    test = write(tmp_path, "tests/test_one.py", "def test_one():\n    number = 1\n    assert number == 2\n")
    compile_ahead(pytestconfig, tmp_path, 2)
    ahead = bytecode(test.parent)
    run = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "assert 1 == 2" in run.stdout  # its asserts tell their values
    assert bytecode(test.parent) == ahead
    assert len(ahead) == 2


def test_python_and_hypothesis_take_what_was_made_of_own_modules(
    tmp_path: Path, pytestconfig: pytest.Config, hypothesis_home: Path
) -> None:
    module = write(tmp_path, "compiler/words.py", "WORD = 'uncommon'\n")
    compile_ahead(pytestconfig, tmp_path, 1)
    ahead = bytecode(module.parent)
    assert Path(cache_from_source(str(module))).name in ahead
    subprocess.run((sys.executable, "-c", "import words"), cwd=module.parent, check=True, timeout=60)
    assert bytecode(module.parent) == ahead
    digest = hashlib.sha1(module.read_bytes()).hexdigest()[:16]
    assert "uncommon" in (hypothesis_home / "constants" / digest).read_text()


def test_what_was_made_is_made_again_once_its_source_is_newer(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    module = write(tmp_path, "steps/words.py", "WORD = 1\n")
    compile_ahead(pytestconfig, tmp_path, 2)
    first = bytecode(module.parent)
    compile_ahead(pytestconfig, tmp_path, 2)
    assert bytecode(module.parent) == first
    module.write_text("WORD = 2\n")
    compile_ahead(pytestconfig, tmp_path, 2)
    assert bytecode(module.parent) != first


def test_a_module_that_cannot_be_compiled_stops_no_other(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    write(tmp_path, "tests/test_a.py", "def broken(:\n")
    write(tmp_path, "tests/test_b.py", "")
    write(tmp_path, "emulator/a.py", "def broken(:\n")
    module = write(tmp_path, "emulator/b.py", "")
    compile_ahead(pytestconfig, tmp_path, 1)
    assert [name.split(".")[0] for name in bytecode(module.parent)] == ["b"]
    assert [name.split(".")[0] for name in bytecode(tmp_path / "tests")] == ["test_b"]
