"""The promise of compatibility: the projects of `tests/corpus/` are read, and make the same graphs.

With SFML_UPDATE_GOLDENS=1 what they compile to is written anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from sfml.base.diagnostic import has_errors
from sfml.base.resources import schema
from sfml.catalog.modules import runtime_folder
from sfml.frontend.entry_files import entry_files
from sfml.frontend.reading import Reading
from sfml.frontend.reading import read as read_spec
from sfml.graph_tests.selection import chosen_tests, verdict
from sfml.lower.archives import Closure, SourceFile
from sfml.lower.job_folders import job_files
from sfml.lower.lower import lower
from sfml.lower.manifest import manifest
from sfml.ways.shape import Behaviour

CORPUS = Path(__file__).parents[1] / "corpus" / "v1"
PROJECTS = sorted(path.parent for path in CORPUS.glob("*/sfml.yaml"))
PIPELINES = [
    pytest.param(path, target, id=f"{project.name}-{path.stem}-{target}")
    for project in PROJECTS
    for path in entry_files((str(project),))
    for target in yaml.safe_load((project / "sfml.yaml").read_text(encoding="utf-8"))["targets"]
]


def without_runtime(closure: Closure) -> Closure:
    """Leave out the installed runtime, which is another one in each release: what is promised is how specs are read."""
    runtime = runtime_folder()
    assert runtime is not None

    def is_installed(file: SourceFile) -> bool:
        path = runtime.parent / file.path
        return path.is_file() and path.read_bytes() == file.content

    return lambda step: [file for file in closure(step) if not is_installed(file)]


def read(path: Path, target: str) -> Reading:
    return read_spec(path, target=target, user="ada", cwd=CORPUS)


@pytest.mark.parametrize(("path", "target"), PIPELINES)
def test_it_is_read_and_compiles_to_the_same(path: Path, target: str) -> None:
    reading = read(path, target)
    assert not has_errors(reading.diagnostics), reading.diagnostics
    assert reading.graph is not None
    closure = without_runtime(reading.catalog.closure)
    desired = lower(reading.graph, closure, "0", job_files=job_files(reading.root))
    made = {**manifest(desired), "tool": {"name": "sfml", "version": "0"}}
    validator = Draft202012Validator(schema("output/manifest.schema.json"))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(made)] == []
    golden = CORPUS / "expected" / reading.root.name / f"{reading.graph.pipeline}.{target}.json"
    text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "target"), PIPELINES)
def test_its_tests_pass(path: Path, target: str) -> None:
    graph = read(path, target).graph
    assert graph is not None
    behaviour = Behaviour(graph)
    for test in chosen_tests(graph):
        assert verdict(behaviour, test).findings == ()


def test_every_project_is_in_the_readme_and_has_pipelines() -> None:
    readme = (CORPUS / "README.md").read_text(encoding="utf-8")
    assert len(PROJECTS) >= 10
    for project in PROJECTS:
        assert f"| {project.name} |" in readme
        assert entry_files((str(project),))


def test_it_uses_every_key_of_the_language() -> None:
    """A key that no project uses could be lost without notice."""
    written: set[str] = set()
    for file in CORPUS.rglob("*.yaml"):
        written |= set(_keys(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)))
    known: set[str] = set()
    for name in ("project", "pipeline", "job_config", "schedule_config", "tasks", "tests", "policies"):
        known |= set(_properties(schema(f"{name}.schema.json")))
    assert known - written == set()


def _keys(document: object) -> list[str]:
    match document:
        case dict():
            return [*document, *(key for value in document.values() for key in _keys(value))]
        case list():
            return [key for value in document for key in _keys(value)]
        case _:
            return []


def _properties(document: object) -> list[str]:
    match document:
        case dict():
            own = document.get("properties", {})
            names = [*own] if isinstance(own, dict) else []
            return [*names, *(name for value in document.values() for name in _properties(value))]
        case list():
            return [name for value in document for name in _properties(value)]
        case _:
            return []


def test_the_source_map_leads_from_settings_to_the_lines_that_won() -> None:
    made = json.loads((CORPUS / "expected/targets/targets.dev.json").read_text(encoding="utf-8"))
    places = made["source_map"]

    def line_of(task: str, setting: str) -> str:
        file, _, line = places[task][setting].rpartition(":")
        text = (CORPUS / "targets" / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        return f"{file}: {text.strip()}"

    assert (
        line_of("TARGETS$LOAD", "timeout")
        == "sfml.yaml: tasks: {load: {timeout: 10m}, elsewhere: {timeout: 1m}}"
    )
    assert (
        line_of("TARGETS$LOAD", "run_on.warehouse")
        == 'sfml.yaml: run_on: {warehouse: "{{ target.warehouse }}"}'
    )
    assert line_of("TARGETS$LOAD", "comment").startswith("specs/graph/job_config.yaml: load: {sql:")
    assert line_of("TARGETS$REPORT", "after").startswith("specs/targets.yaml: graph: {tasks: {score:")
    assert line_of("TARGETS$REPORT", "after[0]").startswith("specs/targets.yaml: graph: {tasks: {score:")
    assert line_of("TARGETS", "") == "specs/targets.yaml: pipeline: targets"
    assert line_of("TARGETS", "schedule") == "sfml.yaml: schedule: manual"
    assert line_of("TARGETS", "timeout") == "specs/graph/schedule_config.yaml: timeout: 6h"
    assert line_of("TARGETS", "config.rows") == 'specs/graph/job_config.yaml: rows: "{{ var.size * 1000 }}"'


@pytest.mark.parametrize(("path", "target"), PIPELINES)
def test_every_setting_of_a_task_is_in_the_source_map(path: Path, target: str) -> None:
    graph = read(path, target).graph
    assert graph is not None
    for node in graph.all_tasks:
        for setting in ("timeout", "when", "comment", "log_level", "execute_as_user", "run_if"):
            assert (getattr(node, setting) is None) or setting in node.spans, (node.name, setting)
        for setting in ("tags", "contacts", "session_parameters", "env_vars", "secrets"):
            for key in getattr(node, setting):
                assert f"{setting}.{key}" in node.spans, (node.name, setting, key)
