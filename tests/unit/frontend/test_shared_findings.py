"""What several readings find alike is told once, and what only looks alike is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.base.diagnostic import Diagnostic
from sfml.frontend.reading import read_targets
from sfml.frontend.shared_findings import distinct_findings

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  dev: {connection: dev, database: DEV, warehouse: WH}
  prod: {connection: prod, database: PROD, warehouse: WH}
"""


def findings_of(folder: Path, *specs: str, target: str | None = None) -> tuple[Diagnostic, ...]:
    (folder / "sfml.yaml").write_text(PROJECT)
    readings = []
    for number, spec in enumerate(specs):
        path = folder / f"p{number}.yaml"
        path.write_text(f"version: 1\npipeline: p{number}\n{spec}")
        readings += read_targets(path, target=target, user="tester")
    return distinct_findings(readings)


def test_a_mistake_of_one_target_names_it(tmp_path: Path) -> None:
    spec = "graph: {tasks: {a: {sql: select 1}}}\ntargets: {prod: {graph: {tasks: {a: {after: [b]}}}}}\n"
    (finding,) = [one for one in findings_of(tmp_path, spec) if one.is_error]
    assert (finding.code, finding.targets, finding.also) == ("SF203", ("prod",), ())


def test_a_mistake_of_all_is_told_once(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, "graph: {tasks: {a: {sql: select 1, after: [b]}}}\n")
    assert finding.targets == ("local", "dev", "prod")


def test_one_target_alone_is_not_named(tmp_path: Path) -> None:
    spec = "graph: {tasks: {a: {sql: select 1, after: [b]}}}\n"
    (finding,) = findings_of(tmp_path, spec, target="dev")
    assert finding.targets == ()


@pytest.mark.parametrize("members", ["x, y, z", "1, 2, 3", "a, is, the"])
def test_members_of_a_for_each_repeat_it(tmp_path: Path, members: str) -> None:
    spec = f"graph: {{tasks: {{t: {{for_each: {{n: [{members}]}}, sql: select 1, after: ['no_{{{{ each.n }}}}']}}}}}}\n"
    (finding,) = findings_of(tmp_path, spec)
    names = [f"t_{name.strip()}" for name in members.split(",")]
    assert finding.also == tuple(names[1:])


def test_two_mistakes_at_one_place_are_two(tmp_path: Path) -> None:
    spec = "graph: {tasks: {t: {for_each: {n: [x, y]}, sql: select 1, after: ['{{ each.n }}_1', '{{ each.n }}_2']}}}\n"
    assert len(findings_of(tmp_path, spec)) == 2


def test_values_that_differ_by_target_are_told_apart(tmp_path: Path) -> None:
    spec = "graph: {tasks: {a: {sql: select 1, after: ['{{ target.name }}x']}}}\n"
    findings = findings_of(tmp_path, spec)
    assert [finding.targets for finding in findings] == [("dev",), ("local",), ("prod",)]


def test_pipelines_that_share_a_file_repeat_it(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text("version: 1\ntasks:\n  s: {sql: select 1, after: [gone]}\n")
    include = "graph: {include: {tasks: shared.yaml}, tasks: {a: {sql: select 1}}}\n"
    (finding,) = findings_of(tmp_path, include, include, include)
    assert [Path(entry).name for entry in finding.also] == ["p1.yaml", "p2.yaml"]
