"""YAML 1.2's core rules for plain scalars."""

from __future__ import annotations

import pytest

from sfml.spec.compose import compose
from sfml.spec.nodes import plain
from sfml.spec.scalars import NotAValue, core_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nUll", "nUll"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".", "."),
        ("-", "-"),
        ("1997-09-30", "1997-09-30"),
        ("12:30:45", "12:30:45"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_core_rules(text: str, value: object) -> None:
    found = core_value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 5000])
def test_numbers_that_json_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(NotAValue):
        core_value(text)


def test_quoted_scalars_and_core_tags() -> None:
    node, findings = compose('["1", \'~\', !!str 1, !!int "3", !!float 1]', "f.yaml")
    assert findings == ()
    assert node is not None
    assert plain(node) == ["1", "~", "1", 3, 1.0]


def test_a_tag_that_does_not_fit_is_a_finding() -> None:
    _, findings = compose("!!int abc", "f.yaml")
    assert [finding.code for finding in findings] == ["SF106"]
