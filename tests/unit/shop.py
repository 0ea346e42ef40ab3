"""Small pipelines read from text, for tests of how they behave."""

from __future__ import annotations

from pathlib import Path

from sfml.base.source import Span
from sfml.frontend.reading import read
from sfml.graph_tests.selection import chosen_tests, verdict
from sfml.graph_tests.verdict import Verdict
from sfml.ways.shape import Behaviour

PROJECT = """version: 1
defaults: {run_on: {warehouse: WH}}
targets:
  local: {kind: local, default: true}
  other: {kind: local}
"""

HEAD = "version: 1\npipeline: shop\n"

BRANCH = """graph:
  tasks:
    prepare: {sql: select 1}
    gate: {call: CHECK_STOCK, after: [prepare], outcomes: {good: publish, bad: [tell, ticket], same: []}}
    publish: {sql: select 1}
    tell: {sql: select 1}
    ticket: {sql: select 1, after: [tell], run_if: all_done}
    done: {sql: select 1, after: [publish, tell], run_if: none_failed_min_one_succeeded}
  finalizer: {clean: {sql: select 1}}
"""


def behaviour(folder: Path, text: str, target: str | None = None) -> Behaviour:
    """The pipeline of an entry file's text after its first two lines."""
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "shop.yaml").write_text(HEAD + text, encoding="utf-8")
    reading = read(folder / "shop.yaml", target=target, cwd=folder)
    assert reading.graph is not None, [finding.message for finding in reading.diagnostics]
    return Behaviour(reading.graph)


def verdicts(folder: Path, text: str, target: str | None = None) -> list[Verdict]:
    """What becomes of its tests."""
    found = behaviour(folder, text, target)
    return [verdict(found, test) for test in chosen_tests(found.graph)]


def told(folder: Path, one: Verdict) -> list[str]:
    """Each finding behind the words that it stands at, with its reason."""
    lines = (folder / "shop.yaml").read_text(encoding="utf-8").splitlines()
    return [
        f"{_marked(lines, finding.span)} | {finding.message.partition(': ')[2]}"
        + (f" ({finding.label})" if finding.label else "")
        for finding in one.findings
        if finding.span is not None
    ]


def _marked(lines: list[str], span: Span) -> str:
    return lines[span.start.line - 1][span.start.column - 1 : span.end.column - 1]
