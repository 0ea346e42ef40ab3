"""Definitions, references and renames: a name in every file that it stands in, and in no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from editor_projects import ROOT, Start
from language_client import LanguageClient

from sfml.frontend.reading import read_targets


def places(found: Any) -> list[tuple[str, int]]:
    """Locations as (name of the file, line from 1)."""
    return sorted((one["uri"].rpartition("/")[2], one["range"]["start"]["line"] + 1) for one in found or ())


def definition(editor: LanguageClient, path: Path, place: str) -> list[tuple[str, int]]:
    return places(editor.request("textDocument/definition", editor.at(path, place)))


def opened(start: Start, shop: Path) -> tuple[LanguageClient, Path, Path]:
    editor = start(shop)
    job, entry = shop / "specs" / "clv" / "job_config.yaml", shop / "specs" / "clv.yaml"
    editor.open(job)
    editor.open(entry)
    return editor, job, entry


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(index for index, line in enumerate(lines, start=1) if text in line)


def test_definitions_lead_from_names_to_where_they_are_made(shop: Path, start: Start) -> None:
    editor, job, entry = opened(start, shop)
    features = shop / "steps" / "clv" / "features.py"
    gate = shop / "steps" / "clv" / "gate.py"
    registry = ROOT / "steps" / "sfml_steps" / "registry.py"
    for place, file, text in (
        ("after: [prepare|_data]", job, "  prepare_data:"),
        ('"${prepare|_data.features}"}\n    run_on', job, "  prepare_data:"),
        ("  prepare|_data:", features, "def prepare_data("),
        ("step: clv.features.prepare|_data", features, "def prepare_data("),
        ("calibration|_end:", features, "calibration_end: str,"),
        ("outcomes: [promote|_model", job, "  promote_model:"),
        ("step: sfml_steps.registry.promote|_model", registry, "def promote_model("),
        ('at_least: "${config.thresh|old}', job, '  threshold: "{{'),
        ('"{{ var.thresh|old }}"', entry, "  threshold: 0.4"),
        ("train_model.met|rics}", shop / "steps" / "clv" / "train.py", "def train_model("),
    ):
        assert (file.name, line_of(file, text)) in definition(editor, job, place), place
    assert definition(editor, entry, "graph: clv/job|_config.yaml") == [("job_config.yaml", 1)]
    assert definition(editor, entry, "prod:\n    variables: {thresh|old: 0.45}") == [
        ("clv.yaml", line_of(entry, "  threshold: 0.4"))
    ]
    assert ("sfml.yaml", line_of(shop / "sfml.yaml", "  prod:")) in definition(editor, entry, "  pr|od:")
    tests = shop / "specs" / "clv" / "tests.yaml"
    editor.open(tests)
    text = editor.texts[tests]
    first = text.index("check_model_quality: ") + len("check_model_quality: ")
    line = text.count("\n", 0, first)
    column = first - text.rfind("\n", 0, first)
    where = {"textDocument": {"uri": tests.as_uri()}, "position": {"line": line, "character": column}}
    assert {name for name, _ in places(editor.request("textDocument/definition", where))} == {gate.name}


def test_a_value_leads_to_where_it_is_set(shop: Path, start: Start) -> None:
    editor, job, _ = opened(start, shop)
    found = definition(editor, job, "timeout: |4h")
    assert found == [
        ("job_config.yaml", line_of(job, "timeout: 4h")),
        ("sfml.yaml", line_of(shop / "sfml.yaml", "timeout: 1h")),
    ]


def test_references_are_found_in_every_file(shop: Path, start: Start) -> None:
    editor, job, entry = opened(start, shop)
    asked = {**editor.at(job, "  train|_model:"), "context": {"includeDeclaration": True}}
    found = places(editor.request("textDocument/references", asked))
    assert {name for name, _ in found} == {"job_config.yaml", "clv.yaml", "tests.yaml"}
    assert ("clv.yaml", line_of(entry, "train_model:")) in found
    asked["context"] = {"includeDeclaration": False}
    without = places(editor.request("textDocument/references", asked))
    assert set(found) - set(without) == {("job_config.yaml", line_of(job, "  train_model:"))}
    gate = shop / "steps" / "clv" / "gate.py"
    editor.open(gate, language="python")
    asked = {**editor.at(gate, "def check|_model_quality("), "context": {"includeDeclaration": True}}
    assert places(editor.request("textDocument/references", asked)) == [
        ("job_config.yaml", line_of(job, "clv.gate.check_model_quality"))
    ]


def applied(editor: LanguageClient, edit: Any) -> None:
    """Make the edits of a rename in the files on disk."""
    assert set(edit) == {"changes"}
    for uri, edits in edit["changes"].items():
        path = Path(uri.removeprefix("file://"))
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        starts = [sum(map(len, lines[:index])) for index in range(len(lines) + 1)]
        text = "".join(lines)
        for one in sorted(
            edits,
            key=lambda one: (one["range"]["start"]["line"], one["range"]["start"]["character"]),
            reverse=True,
        ):
            begin, end = one["range"]["start"], one["range"]["end"]
            text = (
                text[: starts[begin["line"]] + begin["character"]]
                + one["newText"]
                + text[starts[end["line"]] + end["character"] :]
            )
        path.write_text(text, encoding="utf-8")


def clean(entry: Path) -> bool:
    return not any(reading.diagnostics for reading in read_targets(entry))


@pytest.mark.parametrize(
    ("place", "new"),
    (
        ("  prepare|_data:", "load"),
        ("after: [train|_model]", "fit"),
        ("  promote|_model:", "release"),
        ("outcomes: [promote_model, send|_alert]", "tell"),
        ("  clean|up:", "sweep"),
        ("  model|_name: CLV", "registered_name"),
        ('at_least: "${config.thresh|old}', "limit"),
        ('"{{ var.thresh|old }}"', "limit"),
    ),
)
def test_a_rename_leaves_a_project_without_findings(shop: Path, start: Start, place: str, new: str) -> None:
    editor, job, entry = opened(start, shop)
    assert clean(entry)
    old = editor.request("textDocument/prepareRename", editor.at(job, place))["placeholder"]
    edit = editor.request("textDocument/rename", {**editor.at(job, place), "newName": new})
    before = {path: path.read_text() for path in shop.rglob("*.yaml")}
    applied(editor, edit)
    assert clean(entry)
    after = {path: path.read_text() for path in shop.rglob("*.yaml")}
    assert before != after
    if old not in (
        "promote_model",
        "send_alert",
        "threshold",
        "model_name",
    ):  # which are names of other things, too
        assert not [path for path, text in after.items() if f"{old}:" in text or f"${{{old}" in text]
    assert {reading.loaded.spec is not None for reading in read_targets(entry)} == {True}


MADE = """version: 1
pipeline: made
variables: {region: north}
graph:
  config: {limit: 3}
  include: {tasks: shared.yaml, with: {model: A}, prefix: a_}
  tasks:
    load: {sql: "call system$set_return_value('x')"}
    train:
      for_each: {segment: [retail, wholesale]}
      sql: "select '{{ each.segment }}', '{{ var.region }}'"
      after: [load]
    check:
      sql: "call system$set_return_value('good')"
      after: [train_retail, train]
      outcomes:
        - good
        - bad
    good: {sql: select 1}
    bad: {sql: "select 'MADE$LOAD', 'it''s'", after: [a_score]}
    last:
      sql: select 3
      after: [load]
      when: SYSTEM$GET_PREDECESSOR_RETURN_VALUE('MADE$LOAD') = 'x'
    tell: {notify: {integration: I, message: "${load} of ${config.limit} in {{ var.region }}"}, after: [load]}
targets:
  local: {tasks: {train_retail: {timeout: 5m}, a_score: {timeout: 7m}}, config: {limit: 4}}
tests:
  one: {given: {check: good}, succeeded: [good, train_retail], skipped: [bad]}
"""
SHARED = """version: 1
parameters: {model: {type: string}}
tasks:
  prepare: {sql: "select '{{ param.model }}'"}
  score: {sql: select 2, after: [prepare]}
"""


def made(folder: Path) -> tuple[Path, Path]:
    (folder / "sfml.yaml").write_text("version: 1\ntargets:\n  local: {kind: local, default: true}\n")
    (folder / "made.yaml").write_text(MADE)
    (folder / "shared.yaml").write_text(SHARED)
    return folder / "made.yaml", folder / "shared.yaml"


def shape(entry: Path) -> list[str]:
    [reading] = read_targets(entry)
    assert not [one for one in reading.diagnostics if one.is_error], reading.diagnostics
    assert reading.graph is not None
    return [task.name for task in reading.graph.all_tasks]


@pytest.mark.parametrize(
    ("file", "place", "new", "texts"),
    (
        (
            0,
            "    train|:",
            "fit",
            ["    fit:", "[fit_retail, fit]", "{fit_retail: {timeout", "[good, fit_retail]"],
        ),
        (0, "[train|_retail, train]", "fit_retail", ["    fit:", "[fit_retail, fit]"]),
        (
            0,
            "    lo|ad: {sql",
            "get",
            ["    get:", "'MADE$GET', 'it''s'", "('MADE$GET')", '"${get} of', "[get]"],
        ),
        (0, "'MADE$LO|AD') =", "get", ["    get:", "('MADE$GET')"]),
        (1, "  sco|re:", "rate", ["[a_rate]", "a_rate: {timeout"]),
        (0, "after: [a_sco|re]", "a_rate", ["[a_rate]", "a_rate: {timeout"]),
        (1, "after: [pre|pare]", "ready", []),
        (
            0,
            "    go|od: {sql",
            "fine",
            ["good: fine\n        bad: bad", "    fine: {sql", "[fine, train_retail]", "check: good}"],
        ),
        (0, "{li|mit: 3}", "most", ["{most: 3}", "${config.most}", "config: {most: 4}"]),
        (0, "{reg|ion: north}", "area", ["{area: north}", "{{ var.area }}'", '{{ var.area }}"']),
        (1, "{mo|del: {type", "kind", ["with: {kind: A}"]),
        (0, "with: {mo|del: A}", "kind", ["with: {kind: A}"]),
    ),
)
def test_a_rename_finds_members_prefixes_conditions_and_messages(
    tmp_path: Path, start: Start, file: int, place: str, new: str, texts: list[str]
) -> None:
    entry, shared = made(tmp_path)
    shape(entry)
    editor = start(tmp_path)
    path = (entry, shared)[file]
    editor.open(path)
    edit = editor.request("textDocument/rename", {**editor.at(path, place), "newName": new})
    applied(editor, edit)
    shape(entry)
    text = entry.read_text()
    for one in texts:
        assert one in text, (one, text)


def test_a_rename_that_would_break_something_is_refused_with_the_reason(tmp_path: Path, start: Start) -> None:
    entry, _ = made(tmp_path)
    editor = start(tmp_path)
    editor.open(entry)
    for new, reason in (("last", "`last`"), ("two words", "not a name"), ("", "not a name")):
        asked = editor.ask("textDocument/rename", {**editor.at(entry, "    lo|ad: {sql"), "newName": new})
        error = editor.reply(asked)["error"]
        assert reason in error["message"], (new, error)
    assert editor.request("textDocument/rename", {**editor.at(entry, "sel|ect 3"), "newName": "x"}) is None


def test_a_variable_of_the_project_is_renamed_in_every_pipeline(tmp_path: Path, start: Start) -> None:
    (tmp_path / "sfml.yaml").write_text(
        "version: 1\nvariables: {region: north}\ntargets:\n  local: {kind: local, variables: {region: east}}\n"
    )
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(
            f"version: 1\npipeline: {name}\ngraph: {{tasks: {{a: {{sql: \"select '{{{{ var.region }}}}'\"}}}}}}\n"
        )
    own = tmp_path / "own.yaml"
    own.write_text(
        "version: 1\npipeline: own\nvariables: {other: 1}\n"
        "graph: {tasks: {a: {sql: select 1, comment: '{{ var.other }}'}}}\n"
    )
    editor = start(tmp_path)
    editor.open(tmp_path / "two.yaml")
    edit = editor.request(
        "textDocument/rename", {**editor.at(tmp_path / "two.yaml", "var.reg|ion"), "newName": "area"}
    )
    assert {Path(uri).name: len(edits) for uri, edits in edit["changes"].items()} == {
        "sfml.yaml": 2,
        "one.yaml": 1,
        "two.yaml": 1,
    }
