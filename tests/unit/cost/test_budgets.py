"""A budget is a rule of the target that it is written for, told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import read

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  dev: {connection: dev, account: A, database: DEV, warehouse: WH, sizes: {WH: {size: XSMALL, auto_suspend: 1m}}}
  prod: {connection: prod, account: B, database: PROD, warehouse: WH, sizes: {WH: {size: LARGE, auto_suspend: 1m}}}
"""
SPEC = """\
version: 1
pipeline: shop
budget: {credits_per_month: 20}
schedule: {cron: "0 3 * * *"}
graph:
  tasks:
    take: {sql: SELECT 1, expect: {takes: 9m..19m}}
targets:
"""


def codes(folder: Path, target: str, patch: str = "") -> list[tuple[str, int]]:
    """The findings about the budget: codes and lines."""
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "shop.yaml").write_text(SPEC + patch, encoding="utf-8")
    found = read(folder / "shop.yaml", target=target, user="ada").diagnostics
    return [
        (one.code, one.span.start.line)
        for one in found
        if one.span is not None and one.code in ("SF526", "SF527", "SF528")
    ]


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ("local", "", []),
        ("dev", "", []),
        ("prod", "", [("SF526", 3)]),
        ("prod", "  prod: {budget: {credits_per_month: 50}}\n", [("SF527", 9)]),
        ("prod", "  prod: {budget: {credits_per_month: 82}}\n", []),
        ("prod", "  prod: {budget: null}\n", []),
        ("prod", '  prod: {budget: {credits_per_month: "{{ 10 * 5 }}"}}\n', [("SF527", 9)]),
        ("prod", "  prod: {tasks: {take: {expect: null}}}\n", [("SF528", 3)]),
    ],
)
def test_a_budget_holds_for_its_target(
    target: str, patch: str, expected: list[tuple[str, int]], tmp_path: Path
) -> None:
    assert codes(tmp_path, target, patch) == expected
