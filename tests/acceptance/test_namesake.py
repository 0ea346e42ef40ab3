"""The distribution `sfml` of another project beside ours: the command, pytest and `sfml doctor` say so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sfml.account.checkup import CheckState
from sfml.cli.versions import namesake_check, version_check

HELP = "pip uninstall sfml, then install sfml-snowflake again with --force-reinstall --no-deps"


def stranger(site: Path, *, entry: str = "", code: str = "import no_such_library\n") -> Path:
    """A folder of packages with another project's `sfml`, as pip leaves it."""
    (site / "sfml").mkdir(parents=True)
    (site / "sfml" / "__init__.py").write_text(code, encoding="utf-8")
    info = site / "sfml-2.3.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sfml\nVersion: 2.3.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    return site


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python where that folder comes first, as site-packages does before the paths of an editable install."""
    done = (sys.executable, "-P", *arguments)
    return subprocess.run(
        done, cwd=site, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("code", ["import no_such_library\n", "__version__ = '2.3.2'\n"])
def test_the_command_says_whose_package_it_finds(tmp_path: Path, code: str) -> None:
    site = stranger(tmp_path / "site", code=code)
    done = python(site, "-c", "import sfml_snowflake; sfml_snowflake.main()", "--version")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"error: `import sfml` finds another project's package: {site}/sfml/__init__.py",
        f"help: {HELP}",
    ]


def test_a_first_file_that_was_overwritten_is_noticed(tmp_path: Path) -> None:
    """Where both were unpacked into one folder, ours first: the rest of the package is still there."""
    import sfml

    assert sfml.__file__ is not None
    site = tmp_path / "site"
    shutil.copytree(Path(sfml.__file__).parent, site / "sfml", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "sfml" / "__init__.py").write_text("from sfml.base import errors\n", encoding="utf-8")
    done = python(site, "-c", "import sfml_snowflake; sfml_snowflake.main()", "--version")
    assert f"finds another project's package: {site}/sfml/__init__.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_pytest_says_so_where_it_loads_the_plugin(tmp_path: Path) -> None:
    site = stranger(tmp_path / "site")
    done = python(site, "-c", "import sfml_snowflake.pytest_plugin")
    assert done.returncode == 1
    assert f"ImportError: `import sfml` finds another project's package: {site}/sfml" in done.stderr
    assert HELP in done.stderr


def test_the_command_runs_where_sfml_is_ours(tmp_path: Path) -> None:
    done = python(tmp_path, "-c", "import sfml_snowflake; sfml_snowflake.main()", "--version")
    assert done.stdout.startswith("sfml "), done.stderr


def test_doctor_warns_of_another_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(stranger(tmp_path / "site"))
    check = namesake_check()
    assert check is not None
    assert (check.state, check.help) == (CheckState.WARN, HELP)
    assert "`sfml` 2.3.2 is installed, too: another project" in check.text


@pytest.mark.parametrize("is_renamed", [True, False])
def test_doctor_tells_our_own_earlier_name_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_renamed: bool
) -> None:
    """Alone, it is this very project, run from a checkout that was installed before it had its name."""
    site = stranger(tmp_path / "site", entry="[console_scripts]\nsfml = sfml.cli:main\n")
    if is_renamed:
        own = site / "sfml_snowflake-0.2.0.dist-info"
        own.mkdir()
        (own / "METADATA").write_text("Metadata-Version: 2.1\nName: sfml-snowflake\nVersion: 0.2.0\n")
    monkeypatch.setattr(sys, "path", [str(site)])
    check = namesake_check()
    assert (check is not None) is is_renamed
    assert check is None or "an earlier name of sfml-snowflake" in check.text


def distribution(site: Path, name: str, version: str, requires: str = "") -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
    (info / "METADATA").write_text(lines, encoding="utf-8")


@pytest.mark.parametrize(("version", "fits"), [("2.0.1", True), ("2.0.2", False), ("2.0.0", False)])
def test_doctor_fails_where_a_library_has_left_its_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, fits: bool
) -> None:
    clients = ("snowflake-core", "snowflake-snowpark-python", "snowflake-ml-python", "fakesnow", "sqlglot")
    for name in clients:
        distribution(tmp_path, name, "1.0")
    distribution(tmp_path, "duckdb", version)
    required = "Requires-Dist: duckdb<2.0.2,>=2.0.1; extra == 'local'\n"
    distribution(tmp_path, "sfml-snowflake", "0.2.0", required)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    check = version_check(is_local=True)
    assert (check.state is CheckState.OK) is fits
    if not fits:
        assert check.text == f"duckdb {version} is not <2.0.2,>=2.0.1"
        assert check.help == 'pip install "sfml-snowflake[local]"'


def test_doctor_is_silent_where_ours_is_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert namesake_check() is None


def test_doctor_lists_the_warning(tmp_path: Path) -> None:
    """As a user runs it: a project without a target to connect to."""
    site = stranger(tmp_path / "site", code="")
    shutil.rmtree(site / "sfml")
    (site / "sfml.yaml").write_text(
        "version: 1\ntargets:\n  p: {connection: none, database: D, schema: S, warehouse: W, default: true}\n"
    )
    done = python(site, "-c", "import sfml_snowflake; sfml_snowflake.main()", "doctor", "-o", "json")
    (check,) = (check for check in json.loads(done.stdout)["checks"] if check["name"] == "namesake")
    assert check["state"] == "warn"
