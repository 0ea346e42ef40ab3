"""Parts and lanes have the settings of tasks that only ALTER TASK sets, which are read back by the root's record."""

from __future__ import annotations

import pytest
from small import APPLY, Small

SETTINGS = """    first: {sql: 'select 1', tags: {COST: ml}, log_level: DEBUG, contacts: {steward: ADA}}
    second: {sql: 'select 2', after: [first], tags: {COST: ml, OWNER: ada}}
"""
ALERTS = """schedule:
  version: 1
  schedule: {cron: '0 0 * * 0', timezone: UTC}
  log_level: ERROR
  tags: {COST: all}
  expect: {within: 1h}
  alerts: {channels: {email: MAIL}, events: [failure, late, suspended]}
"""
COPIES = (
    ("run", "specs/small.yaml", "--only", "first"),
    ("run", "specs/small.yaml", "--only", "first+"),
    ("run", "specs/small.yaml", "--only", "first", "--deployment", "1"),
    ("backfill", "specs/small.yaml", "--over", "n=1..2"),
)


@pytest.fixture
def marked(small: Small) -> Small:
    file = small.folder / "specs" / "small.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    head = "".join(line for line in lines if not line.startswith(("    ", "schedule")))
    head = head.replace("  tasks:", "  config: {n: 0}\n  tasks:")
    file.write_text(f"{head}{SETTINGS}{ALERTS}", encoding="utf-8")
    code, text = small.run(*APPLY)
    assert code == 0, text
    return small


@pytest.mark.parametrize("words", COPIES, ids=["task", "rest", "deployment", "backfill"])
def test_a_copy_has_the_settings_of_the_tasks(marked: Small, words: tuple[str, ...]) -> None:
    assert marked.run("run", "specs/small.yaml")[0] == 0
    marked.local.faults.forget_calls()
    code, text = marked.run(*words)
    assert code == 0, text
    said = [call.text for call in marked.local.calls if "SET TAG" in call.text or "LOG_LEVEL =" in call.text]
    assert any("COST" in one and "FIRST" in one for one in said) and any("DEBUG" in one for one in said), said
    assert marked.run("plan", "specs/small.yaml", "--detailed-exitcode")[0] == 0
