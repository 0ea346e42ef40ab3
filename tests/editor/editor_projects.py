"""Small projects for tests of editors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from language_client import LanguageClient

ROOT = Path(__file__).parents[2]
SFML = Path(sys.executable).parent / "sfml"
Start = Callable[..., LanguageClient]

GATE = '''from typing import Literal

from sfml_steps import Context, step


@step
def check(ctx: Context, value: float) -> Literal["good", "bad"]:
    """Whether it is good."""
    return "good" if value > 0 else "bad"
'''
PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true}
  dev: {connection: dev, account: A-B, owner_role: R, database: D, schema: S, warehouse: W, mode: development}
"""
PIPELINE = """version: 1
pipeline: small
graph:
  tasks:
    load: {sql: select 1}
    check:
      step: gate.check
      after: [load]
      with: {value: 1.5}
      outcomes: {good: keep, bad: []}
    keep: {sql: select 2}
"""


def project(folder: Path, pipeline: str = PIPELINE) -> Path:
    """A small project in a folder; its entry file."""
    (folder / "steps").mkdir(parents=True)
    (folder / "specs").mkdir()
    (folder / "sfml.yaml").write_text(PROJECT)
    (folder / "steps" / "gate.py").write_text(GATE)
    entry = folder / "specs" / "small.yaml"
    entry.write_bytes(pipeline.encode())
    return entry
