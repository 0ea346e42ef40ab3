"""Whatever validation accepts can be compiled: the corpus, with pieces of it exchanged for others."""

from __future__ import annotations

import copy
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from property_settings import examples

from sfml.base.resources import schema
from sfml.frontend.entry_files import entry_files
from sfml.frontend.reading import read
from sfml.lower.job_folders import job_files
from sfml.lower.lower import lower
from sfml.lower.manifest import manifest
from sfml.lower.sql import tasks_sql
from sfml.spec.compose import compose
from sfml.spec.nodes import plain

TESTS = Path(__file__).parents[1]
CORPUS = TESTS / "corpus" / "v1"
sys.path.append(str(TESTS / "unit" / "lower"))
from sql_statements import statements  # noqa: E402


def document_of(path: Path) -> Any:
    """The file as YAML 1.2 reads it."""
    node, findings = compose(path.read_text(encoding="utf-8"), path.name)
    assert node is not None and not findings
    return plain(node)


ENTRIES = [
    path
    for project in sorted(path.parent for path in CORPUS.glob("*/sfml.yaml"))
    for path in entry_files((str(project),))
]
DOCUMENTS: dict[Path, Any] = {path: document_of(path) for path in ENTRIES}
VALIDATOR = Draft202012Validator(schema("output/manifest.schema.json"))

Place = tuple[str | int, ...]


def places(document: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    entries = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        entries = enumerate(document)
    for key, value in entries:
        yield from places(value, (*at, key))


def value_at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


PIECES: dict[str | int, list[Any]] = {}
for _document in DOCUMENTS.values():
    for _place in places(_document):
        if _place:
            PIECES.setdefault(_place[-1], []).append(value_at(_document, _place))
ODD = [
    *(
        "",
        "x",
        "it's; drop",
        "${config.model}",
        "${fit.metrics.r2}",
        "${run.id}",
        "a.b.c",
        '"q q"',
        "1 = 1",
        "2h",
    ),
    *(0, 1, -1, 0.5, True, [], {}, ["a"], {"a": 1}, {"$config": "${run.id}"}, None),
]


@st.composite
def specs(draw: st.DrawFn) -> tuple[Path, Any]:
    path = draw(st.sampled_from(ENTRIES))
    document = copy.deepcopy(DOCUMENTS[path])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([place for place in places(document) if len(place) > 1]))
        parent, key = value_at(document, place[:-1]), place[-1]
        pieces = [*PIECES.get(key, []), *ODD]
        new = copy.deepcopy(draw(st.sampled_from(pieces)))
        if isinstance(parent, dict) and draw(st.booleans()):
            key = draw(st.sampled_from(sorted(map(str, {*PIECES} - {*parent}))))
            new = copy.deepcopy(draw(st.sampled_from(PIECES.get(key, ODD))))
        parent[key] = new
    return path, document


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "v1"
    shutil.copytree(CORPUS, folder, ignore=shutil.ignore_patterns("expected"))
    return folder


def compile_if_accepted(projects: Path, path: Path, document: Any) -> bool:
    """Whether it was accepted; then every output is made of it, and read back."""
    file = projects / path.relative_to(CORPUS)
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    reading = read(file, user="ada", target="local")
    if reading.graph is None:
        assert reading.diagnostics
        return False
    desired = lower(reading.graph, reading.catalog.closure, "0", job_files=job_files(reading.root))
    assert [error.message for error in VALIDATOR.iter_errors(manifest(desired))] == []
    statements(tasks_sql(desired))
    return True


@examples(
    40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(spec=specs())
def test_what_is_accepted_compiles(projects: Path, spec: tuple[Path, Any]) -> None:
    compile_if_accepted(projects, *spec)
