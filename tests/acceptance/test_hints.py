"""What a help line proposes, done, is right: the mistake is gone and no other has taken its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sfml.cli.entry import run

PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true, compute_pool: POOL}
"""
STEPS = """from typing import TypedDict

from sfml_steps import Context, step


class Answer(TypedDict):
    v: int


@step
def ok(ctx: Context, v: int) -> Answer:
    return {"v": v}


@step
def alone(ctx: Context) -> None: ...


@step
def forgotten(v: int) -> None: ...
"""
HEAD = "version: 1\npipeline: p\ngraph:\n  version: 1\n  config: {k: 1}\n  tasks:\n"
TAIL = "schedule: {version: 1, schedule: %s}\n"
MANUAL = TAIL % "manual"


def tasks(*lines: str) -> str:
    return HEAD + "".join(f"    {line}\n" for line in lines)


MISTAKES = {
    "a setting of the target by another name": (
        tasks(
            "a: {job: {folder: job, entrypoint: main.py}, run_on: {pool: '{{ target.pool }}'}, timeout: 1h}"
        ),
        MANUAL,
        "did you mean `compute_pool`?",
        [("target.pool", "target.compute_pool")],
    ),
    "a misspelt setting of the target": (
        tasks(
            "a: {job: {folder: job, entrypoint: main.py}, run_on: {pool: '{{ target.comput_pol }}'}, timeout: 1h}"
        ),
        MANUAL,
        "did you mean `compute_pool`?",
        [("target.comput_pol", "target.compute_pool")],
    ),
    "a cycle of which one edge carries a result": (
        tasks(
            "a: {step: s.ok, after: [b], with: {v: '${b.v}'}}",
            "b: {step: s.ok, after: [a], with: {v: 1}}",
        ),
        MANUAL,
        "take out the edge that is not meant, such as `a` out of `after` of `b`",
        [("b: {step: s.ok, after: [a],", "b: {step: s.ok,")],
    ),
    "a cycle of which every edge carries a result": (
        tasks(
            "a: {step: s.ok, after: [b], with: {v: '${b.v}'}}",
            "b: {step: s.ok, after: [a], with: {v: '${a.v}'}}",
        ),
        MANUAL,
        "and what `b` reads of it|and what `a` reads of it",
        [("b: {step: s.ok, after: [a], with: {v: '${a.v}'}}", "b: {step: s.ok, with: {v: 1}}")],
    ),
    "a forgotten context": (
        tasks("a: {step: s.forgotten, with: {v: 1}}"),
        MANUAL,
        "write `ctx: Context` before `v`",
        [("steps/s.py", "def forgotten(v: int)", "def forgotten(ctx: Context, v: int)")],
    ),
    "a condition on a result": (
        tasks(
            "a: {step: s.ok, with: {v: 1}}",
            "b: {step: s.alone, after: [a], when: '${a.v} = 1'}",
        ),
        MANUAL,
        r"ask for the whole result, `SYSTEM\$GET_PREDECESSOR_RETURN_VALUE\('P\$A'\)`",
        [("when: '${a.v} = 1'", "when: \"SYSTEM$GET_PREDECESSOR_RETURN_VALUE('P$A') = '1'\"")],
    ),
    "a statement on a result": (
        tasks("a: {step: s.ok, with: {v: 1}}", "b: {sql: 'select ${a.v}', after: [a]}"),
        MANUAL,
        r"read it in SQL: `SYSTEM\$GET_PREDECESSOR_RETURN_VALUE\('P\$A'\)`",
        [("'select ${a.v}'", "\"select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('P$A')\"")],
    ),
    "a statement on the config": (
        tasks("a: {sql: 'select ${config.k}'}"),
        MANUAL,
        r"read it in SQL: `SYSTEM\$GET_TASK_GRAPH_CONFIG\('k'\)`",
        [("'select ${config.k}'", "\"select SYSTEM$GET_TASK_GRAPH_CONFIG('k')\"")],
    ),
    "a misspelt day": (
        tasks("a: {sql: select 1}"),
        TAIL % "{cron: '0 3 * * MONN', timezone: UTC}",
        "did you mean `MON`?",
        [("MONN", "MON")],
    ),
    "a misspelt month in a range": (
        tasks("a: {sql: select 1}"),
        TAIL % "{cron: '0 3 1 jan-aprl *', timezone: UTC}",
        "did you mean `APR`?",
        [("aprl", "APR")],
    ),
    "an hour too many": (
        tasks("a: {sql: select 1}"),
        TAIL % "{cron: '0 24 * * 1', timezone: UTC}",
        re.escape("write `*` or 0 to 23"),
        [("24", "23")],
    ),
    "an entrypoint that counts from the project": (
        tasks("a: {job: {folder: job, entrypoint: job/main.py}, run_on: {pool: POOL}, timeout: 1h}"),
        MANUAL,
        "paths count from the job's folder: write `main.py`",
        [("job/main.py", "main.py")],
    ),
    "a misspelt entrypoint": (
        tasks("a: {job: {folder: job, entrypoint: mian.py}, run_on: {pool: POOL}, timeout: 1h}"),
        MANUAL,
        "did you mean `main.py`?",
        [("mian.py", "main.py")],
    ),
    "a misspelt folder": (
        tasks("a: {job: {folder: jop, entrypoint: main.py}, run_on: {pool: POOL}, timeout: 1h}"),
        MANUAL,
        "did you mean `job`?",
        [("folder: jop", "folder: job")],
    ),
}


@pytest.mark.parametrize(("body", "schedule", "help", "changes"), MISTAKES.values(), ids=MISTAKES)
def test_what_help_proposes_is_right(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: str,
    schedule: str,
    help: str,
    changes: list[tuple[str, ...]],
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "sfml.yaml": PROJECT,
        "p.yaml": body + schedule,
        "steps/s.py": STEPS,
        "job/main.py": "print(1)\n",
        "other/x.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = findings(capsys)
    assert any(re.search(help, one["help"] or "") for one in before), [one["help"] for one in before]
    for *file, old, new in changes:
        path = tmp_path / (file[0] if file else "p.yaml")
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    assert findings(capsys) == []


def findings(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """Errors, and warnings that a mistake brought in: what a good project has besides is none."""
    run(["validate", "-o", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [one for one in found if one["code"] not in ("SF601", "SF602")]
