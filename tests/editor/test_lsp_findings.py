"""Findings as one types: of every target, from unsaved texts, at the right places, and gone when they are mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from editor_projects import GATE, PIPELINE, Start, project


def test_what_is_typed_is_found_and_gone_when_it_is_mended(shop: Path, start: Start) -> None:
    editor = start(shop)
    job, tests = shop / "specs" / "clv" / "job_config.yaml", shop / "specs" / "clv" / "tests.yaml"
    editor.open(job)
    editor.until(job)
    editor.edit(job, "outcomes: [promote_model", "outcomes: [promote_modle")
    [found] = editor.until(job, "SF304")
    assert found["range"] == {"start": {"line": 21, "character": 15}, "end": {"line": 21, "character": 28}}
    assert found["severity"] == 1
    assert "did you mean `promote_model`?" in found["message"]
    editor.until(tests, "SF702", "SF702", "SF702")  # not open, and read from disk
    editor.edit(job, "outcomes: [promote_modle", "outcomes: [promote_model")
    editor.until(job)
    editor.until(tests)
    assert (shop / "specs" / "clv" / "job_config.yaml").read_text() == editor.texts[job]


def test_a_finding_of_one_target_names_it(shop: Path, start: Start) -> None:
    editor = start(shop)
    entry = shop / "specs" / "clv.yaml"
    editor.open(entry)
    editor.until(entry)
    editor.edit(entry, "dev: {schedule: manual}", "dev: {schedule: {cron: 61 * * * *, timezone: UTC}}")
    [found] = editor.until(entry, "SF501")
    assert found["message"].endswith("in target dev")


def test_a_wrong_use_of_a_step_stands_on_its_decorator_too(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path / "one")
    gate = tmp_path / "one" / "steps" / "gate.py"
    editor = start(tmp_path / "one", {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}})
    editor.open(entry)
    editor.until(entry)
    editor.edit(entry, "value: 1.5", "valu: 1.5")
    [found] = editor.until(entry, "SF306")
    assert [one["location"]["uri"] for one in found["relatedInformation"]] == [gate.as_uri()]
    [mirrored] = editor.until(gate, "SF306")
    assert mirrored["range"] == {"start": {"line": 5, "character": 1}, "end": {"line": 5, "character": 5}}
    assert "used so by specs/small.yaml:9" in mirrored["message"]
    assert mirrored["relatedInformation"][0]["location"]["uri"] == entry.as_uri()


def test_unsaved_step_code_is_what_specs_are_checked_against(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path / "one")
    gate = tmp_path / "one" / "steps" / "gate.py"
    editor = start(tmp_path / "one")
    editor.open(entry)
    editor.open(gate, language="python")
    editor.until(entry)
    editor.edit(gate, "value: float", "amount: float")
    editor.until(entry, "SF306", "SF307")
    editor.edit(gate, "amount: float", "value: float")
    editor.until(entry)
    editor.edit(gate, "def check(", "def check((")
    editor.until(gate, "SF303")
    editor.close(gate)
    editor.until(entry)
    editor.until(gate)


def test_an_unsaved_statement_in_a_file_is_checked(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path / "one", PIPELINE.replace("{sql: select 1}", "{sql: {file: load.sql}}"))
    statement = entry.with_name("load.sql")
    statement.write_text("select 1")
    editor = start(tmp_path / "one")
    editor.open(entry)
    editor.open(statement, language="sql")
    editor.until(entry)
    editor.type(statement, "select 1; select 2")
    editor.until(entry, "SF324")


def test_broken_text_never_ends_the_server(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path / "one")
    editor = start(tmp_path / "one")
    editor.open(entry)
    editor.until(entry)
    for length in range(0, len(PIPELINE), 7):
        editor.type(entry, PIPELINE[:length])
    for text in (
        "\0",
        "a: &a [*a]",
        "{" * 500,
        "- - - -\n\t:",
        "\ud800",
        "{{ {{",
        "x: \ufeff",
        "%YAML 9\n---\n",
    ):
        editor.type(entry, text)
    editor.type(entry, PIPELINE + "  bad")
    editor.until(entry, "SF101")
    editor.type(entry, PIPELINE)
    editor.until(entry)


def test_columns_are_counted_in_utf_16_and_lines_end_as_they_like(tmp_path: Path, start: Start) -> None:
    text = PIPELINE.replace("load: {sql: select 1}", "load: {sql: \"select '😀é'\", after: [nothing]}")
    for index, ending in enumerate(("\n", "\r\n")):
        entry = project(tmp_path / str(index), text.replace("\n", ending))
        editor = start(tmp_path / str(index))
        editor.open(entry)
        [found] = editor.until(entry, "SF203")
        line = text.splitlines()[4]
        column = line.index("nothing")
        assert found["range"]["start"] == {"line": 4, "character": column + 1}, ending  # 😀 is two units
        assert found["range"]["end"] == {"line": 4, "character": column + 8}


def test_the_encoding_that_a_client_asks_for_is_used(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path, PIPELINE.replace("{sql: select 1}", '{sql: "😀", after: [nothing]}'))
    column = entry.read_text().splitlines()[4].index("nothing")
    for encoding, more in (("utf-32", 0), ("utf-8", 3)):
        editor = start(tmp_path, {"general": {"positionEncodings": [encoding]}})
        assert editor.capabilities["positionEncoding"] == encoding
        editor.open(entry)
        [found] = editor.until(entry, "SF203")
        assert found["range"]["start"]["character"] == column + more


def test_a_mark_at_the_beginning_moves_no_column(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path, "\ufeff" + PIPELINE.replace("version: 1", "version: 2", 1))
    editor = start(tmp_path)
    editor.open(entry)
    [found] = editor.until(entry, "SF113")
    assert found["range"]["start"] == {"line": 0, "character": len("\ufeffversion: ")}


def test_two_projects_and_files_of_none(tmp_path: Path, start: Start) -> None:
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    outside = tmp_path / "alone.yaml"
    outside.write_text(PIPELINE)
    other = tmp_path / "compose.yaml"
    other.write_text("services: {web: {image: nginx}}\n")
    editor = start(tmp_path)
    for path in (one, two, outside, other):
        editor.open(path)
    editor.until(one)
    editor.until(two)
    editor.until(outside, "SF120")
    editor.until(other)
    editor.edit(two, "after: [load]", "after: [lod]")
    editor.until(two, "SF203")
    editor.until(one)
    editor.save(two)
    editor.close(two)
    editor.until(two)  # nothing is left of a project without an open file
    (one.parents[1] / "steps" / "gate.py").write_text(GATE.replace("value", "the_amount"))
    editor.save(one)  # which has everything read, what was closed first
    editor.until(one, "SF306", "SF307")
    assert editor.codes(two) == []


def test_a_project_without_pipelines_tells_of_its_own_file(tmp_path: Path, start: Start) -> None:
    root = project(tmp_path).parent.parent
    (root / "specs" / "small.yaml").unlink()
    editor = start(root)
    editor.open(root / "sfml.yaml")
    editor.until(root / "sfml.yaml")
    editor.edit(root / "sfml.yaml", "steps: [steps]", "stepps: [steps]")
    editor.until(root / "sfml.yaml", "SF110")


def test_the_project_file_decides_for_all_of_its_pipelines(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path)
    other = entry.with_name("other.yaml")
    other.write_text(
        PIPELINE.replace("pipeline: small", "pipeline: other").replace("after: [load]", "after: [lod]")
    )
    editor = start(tmp_path)
    editor.open(tmp_path / "sfml.yaml")
    editor.until(other, "SF203")
    editor.edit(tmp_path / "sfml.yaml", "targets:\n", "targets:\n  local2: {kind: local, default: true}\n")
    editor.until(tmp_path / "sfml.yaml", "SF134")


def test_what_changes_on_disk_is_read_when_something_is_saved(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path)
    gate = tmp_path / "steps" / "gate.py"
    editor = start(tmp_path)
    editor.open(entry)
    editor.until(entry)
    gate.write_text(GATE.replace("value", "the_amount"))
    editor.save(entry)
    editor.until(entry, "SF306", "SF307")
    entry.with_name("new.yaml").write_text(PIPELINE.replace("after: [load]", "after: [lod]"))
    editor.save(entry)
    editor.until(entry.with_name("new.yaml"), "SF203", "SF306", "SF307")


def test_a_client_that_watches_files_is_asked_to(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path)
    editor = start(
        tmp_path, {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}, alone=True
    )
    editor.wait(lambda: bool(editor.requests))
    [asked] = editor.requests
    assert asked["params"]["registrations"][0]["method"] == "workspace/didChangeWatchedFiles"
    editor.open(entry)
    editor.until(entry)
    gate = tmp_path / "steps" / "gate.py"
    gate.write_text(GATE.replace("Context,", "Context"))
    editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": gate.as_uri(), "type": 2}]})
    editor.until(gate, "SF303")


def test_a_huge_file_is_refused_as_the_commands_refuse_it(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path)
    editor = start(tmp_path)
    editor.open(entry, PIPELINE + "# " + "x" * 1_100_000)
    editor.until(entry, "SF104")
    editor.type(entry, PIPELINE)
    editor.until(entry)


@pytest.mark.parametrize("noise", (b"Content-Length: 9\r\n\r\nnot json!", b"Content-Length: 2\r\n\r\n[]"))
def test_messages_that_mean_nothing_do_not_end_the_server(tmp_path: Path, start: Start, noise: bytes) -> None:
    entry = project(tmp_path)
    editor = start(tmp_path)
    editor.send_raw(noise)
    editor.notify("textDocument/didOpen", {"textDocument": {"uri": 3}})
    editor.notify(
        "textDocument/didChange", {"textDocument": {"uri": "untitled:x", "version": 1}, "contentChanges": []}
    )
    editor.ask("textDocument/unknown", {})
    editor.open(entry)
    editor.until(entry)


def test_policies_in_yaml_are_applied_and_those_in_python_do_not_run(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path, PIPELINE.replace("{sql: select 1}", "{sql: select 1, timeout: 50m}"))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "team.yaml").write_text(
        "version: 1\npolicies:\n  - code: ML104\n    title: no task runs for long\n"
        "    severity: warning\n    field: timeout\n    condition: {at_most: 40m}\n"
        '    message: "`{task}` may run for {value}"\n'
    )
    (tmp_path / "policies" / "code.py").write_text("raise SystemExit('policies ran in the editor')\n")
    settings = tmp_path / "sfml.yaml"
    settings.write_text(settings.read_text() + "policies: {python: true}\n")
    editor = start(tmp_path)
    editor.open(entry)
    [found] = editor.until(entry, "ML104")
    assert found["message"].startswith("`load` may run for")
    editor.edit(entry, "timeout: 50m", "timeout: 30m")
    editor.until(entry)
