"""What the API has no words for is refused by name, before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_graphs import closure, graph, sql

from sfml.cli.entry import run
from sfml.errors import NotSupportedYet
from sfml.graph.model import GraphSettings, StreamSchedule
from sfml.lower.lower import lower
from sfml.snowflake.tasks import refuse_unwritable, refuse_unwritable_graph


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"log_level": "INFO"}, "log_level"),
        ({"tags": {"cost": "ml"}}, "tags"),
        ({"contacts": {"support": "team"}}, "contacts"),
    ],
)
def test_a_setting_of_a_task_is_named(settings: dict[str, object], named: str) -> None:
    desired = lower(graph(sql("only", **settings)), closure, "0")
    with pytest.raises(NotSupportedYet, match=f"`only`.*`{named}`"):
        refuse_unwritable_graph(desired)


def test_a_trigger_interval_is_named() -> None:
    triggered = GraphSettings(schedule=StreamSchedule(("S",), 60))
    with pytest.raises(NotSupportedYet, match="minimum interval"):
        refuse_unwritable_graph(lower(graph(sql("only"), settings=triggered), closure, "0"))


def test_everything_else_is_written() -> None:
    for task in lower(graph(sql("only", comment="fine", execute_as_user="robot")), closure, "0").all_tasks:
        refuse_unwritable(task)


def test_apply_refuses_before_it_connects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sfml.yaml").write_text(
        "version: 1\ntargets:\n  dev: {default: true, connection: nowhere, database: D, warehouse: W}\n"
    )
    spec = tmp_path / "p.yaml"
    spec.write_text(
        "version: 1\npipeline: p\ngraph:\n  tasks:\n    a: {sql: select 1, contacts: {support: TEAM}}\n"
    )
    assert run(["apply", str(spec), "--auto-approve"]) == 1
    assert "`contacts`" in capsys.readouterr().err
