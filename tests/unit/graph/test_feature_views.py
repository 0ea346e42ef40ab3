"""`reads: {feature_views: …}`: the tables in which a Feature Store keeps them, as needs and as what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import read
from sfml.graph.needs import Kind, needs_of

PROJECT = "version: 1\ntargets:\n  local: {kind: local, default: true, database: SHOP, schema: PUBLIC}\n"


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ("FEATURES.SPENT/v1", 'SHOP.FEATURES."SPENT$v1"'),
        ("spent/V2", "SHOP.PUBLIC.SPENT$V2"),
        ('other."My store"."Mixed"/v1', 'OTHER."My store"."Mixed$v1"'),
    ],
)
def test_a_feature_view_is_needed_and_read(tmp_path: Path, written: str, needed: str) -> None:
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    spec = tmp_path / "p.yaml"
    spec.write_text(
        "version: 1\npipeline: p\ngraph:\n  tasks:\n    one:\n      sql: SELECT 1\n"
        f"      reads: {{tables: [T], feature_views: ['{written}']}}\nschedule: manual\n",
        encoding="utf-8",
    )
    graph = read(spec, target="local", user="ada", cwd=tmp_path).graph
    assert graph is not None
    needs = [(need.kind, need.name) for need in needs_of(graph)]
    assert (Kind.FEATURE_VIEW, needed) in needs
    assert [name for kind, name in needs if kind is Kind.TABLE] == sorted(["SHOP.PUBLIC.T", needed])


@pytest.mark.parametrize(
    "written", ["SPENT", "./v1", "a..b/v1", "a.b.c.d/v1", '"unclosed/v1', '""/v1', "A/v1/v2"]
)
def test_what_is_no_name_of_a_feature_view(tmp_path: Path, written: str) -> None:
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    spec = tmp_path / "p.yaml"
    task = f"one: {{sql: SELECT 1, reads: {{feature_views: ['{written}']}}}}"
    spec.write_text(f"version: 1\npipeline: p\ngraph: {{tasks: {{{task}}}}}\n", encoding="utf-8")
    (finding,) = read(spec, target="local", user="ada", cwd=tmp_path).diagnostics
    assert (finding.code, finding.is_error) == ("SF113", True)
    assert finding.message == "`feature_views` must be a feature view, as `STORE.NAME/version`"
