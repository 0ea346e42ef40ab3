"""`sfml explain`: what a code means, and where a value came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sfml.base.resources import schema
from sfml.check.explanations import explanations
from sfml.cli.entry import run

PROJECT = """\
version: 1
defaults:
  timeout: 1h
  run_on: {warehouse: "{{ target.warehouse }}"}
variables: {size: 1}
targets:
  local: {kind: local, default: true}
  prod:
    {connection: p, database: DB, warehouse: WH, variables: {size: 2}, tasks: {train: {timeout: 3h}}}
"""
ENTRY = """\
version: 1
pipeline: shop
graph: job.yaml
schedule: when.yaml
variables: {size: 10}
targets:
  prod:
    variables: {size: 20}
    tasks: {train: {timeout: 4h, when: null}}
    defaults: {timeout: 90m}
"""
JOB = """\
version: 1
config: {rows: "{{ var.size * 2 }}", text: "s{{ var.size }}"}
include: {tasks: shared.yaml, prefix: x_}
tasks:
  train: {sql: select 1, timeout: 2h, when: "true", run_on: {serverless: {initial: SMALL}}}
  fit:
    for_each: {k: [a, b]}
    sql: select 1
    timeout: 7h
"""
SHARED = "version: 1\ntasks:\n  score: {sql: select 1, timeout: 5h}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "shop.yaml").write_text(ENTRY)
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "when.yaml").write_text("version: 1\nschedule: {cron: 0 0 * * *}\nretries: 2\n")
    (tmp_path / "shared.yaml").write_text(SHARED)
    return tmp_path


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["explain", *arguments, "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("output/explain.schema.json"))
    return found


def history(origin: Any) -> list[tuple[Any, str | None, int | None]]:
    return [(one["written"], one["file"], one["line"]) for one in (origin["set_by"], *origin["overrode"])]


def test_every_code_is_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert [one["code"] for one in explained(capsys)["codes"]] == list(explanations())
    (one,) = explained(capsys, "sf203")["codes"]
    assert one["title"] == "`after` names a task that does not exist"
    assert run(["explain"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {code}  " in listed for code in explanations())
    for code in explanations():
        assert run(["explain", code]) == 0
    assert "instead: " in capsys.readouterr().out


@pytest.mark.parametrize("subject", ["SF999", "nonsense", "missing.yaml:a.b", "shop.yaml:", ":x"])
def test_what_cannot_be_explained_is_wrong_usage(subject: str) -> None:
    assert run(["explain", subject]) == 2


def test_a_value_and_all_that_it_overrode(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = explained(capsys, "shop.yaml:tasks.train.timeout", "-t", "prod")["values"]
    assert one["value"] == "4h"
    assert history(one) == [
        ("4h", "shop.yaml", 9),
        ("3h", "sfml.yaml", 9),
        ("2h", "job.yaml", 5),
        ("90m", "shop.yaml", 10),
        ("1h", "sfml.yaml", 3),
    ]
    assert [setting["layer"] for setting in (one["set_by"], *one["overrode"])] == [
        "target prod of the pipeline",
        "target prod of the project",
        "the job config",
        "defaults in target prod of the pipeline",
        "defaults of the project",
    ]
    (same,) = explained(capsys, "job.yaml:tasks.train.timeout", "-t", "prod")["values"]
    assert same == one
    (patch,) = explained(capsys, "shop.yaml:targets.prod.tasks.train.timeout")["values"]
    assert patch == one


def test_expressions_lead_to_their_variables(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = explained(capsys, "job.yaml:config.rows", "-t", "prod", "--var", "size=30")["values"]
    assert one["value"] == 60
    assert history(one) == [("{{ var.size * 2 }}", "job.yaml", 2)]
    (variable,) = one["variables"]
    assert variable["value"] == 30
    assert history(variable) == [
        ("30", None, None),
        (20, "shop.yaml", 8),
        (2, "sfml.yaml", 9),
        (10, "shop.yaml", 5),
        (1, "sfml.yaml", 5),
    ]


def test_a_mapping_tells_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = explained(capsys, "shop.yaml:tasks.train")["values"]
    assert one["set_by"] is None
    parts = {entry["path"]: entry["value"] for entry in one["entries"]}
    assert parts["tasks.train.timeout"] == "2h"
    assert parts["tasks.train.run_on.serverless.initial"] == "SMALL"
    assert one["value"]["run_on"] == {"serverless": {"initial": "SMALL"}}


def test_what_was_replaced_whole_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = explained(capsys, "job.yaml:tasks.train.run_on.serverless.initial")["values"]
    (within,) = one["within"]
    assert within["path"] == "tasks.train.run_on"
    assert (within["overrode"]["file"], within["overrode"]["line"]) == ("sfml.yaml", 4)
    found = explained(capsys, "sfml.yaml:defaults.run_on.warehouse")["values"]
    assert {value["path"]: value["value"] for value in found} == {
        "tasks.fit_a.run_on.warehouse": "LOCAL_WH",
        "tasks.fit_b.run_on.warehouse": "LOCAL_WH",
        "tasks.x_score.run_on.warehouse": "LOCAL_WH",
    }


@pytest.mark.parametrize(
    ("subject", "paths", "value"),
    [
        ("shared.yaml:tasks.score.timeout", ["tasks.x_score.timeout"], "5h"),
        ("job.yaml:tasks.fit.timeout", ["tasks.fit_a.timeout", "tasks.fit_b.timeout"], "7h"),
        ("when.yaml:retries", ["schedule.retries"], 2),
        ("when.yaml:schedule.cron", ["schedule.schedule.cron"], "0 0 * * *"),
        ("shop.yaml:schedule.cron", ["schedule.schedule.cron"], "0 0 * * *"),
        ("shop.yaml:variables.size", ["variables.size"], 10),
        ("sfml.yaml:targets.prod.database", ["target.database"], "DB"),
    ],
)
def test_files_of_every_kind(
    subject: str, paths: list[str], value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(capsys, subject)["values"]
    assert [one["path"] for one in found] == paths
    assert {json.dumps(one["value"]) for one in found} == {json.dumps(value)}


def test_it_works_from_another_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    (one,) = explained(capsys, "../job.yaml:tasks.train.timeout")["values"]
    assert one["set_by"]["file"] == "../job.yaml"


def test_text_names_the_line_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "shop.yaml:config.text", "-t", "prod"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config.text = s20   (pipeline shop, target prod)",
        "",
        "  set by     job.yaml:2:44  s{{ var.size }}  the job config",
        "  var.size = 20",
        "    set by     shop.yaml:8:23  20  target prod of the pipeline",
        "    overrode   sfml.yaml:9:68  2   target prod of the project",
        "    overrode   shop.yaml:5:19  10  variables of the pipeline",
        "    overrode   sfml.yaml:5:19  1   variables of the project",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop.yaml:tasks.train.timeot",), "did you mean `timeout`?"),
        (("shop.yaml:tasks.trian.timeout",), "did you mean `tasks.train.timeout`?"),
        (("shop.yaml:tasks.train.when", "-t", "prod"), "`null` removes it at shop.yaml:9:"),
        (("shop.yaml:nothing",), "help: the pipeline has `config`"),
        (("shop.yaml:tasks.train.timeout", "-t", "nowhere"), "there is no target `nowhere`"),
    ],
)
def test_what_is_not_there(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_file_that_nothing_reads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lost.yaml").write_text("version: 1\n")
    assert run(["explain", "lost.yaml:tasks.a"]) == 1
    assert "no pipeline of the project reads `lost.yaml`" in capsys.readouterr().err
