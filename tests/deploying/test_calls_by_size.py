"""The calls of an apply, whatever the size of the graph: with a step, for each kind of change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import planned_graph
from sfml.operations.target_account import TargetAccount
from sfml.testing.pipelines import apply_graph, compile_spec, connected_to
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
STEP = "from sfml_steps import Context, step\n\n\n@step\ndef work(ctx: Context) -> int:\n    return {}\n"
LOOK = 1
"""An apply that takes longer than two seconds looks at its lease once more."""


def graph(folder: Path, size: int, *, body: str = "select 1", less: int = 0, answer: int = 1) -> DesiredGraph:
    """One step and SQL tasks in lines of ten."""
    lines = ["version: 1", f"pipeline: of_{size}", "graph:", "  tasks:"]
    for at in range(size - less):
        what = "step: counted.one.work" if at == 0 else f"sql: {body if at == 2 else 'select 1'}"
        after = f"\n      after: [t{at - 10}]" if at >= 10 else ""
        lines.append(f"    t{at}:\n      {what}{after}")
    lines.append("schedule: {cron: '0 0 * * *', timezone: UTC}")
    files = {
        "sfml.yaml": PROJECT,
        "steps/counted/__init__.py": "",
        "steps/counted/one.py": STEP.format(answer),
        "specs/one.yaml": "\n".join(lines) + "\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return compile_spec(folder / "specs" / "one.yaml", "SFML", None, None).desired


@pytest.mark.parametrize("size", [6, 100])
def test_calls_do_not_grow_with_the_graph(
    size: int, tmp_path: Path, server: LocalServer, faults: Faults
) -> None:
    def calls(do: Callable[[TargetAccount], object], target: DesiredGraph) -> int:
        with connected_to(target.target, server.connect_args()) as account:
            faults.forget_calls()
            do(account)
            return faults.count()

    first = graph(tmp_path, size)
    assert calls(lambda account: apply_graph(first, account, resume=True), first) <= 1.2 * (size + 1) + 20
    assert calls(lambda account: planned_graph(first, account), first) <= 5
    assert calls(lambda account: apply_graph(first, account), first) <= 6
    one = graph(tmp_path, size, body="select 2")
    assert calls(lambda account: apply_graph(one, account), one) <= 14 + LOOK
    removed = graph(tmp_path, size, body="select 2", less=1)
    assert calls(lambda account: apply_graph(removed, account), removed) <= 14 + LOOK
    code = graph(tmp_path, size, body="select 2", less=1, answer=2)
    assert calls(lambda account: apply_graph(code, account), code) <= 14 + LOOK
