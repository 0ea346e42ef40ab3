from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from made_graphs import File, closure

from sfml.lower.archives import archive_of

GOLDEN = "d3598e007d286e816539fc646bb5395420e8b8de0aeddce73af68d395cfe0a89"


def test_the_same_files_give_the_same_bytes_on_every_machine() -> None:
    archive = archive_of("clv", closure("clv.prepare_data.prepare_data"))
    assert archive.sha256 == GOLDEN
    assert archive.stage_path == f"clv/code/{GOLDEN}/steps.zip"


def test_neither_order_nor_repetition_matters() -> None:
    files = (File("b.py", b"2"), File("a.py", b"1"))
    assert archive_of("clv", files) == archive_of("clv", (*reversed(files), *files))


def test_a_changed_file_changes_the_archive() -> None:
    assert archive_of("clv", [File("a.py", b"1")]).sha256 != archive_of("clv", [File("a.py", b"2")]).sha256


def test_it_lists_its_files_and_stores_them_plainly() -> None:
    archive = archive_of("clv", [File("pkg/data.csv", b"x\n"), File("pkg/a.py", b"")])
    assert [path for path, _ in archive.files] == ["pkg/a.py", "pkg/data.csv"]
    with zipfile.ZipFile(io.BytesIO(archive.content)) as content:
        assert content.namelist() == ["pkg/", "pkg/a.py", "pkg/data.csv"]
        assert {entry.compress_type for entry in content.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in content.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_runtime_and_step_are_imported_from_the_zip_without_init_files(tmp_path: Path) -> None:
    """The step's packages are namespace packages, which zipimport finds by the folders' entries."""
    files = [*closure("deep.er.gate.check"), File("deep/er/table.csv", b"a,b\n")]
    path = tmp_path / "steps.zip"
    path.write_bytes(archive_of("clv", files).content)
    program = (
        f"import sys; sys.path.insert(0, {str(path)!r})\n"
        "import sfml_steps.runtime, deep.er.gate, importlib.resources as r\n"
        "print(sfml_steps.runtime.__file__, deep.er.gate.NAME)\n"
        "import pkgutil; print(pkgutil.get_data('deep.er.gate', 'table.csv'))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert ran.stdout.splitlines() == [f"{path}/sfml_steps/runtime.py deep.er.gate.check", r"b'a,b\n'"]
