"""The streams of conditions, what SHOW STREAMS says of them, and what is told of those that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.account.deployed import DeployedGraph, DeployedTask
from sfml.account.health import StreamFault, UnusableStreams
from sfml.account.history import DeployedRoot
from sfml.account.streams import is_stale, reading_of, streams_read
from sfml.graph.model import Target
from sfml.render.health import problem_json, problem_text
from sfml.semantics.condition_words import streams_in

WHERE = "specs/a.yaml -t prod"


@pytest.mark.parametrize(
    ("condition", "streams"),
    [
        (None, ()),
        ("SYSTEM$PREDECESSORS_STATE('ALL_DONE')", ()),
        ("system$stream_has_data('s') and SYSTEM$STREAM_HAS_DATA ( 'S2' )", ("s", "S2")),
        ("not system$stream_has_data('s')", ("s",)),
        ("SYSTEM$STREAM_HAS_DATA('s') or SYSTEM$STREAM_HAS_DATA('s')", ("s",)),
        ("SYSTEM$STREAM_HAS_DATA('\"it''s\"')", ('"it\'s"',)),
        ("SYSTEM$STREAM_HAS_DATA('\"a\\\\b\"')", ('"a\\b"',)),
        ("'SYSTEM$STREAM_HAS_DATA(x)' = 'y' -- SYSTEM$STREAM_HAS_DATA('z')", ()),
    ],
)
def test_the_streams_in_a_condition(condition: str | None, streams: tuple[str, ...]) -> None:
    assert streams_in(condition) == streams


def test_streams_are_named_in_full_with_the_tasks_that_read_them() -> None:
    root = DeployedRoot("A", "1", True, None, None, condition="SYSTEM$STREAM_HAS_DATA('s')")
    child = DeployedTask(
        "A$B", True, condition="SYSTEM$STREAM_HAS_DATA('DB.sc.S') or SYSTEM$STREAM_HAS_DATA('raw.\"s.1\"')"
    )
    target = Target(name="prod", kind="account", database="db", schema="sc", warehouse="w")
    assert streams_read(DeployedGraph(root, (child,)), target) == {
        "DB.SC.S": ("A", "A$B"),
        'DB.RAW."s.1"': ("A$B",),
    }


def row(schema: str, name: str, stale: object = "false") -> dict[str, Any]:
    return {"database_name": "DB", "schema_name": schema, "name": name, "stale": stale}


def test_a_stream_is_found_by_its_exact_name() -> None:
    rows = [row("SC", "S"), row("OTHER", "T"), row("SC", "s.1", "true"), row("SC", "X")]
    reading = reading_of(("DB.SC.S", "DB.SC.T", 'DB.SC."s.1"', 'DB.SC."x"'), rows)
    assert (reading.gone, reading.stale) == ({"DB.SC.T", 'DB.SC."x"'}, {'DB.SC."s.1"'})
    assert reading.unknown == {}
    doubtful = reading_of(("DB.SC.S", "DB.SC.T", 'DB.SC."s.1"'), rows, "too many")
    assert (doubtful.gone, doubtful.stale) == (frozenset(), {'DB.SC."s.1"'})
    assert doubtful.unknown == {"DB.SC.T": "too many"}


@pytest.mark.parametrize(
    ("value", "stale"),
    [("true", True), ("TRUE", True), (True, True), ("false", False), (False, False), (None, False)],
)
def test_stale_as_clients_spell_it(value: object, stale: bool) -> None:
    assert is_stale({"stale": value}) is stale


@pytest.mark.parametrize(
    ("problem", "kind", "text", "help"),
    [
        (
            UnusableStreams(StreamFault.GONE, ("DB.SC.S",), (), True),
            "streams_gone",
            "stream DB.SC.S cannot be found, or the role may not see it: the condition of the root cannot be"
            " evaluated, so no run begins",
            "CREATE STREAM DB.SC.S ON TABLE …;",
        ),
        (
            UnusableStreams(StreamFault.STALE, ("DB.SC.ORDER", "DB.SC.T"), ("b",), False),
            "streams_stale",
            "streams DB.SC.ORDER and DB.SC.T are stale, and cannot be read any more: the condition of b cannot be"
            " evaluated",
            'CREATE OR REPLACE STREAM DB.SC."ORDER" ON TABLE …;   CREATE OR REPLACE STREAM DB.SC.T ON TABLE …;',
        ),
        (
            UnusableStreams(StreamFault.UNKNOWN, ("DB.SC.S",), ("b",), True, "refused"),
            "streams_unknown",
            "? stream DB.SC.S: not known whether the condition of the root and b can read it: refused",
            f"sfml grants {WHERE}   shows the privileges that the role needs",
        ),
    ],
    ids=["gone", "stale", "unknown"],
)
def test_the_words_and_the_remedy(problem: UnusableStreams, kind: str, text: str, help: str) -> None:
    assert problem_text(problem, "a") == text
    value = problem_json(problem, "a", WHERE)
    assert (value["kind"], value["tasks"], value["help"]) == (kind, list(problem.tasks), help)
