"""The local Snowflake beside sqlglotc, which puts compiled modules into the folder of sqlglot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = "from sfml.operations.local_server import require_local; require_local(); print('fine')"


@pytest.mark.parametrize("name", ["parser.cpython-311-x86_64-linux-gnu.so", "parser.cp312-win_amd64.pyd"])
def test_a_compiled_parser_is_refused_in_words(tmp_path: Path, name: str) -> None:
    package = tmp_path / "sqlglot"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "parser.py").touch()
    assert asked(tmp_path).stdout == "fine\n"
    (package / name).touch()
    refused = asked(tmp_path).stderr
    assert (
        "the local Snowflake does not run with sqlglotc, whose compiled parser cannot be extended" in refused
    )


def asked(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    return subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True)
