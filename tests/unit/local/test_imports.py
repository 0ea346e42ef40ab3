"""The directory of imported files, and the packages that code may name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.processes.imports import (
    check_packages,
    forget_unused,
    import_directory,
    installed_packages,
    runtime_note,
)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_same_files_are_the_same_directory(tmp_path: Path) -> None:
    file = written(tmp_path / "stage/a.py", "x = 1")
    first = import_directory(tmp_path / "imports", {"a.py": file})
    assert import_directory(tmp_path / "imports", {"a.py": file}) == first
    assert (first / "a.py").read_text() == "x = 1"


def test_a_changed_file_makes_another_directory_and_leaves_the_first(tmp_path: Path) -> None:
    file = written(tmp_path / "stage/a.py", "x = 1")
    first = import_directory(tmp_path / "imports", {"a.py": file})
    written(file, "x = 2")
    second = import_directory(tmp_path / "imports", {"a.py": file})
    assert (first / "a.py").read_text() == "x = 1"
    assert (second / "a.py").read_text() == "x = 2"


def test_an_imported_file_cannot_be_written(tmp_path: Path) -> None:
    file = written(tmp_path / "stage/a.py", "x = 1")
    copy = import_directory(tmp_path / "imports", {"a.py": file}) / "a.py"
    assert copy.stat().st_mode & 0o222 == 0


def test_directories_that_nothing_uses_are_forgotten(tmp_path: Path) -> None:
    imports = tmp_path / "imports"
    used, unused = (written(tmp_path / name, name) for name in ("a.py", "b.py"))
    kept, gone = import_directory(imports, {"a.py": used}), import_directory(imports, {"b.py": unused})
    for directory in (kept, gone):
        os.utime(directory, (0, 0))
    assert import_directory(imports, {"a.py": used}) == kept
    forget_unused(imports)
    assert (kept.exists(), gone.exists()) == (True, False)


def test_missing_packages_are_named() -> None:
    with pytest.raises(SqlError, match=r"Not found: nowhere-to-be-found==1\.0, nor-this") as refused:
        check_packages(["pyyaml", "nowhere-to-be-found==1.0", "nor-this"])
    assert refused.value.errno == 391546


def test_another_version_is_noted() -> None:
    (note,) = check_packages(["pyyaml==0.1", "pyyaml", "python==3.9.*"])
    assert note.startswith("package pyyaml==0.1 was asked for; this Python has pyyaml ")


def test_another_runtime_is_noted() -> None:
    assert runtime_note("") is None
    note = runtime_note("2.7")
    assert note is not None
    assert note.startswith("RUNTIME_VERSION 2.7 was asked for")


def test_what_was_installed_and_removed_meanwhile_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    before = installed_packages()
    assert "duckdb" in before and "my-own" not in before
    with pytest.raises(SqlError, match="Not found: my-own"):
        check_packages(["my-own"])
    mine = written(
        tmp_path / "my_own-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: My-Own\nVersion: 1.2\n"
    )
    assert installed_packages() == {**before, "my-own": "1.2"}
    assert installed_packages() is installed_packages()
    assert check_packages(["my-own==1.2"]) == []
    shutil.rmtree(mine.parent)
    assert installed_packages() == before
    with pytest.raises(SqlError, match="Not found: my-own"):
        check_packages(["my-own"])
