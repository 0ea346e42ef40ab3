"""`sfml diff` on a repository of many pipelines, beside validating them all: its time grows with the change."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from generated import many_pipelines
from processes import medians

SFML = str(Path(sys.executable).with_name("sfml"))
PIPELINES = 200
CHANGED = (1, 10, 50)


def measured(folder: Path, rounds: int = 5) -> Iterator[str]:
    """A row for each size of change, and for validating everything."""
    specs = many_pipelines(folder, PIPELINES)
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "Many pipelines")
    for count in CHANGED:
        _git(folder, "checkout", "-q", "-b", f"changes-{count}", "main")
        for path in sorted(specs.glob("*.yaml"))[:count]:
            path.write_text(path.read_text(encoding="utf-8").replace("insert into", "insert overwrite into"))
        _git(folder, "commit", "-q", "-a", "-m", f"Change {count}")
    _git(folder, "checkout", "-q", "main")
    commands: dict[str, Sequence[str]] = {
        f"`sfml diff`, {count} changed": (
            SFML,
            "diff",
            "specs",
            "--base",
            "main",
            "--head",
            f"changes-{count}",
        )
        for count in CHANGED
    }
    commands["`sfml validate`, all"] = (SFML, "validate", "specs", "--quiet")
    taken = medians(commands, folder, rounds)
    whole = taken["`sfml validate`, all"]
    yield f"| {PIPELINES} pipelines of 10 tasks | time | CPU | beside validating all | memory |"
    yield "|---|---:|---:|---:|---:|"
    for name, one in taken.items():
        share = f"{one.cpu / whole.cpu:.2f} × the CPU"
        yield f"| {name} | {one.wall:.2f} s | {one.cpu:.2f} s | {share} | {one.memory / 1e6:.0f} MB |"


def _git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(("git", *arguments), cwd=folder, env={**os.environ, **names}, check=True)
