"""Mappings merge, everything else replaces, null removes."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.spec.compose import compose
from sfml.spec.nodes import MapNode, Node, plain
from sfml.spec.patch import merged


def node(text: str, file: str = "f") -> Node:
    found, findings = compose(text, file)
    assert found is not None and not findings
    return found


@pytest.mark.parametrize(
    ("base", "patch", "result"),
    [
        ("{a: 1, b: {c: 2}}", "{b: {d: 3}}", {"a": 1, "b": {"c": 2, "d": 3}}),
        ("{a: [1, 2]}", "{a: [3]}", {"a": [3]}),
        ("{a: {b: 1}}", "{a: text}", {"a": "text"}),
        ("{a: 1}", "{a: {b: 2}}", {"a": {"b": 2}}),
        ("{a: 1, b: 2}", "{a: null}", {"b": 2}),
        ("{a: 1}", "{c: null, d: {e: null, f: 1}}", {"a": 1, "d": {"f": 1}}),
        ("{run_on: {warehouse: W}}", "{run_on: {serverless: {}}}", {"run_on": {"serverless": {}}}),
        ("{schedule: {cron: c, timezone: UTC}}", "{schedule: {every: 1h}}", {"schedule": {"every": "1h"}}),
        (
            "{schedule: {cron: c, timezone: UTC}}",
            "{schedule: {timezone: Asia/Tokyo}}",
            {"schedule": {"cron": "c", "timezone": "Asia/Tokyo"}},
        ),
        ("{with: {a: 1, b: 2}}", "{with: {a: null}}", {"with": {"b": 2}}),
        ("{}", "{with: {a: null}}", {"with": {"a": None}}),
    ],
)
def test_patches(base: str, patch: str, result: Any) -> None:
    found = merged(node(base), node(patch))
    assert found is not None
    assert plain(found) == result


def test_what_was_overridden_stays_on_record() -> None:
    found = merged(node("{timeout: 1h}", "base.yaml"), node("{timeout: 2h}", "patch.yaml"))
    assert isinstance(found, MapNode)
    timeout = found.entries["timeout"]
    assert timeout.span.file == "patch.yaml"
    assert timeout.overrode is not None
    assert timeout.overrode.span.file == "base.yaml"
