"""Many pipelines on one screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sfml.account.deployed import DeployedGraph
from sfml.account.health import GraphHealth, Off, OffReason
from sfml.account.history import DeployedRoot, Run
from sfml.render.fleet import fleet_text
from sfml.render.status import PipelineStatus
from sfml.render.symbols import Symbols

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ROOT = DeployedRoot("P", "id", started=True, schedule="", comment=None)
WELL = GraphHealth(DeployedGraph(ROOT), None, None, True, None, None, ())
RUNNING = replace(WELL, run=Run("p", "prod", "EXECUTING", "r", 1, (), NOW))
OFF = replace(WELL, off=Off(OffReason.NO_RESUME))


def status(name: str, health: GraphHealth | None = WELL, target: str = "prod", **more: str) -> PipelineStatus:
    return PipelineStatus(name, target, f"specs/{name}.yaml", "daily", "daily", health, **more)


def test_what_needs_attention_has_a_line_and_the_rest_a_name() -> None:
    well = [status(f"p{number:03}") for number in range(190)]
    beside = [
        status("broken", None, unknown="no answer"),
        status("busy", RUNNING),
        status("paused", OFF),
        status("new", None, absent="no schema"),
    ]
    text = fleet_text([*well, *beside], Symbols(), NOW, 100)
    lines = text.splitlines()
    assert lines[0] == "194 pipelines, 1 needs attention"
    assert lines[2].startswith("pipeline") and lines[3].startswith("broken") and "?" in lines[3]
    assert lines[4] == "    ? no answer" and lines[5].startswith("busy")
    assert "✓ 190 well" in lines and "– 1 off as intended" in lines and "– 1 not deployed" in lines
    assert len(lines) <= 40 and max(map(len, lines)) <= 100
    assert text.split().count("p007") == 1, "nothing is left out"
    narrow = fleet_text(well, Symbols(), NOW, 10).splitlines()
    assert narrow[0] == "190 pipelines, all well" and narrow[3:5] == ["    p000", "    p001"]


def test_a_name_has_its_target_where_there_are_several() -> None:
    text = fleet_text([status("a"), status("a", target="dev")], Symbols(unicode=False), NOW, 80)
    assert text.splitlines()[2:] == ["ok 2 well", "    a -t prod  a -t dev"]
