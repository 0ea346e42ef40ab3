"""Whatever standard output can hold: what it cannot is escaped, and exit codes stay what they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = "version: 1\ntargets: {local: {kind: local, default: true}}\n"
GOOD = "version: 1\npipeline: p\ngraph:\n  config: {k: zażółć 日本 😀}\n  tasks:\n    show: {sql: select 1}\n"
BAD = "version: 1\npipeline: q\ngraph: {tasks: {zażółć: {sql: select 1}, b: {sql: select 2, after: [日本😀]}}}\n"

COMMANDS = (
    (1, "validate specs"),
    (1, "validate specs -o json"),
    (1, "validate specs -o sarif"),
    (1, "validate specs -o gitlab"),
    (1, "validate specs -o github"),
    (0, "explain specs/p.yaml:graph.config.k"),
    (0, "explain specs/p.yaml:graph.config.k -o json"),
    (0, "compile specs/p.yaml --out out -o json"),
    (0, "init zażółć日"),
    (2, "validate specs/日本.yaml"),
    (0, "--help"),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encodings")
    (folder / "specs").mkdir()
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "specs" / "p.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "specs" / "q.yaml").write_text(BAD, encoding="utf-8")
    return folder


def sfml(folder: Path, words: str, encoding: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        (sys.executable, "-c", "from sfml.cli import main; main()", *words.split()),
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(("code", "words"), COMMANDS)
def test_a_command_does_its_work(project: Path, tmp_path: Path, code: int, words: str, encoding: str) -> None:
    done = sfml(project if not words.startswith("init") else tmp_path, words, encoding)
    assert done.returncode == code, done.stderr.decode(encoding)
    assert b"internal error" not in done.stderr and b"Traceback" not in done.stderr
    said = (done.stdout + done.stderr).decode(encoding)
    assert said.strip()
    if words.endswith(("json", "sarif", "gitlab")):
        assert "zażółć" in json.dumps(json.loads(done.stdout), ensure_ascii=False)


def test_utf_8_is_left_as_it_is(project: Path) -> None:
    assert "zażółć 日本 😀" in sfml(project, "explain specs/p.yaml:graph.config.k", "utf-8").stdout.decode()
