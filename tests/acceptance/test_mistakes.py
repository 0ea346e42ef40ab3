"""A mistake on the command line is answered in the user's terms, with a way on; it is never taken for ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sfml.cli.entry import run

PROJECT = "version: 1\nsteps: [steps]\ntargets: {local: {kind: local, default: true}}\n"
SPEC = "version: 1\npipeline: pipeline\n"
SPEC += "graph: {tasks: {first: {sql: select 1, run_on: {warehouse: W}, timeout: 1h}}}\n"
COMMANDS = (
    *(
        "validate",
        "compile",
        "plan",
        "run",
        "status",
        "history",
        "logs",
        "test",
        "simulate",
        "suspend",
        "resume",
    ),
    *("cancel", "retry", "seed", "grants", "drift", "models list", "rollback", "destroy", "apply", "diff"),
)
FILES = (
    *(
        "nope.yaml",
        "folder.yaml",
        "nothing",
        "binary.yaml",
        "empty.yaml",
        "list.yaml",
        "broken.yaml",
        "loop.yaml",
    ),
    *("", "\n", "a\x00b", "x" * 5_000, "no*match", "~nobody/x.yaml", "-", "quoted'\"name", "text.json"),
    *("latin.json", "list.json", "/dev/null", "specs/p.yaml/below"),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in {
        "sfml.yaml": PROJECT.encode(),
        "specs/p.yaml": SPEC.encode(),
        "binary.yaml": b"\x00\x01\xff\xfe",
        "empty.yaml": b"",
        "list.yaml": b"[1, 2]",
        "text.json": b"garbage",
        "latin.json": b"\xff\xfe",
        "list.json": b"[]",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for folder in ("steps", "folder.yaml", "nothing"):
        (tmp_path / folder).mkdir()
    (tmp_path / "broken.yaml").symlink_to("nowhere")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SFML_TRACEBACK", raising=False)
    return tmp_path


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_spec(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for file in FILES:
        code = run([*command.split(), file])
        out, err = capsys.readouterr()
        told = f"{command} {file[:40]!r}: {code}\n{out}{err}"
        assert code in (1, 2), told
        assert "internal error" not in told and "Traceback" not in told
        assert "help: " in told or "→ " in told or "Try 'sfml" in told, told


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "command", ["history", "history --deployments", "suspend", "destroy --auto-approve", "plan", "logs"]
)
def test_a_pipeline_of_another_name(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Some work on pipelines whose spec is gone: what is not there may be misspelt."""
    run([*command.split(), "pipe_line"])
    assert "did you mean `pipeline`?" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        "compile specs/p.yaml --out sfml.yaml",
        "compile specs/p.yaml --out sfml.yaml/below",
        "compile specs/p.yaml --out /dev/null",
        "compile specs/p.yaml --out /proc/x",
        "init sfml.yaml/below",
        "explain nope.yaml:tasks",
        "diff --base nope",
        "doctor -t locl",
        "plan specs/p.yaml --out plan.txt",
    ],
)
def test_a_place_that_cannot_be_used(
    project: Path, arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(arguments.split())
    told = "".join(capsys.readouterr())
    assert code in (1, 2) and "internal error" not in told
    assert "help: " in told or "Try 'sfml" in told, told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "specs" / "p.yaml").chmod(0)
    assert run(["validate", "specs/p.yaml"]) == 1
    assert "cannot be read: Permission denied" in "".join(capsys.readouterr())


def test_a_place_that_cannot_be_used_is_json_where_json_is_wanted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compile", "specs/p.yaml", "--out", "/proc/x", "-o", "json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] == "`/proc/x` cannot be used: No such file or directory" and error["help"]


@pytest.mark.parametrize(
    "command", [("validate",), ("init",), ("status",), ("local", "status")], ids=" ".join
)
def test_a_folder_that_was_removed_below_the_command_is_told(
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(list(command)) == 1
    assert "error: the current folder does not exist any more" in capsys.readouterr().err


def test_a_target_of_another_name_is_told_with_its_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "-t", "locl"]) == 1
    told = capsys.readouterr().err
    assert "there is no target `locl`" in told and "did you mean `local`?" in told
