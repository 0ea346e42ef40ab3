"""A `for_each` of nothing keeps what was before it before what comes after; one member can be patched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import read


def predecessors(folder: Path, spec: str, **files: str) -> dict[str, tuple[str, ...]]:
    """Of each task, what it follows."""
    (folder / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local}}\n")
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    path = folder / "spec.yaml"
    path.write_text(f"version: 1\npipeline: p\n{spec}")
    reading = read(path)
    assert reading.graph is not None, reading.diagnostics
    return {task.name: tuple(task.after) for task in reading.graph.tasks}


EMPTY = "for_each: {n: []}, allow_empty: true"


@pytest.mark.parametrize(
    "between",
    [
        f"b: {{sql: select 2, after: a, {EMPTY}}}",
        f"b: {{sql: select 2, after: c, {EMPTY}}}\n    c: {{sql: select 2, after: a, {EMPTY}}}",
        f"b: {{sql: select 2, after: [a, c], {EMPTY}}}\n    c: {{sql: select 2, after: a, {EMPTY}}}",
    ],
)
def test_what_follows_runs_after_what_was_before(tmp_path: Path, between: str) -> None:
    spec = f"graph:\n  tasks:\n    a: {{sql: select 1}}\n    {between}\n    z: {{sql: select 3, after: b}}\n"
    assert set(predecessors(tmp_path, spec)["z"]) == {"a"}


def test_an_include_of_nothing_keeps_the_order_too(tmp_path: Path) -> None:
    spec = (
        "graph:\n  include: {tasks: more.yaml, prefix: m_, for_each: {n: []}, allow_empty: true}\n"
        "  tasks:\n    a: {sql: select 1}\n    z: {sql: select 3, after: m_last}\n"
    )
    more = "version: 1\ntasks:\n  first: {sql: select 1, after: a}\n  last: {sql: select 2, after: first}\n"
    assert predecessors(tmp_path, spec, more=more)["z"] == ("a",)


def test_one_member_is_taken_out_by_its_name(tmp_path: Path) -> None:
    spec = (
        "graph:\n  tasks:\n    t: {sql: select 1, for_each: {n: [x, y]}}\n    z: {sql: select 3, after: t}\n"
        "targets: {local: {tasks: {t_x: {enabled: false}}}}\n"
    )
    assert predecessors(tmp_path, spec) == {"t_y": (), "z": ("t_y",)}
