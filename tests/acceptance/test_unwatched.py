"""A pipeline that asks for `late` or `suspended` and that no pipeline watches is told, once all were read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfml.cli.entry import run

PROJECT = """\
version: 1
targets:
  prod: {connection: prod, database: ML_PROD, schema: "{{ pipeline }}", warehouse: WH}
  test: {connection: test, database: '"Ml.Test"', schema: "{{ pipeline }}", warehouse: WH}
"""
SHOP = """\
version: 1
pipeline: shop
schedule:
  schedule: {every: 1h}
  expect: {within: 30m}
  alerts: {channels: {slack: ML_SLACK}, events: [failure, late, recovered]}
graph: {tasks: {load: {sql: select 1}}}
"""
WATCH = """\
version: 1
pipeline: watch
schedule: {schedule: {every: 15m}}
graph: {tasks: {look: {step: sfml_steps.alerting.watch.watch_pipelines}}}
"""
SILENCED = "  # sfml: ignore SF368 -- the team's own watcher looks"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "shop.yaml").write_text(SHOP)
    return tmp_path


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Code, line and targets of each finding."""
    capsys.readouterr()
    run(["validate", *arguments, "-o", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [f"{one['code']}:{one['line']} {','.join(one['targets'])}".rstrip() for one in found]


UNWATCHED = ["SF368:6 prod,test"]


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        (None, UNWATCHED),
        (WATCH, []),
        (WATCH.replace("{every: 15m}", "manual"), UNWATCHED),
        (WATCH.replace("pipelines}", "pipelines, with: {schemas: []}}"), []),
        (WATCH.replace("pipelines}", "pipelines, with: {schemas: [ml_prod]}}"), ["SF368:6 test"]),
        (WATCH.replace("pipelines}", "pipelines, with: {schemas: [ML_PROD.OTHER]}}"), UNWATCHED),
        (
            WATCH.replace(
                "pipelines}", """pipelines, with: {schemas: [ml_prod.shop, '"Ml.Test"."SHOP"']}}"""
            ),
            [],
        ),
        (
            WATCH.replace("pipelines}", "pipelines, with: {schemas: ['${config.where}']}}").replace(
                "graph: {", "graph: {config: {where: DB}, "
            ),
            [],
        ),
    ],
)
def test_a_watching_pipeline_has_to_look_there(
    folder: Path, capsys: pytest.CaptureFixture[str], watch: str | None, expected: list[str]
) -> None:
    if watch is not None:
        (folder / "watch.yaml").write_text(watch)
    assert findings(capsys) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("late, ", "", []),
        ("{every: 1h}", "manual", []),
        ("slack: ML_SLACK", "slack: {integration: ML_SLACK, events: [suspended]}", UNWATCHED),
    ],
)
def test_only_who_asks_for_it_is_watched(
    folder: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, expected: list[str]
) -> None:
    (folder / "shop.yaml").write_text(SHOP.replace(before, after))
    assert findings(capsys) == expected


def test_nobody_watches_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = WATCH.replace("15m}", "15m}, alerts: {channels: {slack: ML_SLACK}, events: [failure, suspended]}")
    (folder / "watch.yaml").write_text(text)
    assert findings(capsys) == ["SF368:3 prod,test"]
    (folder / "second.yaml").write_text(WATCH.replace("pipeline: watch", "pipeline: second"))
    assert findings(capsys) == []


def test_a_pipeline_that_was_not_read_may_watch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "watch.yaml").write_text(WATCH)
    assert findings(capsys, "shop.yaml") == []
    (folder / "watch.yaml").write_text(WATCH.replace("version: 1", "version: 7"))
    assert "SF368" not in "".join(findings(capsys))


def test_who_asks_in_a_shared_file_is_told_for_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "schedule.yaml").write_text(
        "version: 1\nschedule: {every: 1h}\nalerts: {channels: {slack: S}, events: [failure, suspended]}\n"
    )
    for name in ("shop", "other"):
        text = f"version: 1\npipeline: {name}\nschedule: schedule.yaml\ngraph: {{tasks: {{a: {{sql: select 1}}}}}}\n"
        (folder / f"{name}.yaml").write_text(text)
    assert findings(capsys) == ["SF368:3 prod,test"]
    (folder / "watch.yaml").write_text(
        WATCH.replace("pipelines}", """pipelines, with: {schemas: [ml_prod.shop, '"Ml.Test".SHOP']}}""")
    )
    run(["validate"])
    shown = capsys.readouterr().out
    assert "watches whether `other` is `suspended`" in shown and "`shop`" not in shown


def test_a_silencing_is_needed_also_where_one_file_or_target_is_looked_at(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SHOP.replace("recovered]}", "recovered]}" + SILENCED)
    (folder / "shop.yaml").write_text(text)
    (folder / "other.yaml").write_text("version: 1\npipeline: other\ngraph: {tasks: {a: {sql: select 1}}}\n")
    (folder / "watch.yaml").write_text(WATCH.replace("pipelines}", "pipelines, with: {schemas: [ml_prod]}}"))
    assert findings(capsys) == []
    for part in (("shop.yaml",), ("-t", "prod"), ("-t", "test"), ("shop.yaml", "--fix")):
        assert findings(capsys, *part) == [], part
    assert (folder / "shop.yaml").read_text() == text
    (folder / "watch.yaml").write_text(WATCH)
    assert findings(capsys) == ["SF151:6 prod,test"]
