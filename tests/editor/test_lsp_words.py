"""Completion and hover: from schemas, steps and the project, also while the text is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from editor_projects import ROOT, Start
from language_client import LanguageClient

JOB = "specs/clv/job_config.yaml"


def labels(editor: LanguageClient, path: Path) -> list[str]:
    """What is proposed at `|` of the text that is typed."""
    return [one["label"] for one in proposed(editor, path)]


def proposed(editor: LanguageClient, path: Path) -> list[dict[str, Any]]:
    text = editor.texts[path]
    offset = text.index("¦")
    editor.type(path, text.replace("¦", ""))
    line = text.count("\n", 0, offset)
    where = {"line": line, "character": offset - text.rfind("\n", 0, offset) - 1}
    asked = {"textDocument": {"uri": path.as_uri()}, "position": where}
    items: list[dict[str, Any]] = editor.request("textDocument/completion", asked)["items"]
    return items


def words_at(editor: LanguageClient, path: Path, old: str, new: str) -> list[str]:
    """What is proposed after the text was changed as told, and the text as it was afterwards."""
    before = editor.texts[path]
    assert before.count(old) == 1, old
    editor.type(path, before.replace(old, new))
    found = labels(editor, path)
    editor.type(path, before)
    return found


@pytest.fixture
def editor(shop: Path, start: Start) -> LanguageClient:
    client = start(shop)
    client.open(shop / JOB)
    client.open(shop / "specs" / "clv.yaml")
    client.open(shop / "specs" / "clv" / "tests.yaml")
    client.until(shop / JOB)
    return client


@pytest.mark.parametrize(
    ("old", "new", "some", "none"),
    (
        ("    timeout: 4h", "    ti¦", ["timeout", "tags"], ["step", "after"]),
        ("    timeout: 4h", "    ¦", ["timeout", "when", "comment"], ["after", "with"]),
        ("run_on: {pool:", "run_on: {¦pool:", ["pool", "instances", "serverless", "warehouse"], []),
        (
            "step: clv.train.train_model",
            "step: clv.¦",
            ["clv.train.train_model", "clv.gate.check_model_quality"],
            [],
        ),
        (
            "with: {source: CDNOW_TRANSACTIONS,",
            "with: {source: CDNOW_TRANSACTIONS, ¦",
            ["target_weeks"],
            ["source", "ctx"],
        ),
        (
            "after: [train_model]",
            "after: [tr¦",
            ["train_model", "prepare_data"],
            ["check_model_quality", "cleanup"],
        ),
        (
            "outcomes: [promote_model, send_alert]",
            "outcomes: [¦",
            ["promote_model", "send_alert", "score_customers"],
            [],
        ),
        (
            "outcomes: [promote_model, send_alert]",
            "outcomes: {¦",
            ["promote_model", "send_alert"],
            ["train_model"],
        ),
        (
            'features: "${prepare_data.features}"}\n    run_on',
            'features: "${¦',
            ["prepare_data", "config", "run"],
            [],
        ),
        (
            'features: "${prepare_data.features}"}\n    run_on',
            'features: "${prepare_data.¦',
            ["features"],
            [],
        ),
        ('at_least: "${config.threshold}"', 'at_least: "${config.¦', ["threshold", "model_name"], []),
        ('at_least: "${config.threshold}"', 'at_least: "${run.¦', ["id", "scheduled_at"], []),
        ('threshold: "{{ var.threshold }}"', 'threshold: "{{ ¦', ["var", "target", "git"], []),
        ('threshold: "{{ var.threshold }}"', 'threshold: "{{ var.¦', ["threshold"], []),
        (
            'threshold: "{{ var.threshold }}"',
            'threshold: "{{ target.¦',
            ["compute_pool", "warehouse", "name"],
            [],
        ),
        (
            'pool: "{{ target.compute_pool }}"',
            "pool: ¦",
            ["ML_POOL", "ML_DEV_POOL", '"{{ target.compute_pool }}"'],
            [],
        ),
        ("overridable: []", "overridable: [¦]", ["threshold", "model_name"], []),
        ("type: email,", "type: ¦,", ["email", "webhook"], []),
        ("overridable: []", "overridable: []\n¦", ["query_tag", "moved", "include"], ["tasks", "config"]),
    ),
)
def test_what_fits_is_proposed(
    editor: LanguageClient, shop: Path, old: str, new: str, some: list[str], none: list[str]
) -> None:
    found = words_at(editor, shop / JOB, old, new)
    assert set(some) <= set(found), found
    assert not set(none) & set(found), found


def test_entry_files_and_tests(editor: LanguageClient, shop: Path) -> None:
    entry, tests = shop / "specs" / "clv.yaml", shop / "specs" / "clv" / "tests.yaml"
    for old, new, some in (
        ("graph: clv/job_config.yaml", "graph: ¦", ["clv/job_config.yaml"]),
        ("  dev: {schedule: manual}", "  ¦", ["dev", "local"]),
        ("  dev: {schedule: manual}", "  dev: {variables: {¦", ["threshold"]),
        ("  dev: {schedule: manual}", "  dev: {config: {¦", ["model_name"]),
        ("  dev: {schedule: manual}", "  dev: {tasks: {¦", ["train_model", "score_customers"]),
        ("        train_model:\n", "        ¦\n", ["train_model", "check_model_quality"]),
        ("      finalizer:\n        cleanup:", "      finalizer:\n        ¦", ["cleanup"]),
    ):
        assert set(some) <= set(words_at(editor, entry, old, new)), new
    first = editor.texts[tests].split("\n    given:")[0]
    editor.type(tests, f"{first}\n    given: {{check_model_quality: ¦}}\n")
    assert {"promote_model", "send_alert", "fails"} <= set(labels(editor, tests))
    editor.type(tests, f"{first}\n    given: {{¦}}\n")
    assert "check_model_quality" in labels(editor, tests)
    editor.type(tests, f"{first}\n    skipped: [¦]\n")
    assert {"promote_model", "cleanup"} <= set(labels(editor, tests))
    editor.type(tests, f"{first}\n    targets: [¦]\n")
    assert labels(editor, tests) == ["dev", "local", "prod"]


def test_a_file_that_nothing_reads_yet_is_completed_by_its_schema(shop: Path, start: Start) -> None:
    editor = start(shop)
    new = shop / "specs" / "new.yaml"
    editor.open(new, "version: 1\npipeline: new\n¦")
    assert {"graph", "schedule", "targets"} <= set(labels(editor, new))
    editor.type(new, "version: 1\npipeline: new\ngraph:\n  tasks:\n    a: {sql: x}\n    b:\n      after: [¦")
    assert "a" in labels(editor, new)
    project = shop / "sfml.yaml"
    editor.open(project)
    editor.edit(project, "version: 1\n", "version: 1\n¦\n")
    assert {"variables", "env", "ignore"} <= set(labels(editor, project))


def test_a_proposal_replaces_the_word_and_says_what_it_is(editor: LanguageClient, shop: Path) -> None:
    path = shop / JOB
    editor.edit(path, "    timeout: 4h", "    time¦out_: 4h")
    [found] = [one for one in proposed(editor, path) if one["label"] == "timeout"]
    line = editor.texts[path][: editor.texts[path].index("timeout_")].count("\n")
    assert found["textEdit"] == {
        "newText": "timeout: ",
        "range": {"start": {"line": line, "character": 4}, "end": {"line": line, "character": 12}},
    }
    schema = json.loads((ROOT / "schemas" / "job_config.schema.json").read_text())
    assert schema["$defs"]["task_settings"]["properties"]["timeout"]["description"] in found["documentation"]


def told(editor: LanguageClient, path: Path, place: str) -> str:
    found = editor.request("textDocument/hover", editor.at(path, place))
    return str(found["contents"]["value"]) if found else ""


def test_hover_tells_docstrings_types_and_values_with_their_origin(
    editor: LanguageClient, shop: Path
) -> None:
    job, entry = shop / JOB, shop / "specs" / "clv.yaml"
    gate = told(editor, job, "step: clv.gate.check|_model_quality")
    assert "def check_model_quality(ctx, metrics" in gate and "at_least: float" in gate
    assert "Promote when" in gate and "Returns `promote_model` or `send_alert`." in gate
    timeout = told(editor, job, "timeout: |4h")
    assert "tasks.train_model.timeout = 4h" in timeout
    assert "specs/clv/job_config.yaml:17" in timeout
    assert "sfml.yaml:6" in timeout
    assert "in prod" not in timeout
    config = told(editor, job, 'at_least: "${config.thresh|old}"')
    assert "- prod: `0.45`" in config and "- local: `0.4`" in config
    variable = told(editor, job, '"{{ var.thresh|old }}"')
    assert "`var.threshold`" in variable and "0.45" in variable
    assert "ML_POOL" in told(editor, job, 'pool: "{{ target.compute|_pool }}"')
    assert "str" in told(editor, job, "calibration|_end:")
    assert told(editor, job, "  train|_model:").startswith("```python")
    assert "Keys of `config`" in told(editor, job, "over|ridable:")
    assert "What differs by target" in told(editor, entry, "tar|gets:")
    step = shop / "steps" / "clv" / "gate.py"
    editor.open(step, language="python")
    assert "check_model_quality" in told(editor, step, "def check|_model_quality(")


def test_hover_goes_on_while_the_text_is_broken(editor: LanguageClient, shop: Path) -> None:
    job = shop / JOB
    editor.edit(job, "overridable: []", "overridable: [")
    assert told(editor, job, "timeout: |4h") is not None
    assert told(editor, job, "over|ridable") is not None
