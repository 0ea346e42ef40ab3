"""What a help line proposes, done, is right: the mistake is gone and no other has taken its place."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import sfml
from sfml.cli.entry import COMMANDS, run

PACKAGE = Path(sfml.__file__).parent
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
WATCHING = """version: 1
pipeline: w
graph: {version: 1, tasks: {look: {step: sfml_steps.alerting.watch.watch_pipelines}}}
schedule: {version: 1, schedule: {every: 10m}, timeout: 1h}
"""
POLICIES = """version: 1
policies:
  - code: TEAM1
    title: somebody answers for a pipeline
    why: whoever finds it broken has to know whom to ask
    help: add a contact
    about: pipeline
    severity: {production: error}
    field: contacts.SUPPORT
    condition: {set: true}
    message: nobody answers for it
"""
POLICIES_HELP = "add `policies: {}` to sfml.yaml, or `policies: {preset: standard}`"


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
    "a condition that reads nothing": (
        tasks("a: {sql: select 1}", "b: {sql: select 1, when: '1 = 0'}"),
        MANUAL,
        "take out the task: `enabled: false`",
        [("when: '1 = 0'", "enabled: false")],
    ),
    "a wait for a task that is never skipped": (
        tasks("a: {sql: select 1}", "b: {sql: select 1, after: [a], run_if: all_skipped}"),
        MANUAL,
        "write `run_if: none_failed`",
        [("all_skipped", "none_failed")],
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
    "a job on no pool": (
        tasks("a: {job: {folder: job, entrypoint: main.py}, run_on: {warehouse: W}}"),
        MANUAL,
        '}}"}`, and `timeout: 4h`, to the task and to the schedule config',
        [
            ("{warehouse: W}", "{pool: '{{ target.compute_pool }}'}, timeout: 4h"),
            ("schedule: manual", "schedule: manual, timeout: 4h"),
        ],
    ),
    "a job without a timeout": (
        tasks("a: {job: {folder: job, entrypoint: main.py}, run_on: {pool: POOL}}"),
        MANUAL,
        "add `timeout: 4h`, to the task and to the schedule config",
        [
            ("{pool: POOL}", "{pool: POOL}, timeout: 4h"),
            ("schedule: manual", "schedule: manual, timeout: 4h"),
        ],
    ),
    "a job without a timeout in a long graph": (
        tasks("a: {job: {folder: job, entrypoint: main.py}, run_on: {pool: POOL}}"),
        TAIL % "manual, timeout: 1d",
        "add `timeout: 4h`$",
        [("{pool: POOL}", "{pool: POOL}, timeout: 4h")],
    ),
    "a task that outlives its graph": (
        tasks("a: {sql: select 1, timeout: 4h}"),
        MANUAL,
        "set `timeout: 4h` or more in the schedule config",
        [("schedule: manual", "schedule: manual, timeout: 4h")],
    ),
    "a statement on a pool": (
        tasks("a: {sql: select 1, run_on: {pool: POOL}, timeout: 1h}"),
        MANUAL,
        "run it on a warehouse: `run_on: {warehouse: …}`",
        [("{pool: POOL}", "{warehouse: W}")],
    ),
    "a join of arms that exclude each other": (
        tasks(
            "g: {call: G, outcomes: {x: [a], y: [b]}}",
            "a: {sql: select 1}",
            "b: {sql: select 1}",
            "j: {sql: select 1, after: [a, b]}",
        ),
        MANUAL,
        "add `run_if: none_failed_min_one_succeeded`",
        [("after: [a, b]", "after: [a, b], run_if: none_failed_min_one_succeeded")],
    ),
    "a triggered graph without a target": (
        tasks("a: {sql: select 1}"),
        TAIL % "{on_stream: [S]}, run_on: {serverless: {}}",
        "add `target_completion: 10m`",
        [
            ("serverless: {}", "serverless: {target_completion: 10m}"),
            ("sql: select 1", "sql: insert into t select * from s"),
        ],
    ),
    "a config key that is not there": (
        tasks("a: {step: s.ok, with: {v: '${config.zeal}'}}"),
        MANUAL,
        "add it: `config: {zeal: …}`",
        [("{k: 1}", "{k: 1, zeal: 2}")],
    ),
    "a subject for a webhook": (
        tasks("a: {notify: {integration: N, type: webhook, message: x, email: [a@b.org]}}"),
        MANUAL,
        "take them out, or write `type: email`",
        [("type: webhook", "type: email")],
    ),
    "HTML for a queue": (
        tasks("a: {notify: {integration: N, type: queue, format: html, message: x}}"),
        MANUAL,
        "write `format: text` or `format: json`",
        [("format: html", "format: text")],
    ),
    "JSON in an email": (
        tasks("a: {notify: {integration: N, type: email, format: json, message: {x: 1}}}"),
        MANUAL,
        "write `format: text` or `format: html`",
        [("format: json, message: {x: 1}", "format: text, message: x")],
    ),
    "a mapping as a text": (
        tasks("a: {notify: {integration: N, type: queue, message: {x: 1}}}"),
        MANUAL,
        "write it as a text, or add `format: json`",
        [("message:", "format: json, message:")],
    ),
    "a value in the text of JSON": (
        tasks('a: {notify: {integration: N, type: queue, format: json, message: \'{"k": "${config.k}"}\'}}'),
        MANUAL,
        re.escape("write the message as a mapping: `message: {key: ${…}}`"),
        [("""'{"k": "${config.k}"}'""", "{k: '${config.k}'}")],
    ),
    "a subject without recipients": (
        tasks("a: {notify: {integration: N, type: email, subject: x, message: x}}"),
        MANUAL,
        re.escape("add `email: […]`"),
        [("subject: x", "subject: x, email: [a@b.org]")],
    ),
    "a value for what may be a webhook": (
        tasks("a: {notify: {integration: N, message: 'k is ${config.k}'}}"),
        MANUAL,
        "say what it is: `type: webhook` escapes them; `type: email` and `type: queue` need nothing",
        [("integration: N", "integration: N, type: webhook")],
    ),
    "a step without its argument": (
        tasks("a: {step: s.ok}"),
        MANUAL,
        "add `with: {v: …}`",
        [("step: s.ok", "step: s.ok, with: {v: 1}")],
    ),
    "an hour that a day may not have": (
        tasks("a: {sql: select 1}"),
        TAIL % "{cron: '30 2 * * *', timezone: Europe/Berlin}",
        "choose an hour from 3 on, or `timezone: UTC`",
        [("Europe/Berlin", "UTC")],
    ),
    "a task that settings of a session put on a warehouse": (
        tasks("a: {sql: select 1, session_parameters: {WAREHOUSE: W}}"),
        MANUAL,
        "write `run_on: {warehouse: …}`",
        [("session_parameters: {WAREHOUSE: W}", "run_on: {warehouse: W}")],
    ),
    "an empty for_each": (
        tasks("a: {sql: select 1, for_each: {x: []}}", "b: {sql: select 1, after: [a]}"),
        MANUAL,
        "give it a value, or add `allow_empty: true`",
        [("for_each: {x: []}", "for_each: {x: []}, allow_empty: true")],
    ),
    "a variable that is not declared": (
        tasks("a: {sql: select 1, comment: '{{ var.zeal }}'}"),
        MANUAL,
        r"declare it: `variables: \{zeal: …\}` in the pipeline file",
        [("pipeline: p", "pipeline: p\nvariables: {zeal: a}")],
    ),
    "a move to a task that another has moved to": (
        HEAD.replace("  tasks:", "  moved: [{from: x, to: load}, {from: y, to: lod}]\n  tasks:")
        + "    load: {sql: select 1}\n    loads: {sql: select 1}\n",
        MANUAL,
        "did you mean `loads`?",
        [("to: lod", "to: loads")],
    ),
    "a file without a version": (
        tasks("a: {sql: select 1}").removeprefix("version: 1\n"),
        MANUAL,
        "add `version: 1`",
        [("pipeline: p", "version: 1\npipeline: p")],
    ),
    "an alert of gates without a gate": (
        tasks(
            "check: {call: {procedure: LOOK}, outcomes: {good: [], failed: []}}",
        ),
        "schedule: {version: 1, alerts: {channels: {slack: S}, events: [failure, gate]}}\n",
        re.escape("name one: `gates: {check_quality: failed}`"),
        [("[failure, gate]", "[failure, gate], gates: {check: failed}")],
    ),
    "an alert of slow tasks without a duration": (
        tasks("a: {sql: select 1}"),
        "schedule: {version: 1, alerts: {channels: {slack: S}, events: [failure, slow]}}\n",
        re.escape("add `expect: {takes: …}` to a task"),
        [("sql: select 1", "sql: select 1, expect: {takes: 10m}")],
    ),
    "an alert of late runs without an expectation": (
        tasks("a: {sql: select 1}"),
        "schedule: {version: 1, schedule: {every: 1d}, alerts: {channels: {slack: S}, events: [late]}}\n",
        re.escape("add `expect: {within: 2h}` to the schedule config"),
        [("{every: 1d},", "{every: 1d}, expect: {within: 2h},"), ("w.yaml", "", WATCHING)],
    ),
    "an alert of suspended schedules that nobody watches": (
        tasks("a: {sql: select 1}"),
        "schedule: {version: 1, schedule: {every: 1d}, alerts: {channels: {slack: S}, events: [suspended]}}\n",
        re.escape(
            "add a pipeline with a schedule and a task `{step: sfml_steps.alerting.watch.watch_pipelines}`"
        ),
        [("w.yaml", "", WATCHING)],
    ),
    "events without channels": (
        tasks("a: {sql: select 1}"),
        "schedule: {version: 1, alerts: {events: [failure]}}\n",
        re.escape("add `channels`, such as `channels: {slack: ML_SLACK}`"),
        [("{events: [failure]}", "{events: [failure], channels: {slack: ML_SLACK}}")],
    ),
}


def test_the_key_for_policies_that_nothing_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, tasks("a: {sql: select 1}") + MANUAL)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "mine.yaml").write_text(POLICIES)
    [unread] = findings(capsys)
    assert unread["help"] == POLICIES_HELP
    (tmp_path / "sfml.yaml").write_text(PROJECT + "policies: {}\n")
    assert findings(capsys) == []


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
    write_project(tmp_path, body + schedule)
    before = findings(capsys)
    assert any(re.search(help, one["help"] or "") for one in before), [one["help"] for one in before]
    for *file, old, new in changes:
        path = tmp_path / (file[0] if file else "p.yaml")
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new))
    assert findings(capsys) == []


def write_project(folder: Path, spec: str) -> None:
    files = {
        "sfml.yaml": PROJECT,
        "p.yaml": spec,
        "steps/s.py": STEPS,
        "job/main.py": "print(1)\n",
        "other/x.txt": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


CHOICE = "the author decides"
NOT_WALKED = {
    "write the outcomes as a mapping with `{…}: […]`; `[]` starts nothing": CHOICE,
    "`enabled: false` in this target": "names the cause",
    "`enabled: false`": "names the cause",
    "add `external_access: [INTEGRATION]`, one that allows these secrets": "the integration is the account's",
    "use a step with `run_on: {pool: …}`, or read it in the script": "code of a new step",
    "add `{…}: …` to `targets.{…}` in sfml.yaml": "the name of an object of an account",
    "add `alerts: {channels: {slack: …}}` to the schedule config": "the name of an object of an account",
    'add `runtime: "…"` to `run_on`, at least in this target': "a runtime of an account",
    "write `schedule: {on_stream: …}`, or take `when` out": "the name of an object of an account",
    "write `run_on: {serverless: {initial: …}}`": "as a warehouse, which is walked",
    "write `run_on: {serverless: {min: …}}`": "as a warehouse, which is walked",
    "write `run_on: {serverless: {max: …}}`": "as a warehouse, which is walked",
    "write `run_on: {serverless: {target_completion: …}}`": "as a warehouse, which is walked",
    "write `alerts: {on_error: …}` in the schedule config": "as a warehouse, which is walked",
    "write `alerts: {on_success: …}` in the schedule config": "as a warehouse, which is walked",
    "write `{outcome: {…}}`, or `{fails: true}` for a failure": CHOICE,
    "write `succeeds`, `fails` or `{returns: …}`": CHOICE,
    "give it a value, or leave the outcome without tasks in this target: `{outcome: []}`": CHOICE,
    "give `for_each` a value, or take the branch and its arms out: `enabled: false`": CHOICE,
    "add `{…}: …` to the target in sfml.yaml": "the name of an object of an account",
    "{…} add `{…}: …` to the target in sfml.yaml": "the name of an object of an account",
    "declare it in sfml.yaml: `env: [{…}]`, and set it": "a variable of the environment",
    "begin it with `version: 1`, `pipeline: NAME` and `graph: {tasks: {…}}`": "a whole file",
    "begin it with `version: 1` and `targets: {local: {kind: local}}`": "a whole file",
    "schedule: `{cron: …, timezone: …}`": "shows the shape",
    "tests: `{name: {given: …}}`": "shows the shape",
    "make one: `sfml init`": "a command",
    "go to a project, or make one: `sfml init`": "a command",
    "keep one `default: true`": "takes away",
    "choose one with --target ({…}), or write `default: true` in one": CHOICE,
    "`run_on: {pool: …}`": "shows the shape",
    "`run_on: {serverless: {…}}`": "shows the shape",
    "write keys and their values, the first of them `version: 1`": "a whole file",
    "give it with --var {…}=…, or in the target: `variables: {{…}: …}`": CHOICE,
    "give it in the include: `with: {{…}: …}`": "a value that only the author knows",
    "name a spec, a folder of specs or a glob; `sfml init` makes a project": "a command",
    "`sfml: {…}` means nothing; a comment can `ignore`": "says why",
    "`sfml explain` lists them": "a command",
}
"""What proposes keys of a spec, or a command, and is carried out by no test of this file, with the reason."""

ROOMS = ("spec", "catalog", "graph", "check", "frontend", "ways")
PROPOSAL = re.compile(r"`[\w{…}.]+: |`\w+: \{|sfml (?:" + "|".join(COMMANDS) + r")\b")


def proposals() -> dict[str, str]:
    """Texts of the rooms of findings that propose keys of a spec or a command, with where each stands."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            parts = {
                id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
            }
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = template(node) if id(node) not in parts | docs else None
                if text is not None and PROPOSAL.search(text) and not text.startswith("SF"):
                    found.setdefault(text, f"{file.name}:{getattr(node, 'lineno', 0)}")
    return found


def template(node: ast.AST) -> str | None:
    """The text of a constant, or of an f-string with `{…}` for what is put in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "{…}" for one in values)
    return None


def test_every_proposal_is_carried_out_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    seen = set()
    for body, schedule, _, _ in MISTAKES.values():
        write_project(tmp_path, body + schedule)
        seen |= {str(one["help"]) for one in findings(capsys)}
    seen.add(POLICIES_HELP)
    found = proposals()

    def is_walked(text: str) -> bool:
        pattern = ".*".join(map(re.escape, text.split("{…}")))
        return any(re.search(pattern, help) for help in seen)

    walked = {text for text in found if is_walked(text)}
    missing = {text: place for text, place in found.items() if text not in walked | NOT_WALKED.keys()}
    assert not missing, "carry out what is proposed in MISTAKES, or say in NOT_WALKED why not"
    assert not NOT_WALKED.keys() - found.keys(), "nothing says this any more"


def findings(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """Errors, and warnings that a mistake brought in: what a good project has besides is none."""
    run(["validate", "-o", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [one for one in found if one["code"] not in ("SF601", "SF602")]
