"""Projects made for measuring: one large graph, or many pipelines."""

from __future__ import annotations

import random
from pathlib import Path

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
SCHEDULE = 'schedule: {cron: "0 0 * * *", timezone: UTC}\n'
MODULES = 10
FUNCTIONS = 20


def large_graph(folder: Path, tasks: int) -> Path:
    """A project with one graph of so many tasks, its root included, and three edges a task; its entry file.

    Every other task runs one of 200 step functions, the rest run SQL.
    """
    _project(folder)
    chance = random.Random(tasks)
    lines = ["version: 1", "pipeline: large", "graph:", "  tasks:"]
    for index in range(tasks - 1):
        near = range(max(0, index - 40), index)
        before = sorted(chance.sample(near, min(4 if index % 80 == 79 else 3, len(near))))
        lines += [f"    task_{index:04}:", *_work(index), "      timeout: 30m"]
        if before:
            lines.append(f"      after: [{', '.join(f'task_{one:04}' for one in before)}]")
    return _written(folder / "large.yaml", "\n".join(lines) + "\n" + SCHEDULE)


def many_pipelines(folder: Path, pipelines: int) -> Path:
    """A project with so many pipelines of ten tasks each; the folder of their entry files."""
    _project(folder)
    specs = folder / "specs"
    for pipeline in range(pipelines):
        lines = ["version: 1", f"pipeline: pipeline_{pipeline:03}", "graph:", "  tasks:"]
        for index in range(10):
            lines += [f"    task_{index}:", *_work(pipeline + index)]
            if index:
                lines.append(f"      after: [task_{index // 2}]" if index > 1 else "      after: [task_0]")
        _written(specs / f"pipeline_{pipeline:03}.yaml", "\n".join(lines) + "\n" + SCHEDULE)
    return specs


def _project(folder: Path) -> None:
    _written(folder / "sfml.yaml", PROJECT)
    _written(folder / "steps" / "work" / "__init__.py", "")
    for module in range(MODULES):
        functions = "\n\n".join(_function(index) for index in range(FUNCTIONS))
        head = (
            "import json\nfrom typing import Literal, TypedDict\n\nfrom sfml_steps import Context, step\n\n\n"
        )
        _written(folder / "steps" / "work" / f"module_{module}.py", head + functions)


def _function(index: int) -> str:
    return (
        f"class Result{index}(TypedDict):\n    rows: int\n    table: str\n\n\n"
        f"@step\ndef work_{index}(ctx: Context, rows: int = 1, table: str = 'T') -> Result{index}:\n"
        f'    """Work number {index}."""\n    return {{"rows": rows, "table": json.dumps(table)}}\n'
    )


def _work(index: int) -> list[str]:
    if index % 2:
        step = f"work.module_{index // 2 % MODULES}.work_{index // 2 // MODULES % FUNCTIONS}"
        return [f"      step: {step}", f"      with: {{rows: {index}, table: TABLE_{index}}}"]
    return [f"      sql: insert into target_{index} select * from source_{index}"]


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
