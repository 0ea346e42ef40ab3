"""Modules of archives: the same as Python finds and runs, compiled once at most."""

from __future__ import annotations

import json
import py_compile
import subprocess
import sys
import zipfile
import zipimport
from pathlib import Path

import pytest

import sfml_steps
from sfml_local.processes.zipped_modules import ZippedModules, compiled

RUNTIME = Path(sfml_steps.__file__).parent
NAMES = ("alone", "pkg", "windows", "only_bytecode", "both", "sfml_steps", "errors")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zipped")
    (folder / "source.py").write_text("VALUE = 'bytecode'\n")
    bytecode = Path(py_compile.compile(str(folder / "source.py"), cfile=str(folder / "c"))).read_bytes()
    with zipfile.ZipFile(folder / "modules.zip", "w") as packed:
        packed.writestr("alone.py", "VALUE = (lambda: __file__)()\n")
        packed.writestr("pkg/__init__.py", "VALUE = __path__\n")
        packed.writestr("pkg/inner.py", "VALUE = 3\n")
        packed.writestr("pkg/wrong.py", "def (:\n")
        packed.writestr("windows.py", "VALUE = 1\r\nOTHER = '''a\r\nb'''\r\n")
        packed.writestr("only_bytecode.pyc", bytecode)
        packed.writestr("both.py", "VALUE = 'source'\n")
        packed.writestr("both.pyc", b"of another version of Python")
        for path in RUNTIME.rglob("*.py"):
            packed.write(path, path.relative_to(RUNTIME.parent))
    return folder / "modules.zip"


@pytest.mark.parametrize("name", NAMES)
def test_each_is_what_python_finds_and_runs(archive: Path, name: str) -> None:
    place = str(archive / "sfml_steps" if name == "errors" else archive)
    ours, usual = ZippedModules(place), zipimport.zipimporter(place)
    spec, expected = ours.find_spec(name), usual.find_spec(name)
    assert spec is not None and expected is not None
    assert (spec.origin, spec.submodule_search_locations) == (
        expected.origin,
        expected.submodule_search_locations,
    )
    assert ours.get_code(name) == usual.get_code(name)
    assert files_of(ours.get_code(name)) == files_of(usual.get_code(name))


def files_of(code: object) -> list[str]:
    """The files that a code and all that is defined in it name."""
    inner = getattr(code, "co_consts", ())
    own = [code.co_filename] if hasattr(code, "co_filename") else []
    return [*own, *(file for one in inner for file in files_of(one))]


def test_a_module_that_does_not_compile_is_found_and_says_so(archive: Path) -> None:
    ours = ZippedModules(str(archive / "pkg"))
    assert ours.get_filename("wrong") == str(archive / "pkg" / "wrong.py")
    with pytest.raises(SyntaxError) as failed:
        ours.get_code("wrong")
    assert failed.value.filename == str(archive / "pkg" / "wrong.py")


def test_all_of_the_runtime_is_compiled_before() -> None:
    assert set(compiled()) == {path.read_bytes() for path in RUNTIME.rglob("*.py")}


def test_a_module_of_another_text_is_not_taken_for_that_of_the_runtime(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "older.zip", "w") as packed:
        packed.writestr("sfml_steps/__init__.py", "VERSION = 'older'\n")
    code = ZippedModules(str(tmp_path / "older.zip")).get_code("sfml_steps")
    assert "older" in code.co_consts


def test_what_is_not_there_is_refused_as_python_does(archive: Path) -> None:
    ours = ZippedModules(str(archive))
    assert ours.find_spec("nothing") is None
    for ask in (ours.get_code, ours.get_filename):
        with pytest.raises(zipimport.ZipImportError, match="nothing"):
            ask("nothing")
    with pytest.raises(zipimport.ZipImportError):
        ZippedModules(str(archive.parent))


PROGRAM = """
import json, sys
from sfml_local.processes import zipped_modules
seen = []
zipped_modules.begin()
zipped_modules.compiled()
sys.path.insert(0, sys.argv[1])
sys.addaudithook(lambda event, about: seen.append(str(about[1])) if event == "compile" else None)
import alone, pkg.inner, sfml_steps.errors
print(json.dumps(sorted(file[len(sys.argv[1]) + 1:] for file in seen if file.startswith(sys.argv[1]))))
"""


def test_each_is_compiled_once_and_the_runtime_not_at_all(archive: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(archive)], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == ["alone.py", "pkg/__init__.py", "pkg/inner.py"]
