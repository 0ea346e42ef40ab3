"""Text → nodes: positions, paths, and everything a text may do wrong."""

from __future__ import annotations

import time

import pytest
from machine_speed import SLOWNESS

from sfml.base.source import Span
from sfml.spec.compose import MAX_DEPTH, compose
from sfml.spec.nodes import ListNode, MapNode, plain
from sfml.spec.text import decoded


def test_every_node_knows_its_place_and_path() -> None:
    text = "tasks:\n  train:\n    after: [prepare, é, last]\n    list:\n    - a\n    - b: 1\n"
    node, findings = compose(text, "spec.yaml")
    assert findings == ()
    assert isinstance(node, MapNode)
    train = node.entries["tasks"].entries["train"]  # type: ignore[union-attr]
    assert isinstance(train, MapNode)
    assert train.path == "tasks.train"
    assert train.key_spans["after"] == Span.of("spec.yaml", 3, 5, 3, 10)
    after = train.entries["after"]
    assert isinstance(after, ListNode)
    assert after.span == Span.of("spec.yaml", 3, 12, 3, 30)
    assert after.items[2].span == Span.of("spec.yaml", 3, 25, 3, 29)
    assert after.items[2].path == "tasks.train.after[2]"
    block = train.entries["list"]
    assert block.span.end == Span.of("spec.yaml", 6, 7, 6, 11).end
    assert block.items[1].path == "tasks.train.list[1]"  # type: ignore[union-attr]


def test_aliases_stand_where_they_are_used() -> None:
    node, findings = compose("a: &x {b: [1]}\nc: *x\n", "f")
    assert findings == ()
    assert node is not None
    assert plain(node) == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert node.entries["c"].entries["b"].span == Span.of("f", 2, 4, 2, 6)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: [1,\nb: 2", "SF101", 2, 5),
        ("a: 'x", "SF101", 1, 6),
        ("a: b: c", "SF101", 1, 5),
        ("a: 1\na: 2", "SF102", 2, 1),
        ("a: {b: 1, 'b': 2}", "SF102", 1, 11),
        ("a: &x [*x]", "SF105", 1, 8),
        ("a: *nowhere", "SF105", 1, 4),
        ("a: 1\n---\nb: 2", "SF105", 2, 1),
        ("<<: {a: 1}", "SF105", 1, 1),
        ("? {a: 1}\n: 2", "SF105", 1, 3),
        ("a: !!python/name:os.system x", "SF105", 1, 4),
        ("a: !mine x", "SF105", 1, 4),
        ("a: .inf", "SF106", 1, 4),
    ],
)
def test_oddities_are_findings_with_positions(text: str, code: str, line: int, column: int) -> None:
    _, findings = compose(text, "f")
    assert findings[0].code == code
    assert findings[0].span is not None
    assert (findings[0].span.start.line, findings[0].span.start.column) == (line, column)


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: ", "[[{b: "])
def test_nesting_is_refused_before_it_hurts(opening: str) -> None:
    began = time.process_time()
    _, findings = compose(opening * (900_000 // len(opening)), "f")
    assert findings[-1].code == "SF104"
    assert time.process_time() - began < 2 * SLOWNESS


@pytest.mark.parametrize(
    ("unit", "column"),
    [("[", 61), ("{a: ", 241), ("[{", 61), ("[ ", 121), ("- ", 121), ("? ", 121), ("[[a, {b: ", 181)],
)
@pytest.mark.parametrize("times", [70, 3000])
def test_depth_is_refused_where_it_begins_however_far_the_parser_reads_ahead(
    unit: str, column: int, times: int
) -> None:
    """With 3,000 the parser gives up before it has told of a single bracket."""
    _, findings = compose(unit * times, "f")
    (finding,) = findings
    assert (finding.code, finding.message) == ("SF104", f"values are nested more than {MAX_DEPTH} deep")
    assert finding.span is not None
    assert (finding.span.start.line, finding.span.start.column) == (1, column)


def test_brackets_that_are_not_deep_do_not_hide_what_is_wrong() -> None:
    _, findings = compose("[" * 50 + "]" * 50 + "}", "f")
    assert [finding.code for finding in findings] == ["SF101"]


def test_depth_counts_through_aliases() -> None:
    deep = "[" * (MAX_DEPTH - 5) + "]" * (MAX_DEPTH - 5)
    _, findings = compose(f"a: &a {deep}\nb: [[[[[[*a]]]]]]\n", "f")
    assert [finding.code for finding in findings] == ["SF104"]


def test_an_alias_bomb_is_refused_before_it_unfolds() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    began = time.process_time()
    _, findings = compose(bomb, "f")
    assert [finding.code for finding in findings] == ["SF104"]
    assert time.process_time() - began < 2 * SLOWNESS


@pytest.mark.parametrize(
    ("raw", "code", "line", "column"),
    [
        (b"a: 1\nb: caf\xe9", "SF103", 2, 7),
        (b"a: \x00", "SF103", 1, 4),
        (b"a: \x1b[31m", "SF103", 1, 4),
        ("a: 1".encode("utf-16"), "SF103", 1, 1),
        (b"x" * 1_000_001, "SF104", 1, 1),
    ],
)
def test_bytes_that_are_no_text(raw: bytes, code: str, line: int, column: int) -> None:
    found = decoded(raw, "f")
    assert not isinstance(found, str)
    assert found.code == code
    assert found.span is not None
    assert (found.span.start.line, found.span.start.column) == (line, column)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decoded(b"\xef\xbb\xbfa: 1", "f") == "a: 1"
