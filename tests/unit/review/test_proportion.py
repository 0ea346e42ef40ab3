"""A diff costs what the change costs: little is imported, and no pipeline is compiled that the change cannot reach."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.acceptance.review_repository import Repository

PIPELINES = 40
PROBE = """
import json, sys
before = set(sys.modules)
from sfml.cli.entry import run
code = run(["diff", "specs", "--base", "main", "--output", sys.argv[1], "--quiet"])
new = {name: sys.modules[name] for name in set(sys.modules) - before}
print()
print(json.dumps({
    "code": code,
    "modules": sorted(new),
    "libraries": sorted({
        name.split(".")[0]
        for name, module in new.items() if "site-packages" in str(getattr(module, "__file__", ""))
    }),
}))
"""
HEAVY = {"asyncio", "concurrent", "email", "http", "importlib.metadata", "logging", "socket", "ssl"}
OTHER_ROOMS = {"grammar", "deploy", "runs", "snowflake", "local", "testing"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository of many pipelines, of which one is changed."""
    it = Repository(tmp_path_factory.mktemp("many"))
    it.git("init", "-q", "-b", "main")
    it.write("sfml.yaml", "version: 1\ntargets: {local: {kind: local}}\n")
    for number in range(PIPELINES):
        it.write(
            f"specs/p{number}.yaml", f"version: 1\npipeline: p{number}\ngraph: p{number}/job_config.yaml\n"
        )
        it.write(
            f"specs/p{number}/job_config.yaml", f"version: 1\ntasks: {{one: {{sql: select {number}}}}}\n"
        )
    it.commit("Many pipelines")
    it.edit("specs/p7/job_config.yaml", "select 7", "select 70")
    return it


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_it_imports_no_more_than_it_needs(many: Repository, output: str) -> None:
    done = subprocess.run(
        (sys.executable, "-c", PROBE, output), cwd=many.folder, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == 0, done.stderr
    assert set(found["libraries"]) - {"_yaml"} == {"click", "yaml", "cronsim"}
    assert not set(found["modules"]) & HEAVY
    rooms = {name.split(".")[1] for name in found["modules"] if name.startswith("sfml.")}
    assert "review" in rooms and not rooms & OTHER_ROOMS


def test_only_what_the_change_reaches_is_compiled(many: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfml.cli.entry import run

    monkeypatch.chdir(many.folder)
    read: list[Path] = []
    documents = importlib.import_module("sfml.spec.documents")
    original = documents.read_text
    monkeypatch.setattr(documents, "read_text", lambda path, file: read.append(path) or original(path, file))
    assert run(["diff", "specs", "--base", "main", "--quiet"]) == 0
    assert {path.name for path in read} == {"sfml.yaml", "p7.yaml", "job_config.yaml"}
    assert {path.parent.name for path in read if path.name == "job_config.yaml"} == {"p7"}
    assert len(read) == 6  # three files on two sides
