"""What docs/operating.md shows beside its story: right specs, a backfill, and a decision that a person takes."""

from __future__ import annotations

import json
import re

from small import APPLY, Small
from test_failed_night import BLOCK, PAGE, told, told_the_same

YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

SHOP = """version: 1
pipeline: shop
graph:
  tasks:
    train_model: {sql: select 1, expect: {takes: 10m..20m}}
    check_model_quality:
      step: shop.gate.check_model_quality
      after: [train_model]
      outcomes: [promote_model, send_alert]
    promote_model: {sql: select 2}
    send_alert: {sql: select 3}
schedule: shop/schedule_config.yaml
"""
FILLED = """version: 1
pipeline: small
graph: {config: {day: '2026-11-01'}, tasks: {load: {sql: select 1}}}
schedule: {schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
GATE = '''from typing import Literal

from sfml_steps import Context, step


@step
def check_approval(ctx: Context, approved: bool) -> Literal["promote_model", "ask"]:
    """A person decides."""
    return "promote_model" if approved else "ask"


@step
def check_model_quality(ctx: Context) -> Literal["promote_model", "send_alert"]:
    return "promote_model"
'''
DECIDED = """version: 1
pipeline: small
graph:
  config: {approved: false}
  tasks:
    train_model: {sql: "call system$set_return_value('7')"}
    promote_model: {sql: select 'promoted'}
"""


def section(head: str) -> str:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {head}\n")
    assert rest, head
    return rest.partition("\n## ")[0]


def with_steps(small: Small) -> None:
    folder = small.folder / "steps" / "shop"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "gate.py").write_text(GATE, encoding="utf-8")


def test_the_specs_of_the_page_are_right(small: Small) -> None:
    specs = small.folder / "specs"
    (specs / "small.yaml").unlink()
    (schedule,) = YAML.findall(section("Alerts"))
    (watch,) = YAML.findall(section("Late and suspended"))
    with_steps(small)
    (specs / "shop").mkdir()
    (specs / "shop" / "schedule_config.yaml").write_text(schedule, encoding="utf-8")
    (specs / "shop.yaml").write_text(SHOP, encoding="utf-8")
    (specs / "watch.yaml").write_text(watch, encoding="utf-8")
    code, text = small.run("validate")
    assert code == 0 and "0 errors, 0 warnings in 2 pipelines" in text, text
    (specs / "watch.yaml").unlink()
    code, text = small.run("validate")
    assert code == 0 and "SF368" in text, "who asks to be told of lateness is told that nobody watches"


def test_the_backfill_of_the_page(small: Small) -> None:
    (small.folder / "specs" / "small.yaml").write_text(FILLED, encoding="utf-8")
    assert small.run(*APPLY)[0] == 0
    (block,) = BLOCK.findall(section("Backfill"))
    assert in_any_order(told(small, block)) == in_any_order(block)


def in_any_order(block: str) -> list[str]:
    """The lines, those of values sorted and without their number: two that run at once end in any order."""
    lines = [re.sub(r" +\(\d of \d\)$", "", line) for line in told_the_same(block).splitlines()]
    return sorted(lines, key=lambda line: (not line.startswith("$"), line)) if lines else lines


def test_a_person_decides_between_a_gate_and_a_part_of_the_run(small: Small) -> None:
    section_of_page = section("Waiting for a person, or for another pipeline")
    (gate,) = YAML.findall(section_of_page)
    assert "config: {approved: false}" in gate
    task = gate.partition("tasks:\n")[2]
    with_steps(small)
    indented = "".join(f"  {line}\n" for line in task.splitlines())
    alerts = "alerts: {gates: {check_approval: ask}, channels: {slack: ML_SLACK}}"
    assert "`alerts: {gates: {check_approval: ask}}`" in section_of_page
    (small.folder / "specs" / "small.yaml").write_text(
        f"{DECIDED}{indented}schedule: {{schedule: manual, {alerts}}}\n", encoding="utf-8"
    )
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("run", "specs/small.yaml", "-o", "json")
    states = {task["name"]: task["state"] for task in json.loads(text)["tasks"]}
    assert code == 0 and states["promote_model"] == "SKIPPED", "the run ends, and waits on no warehouse"
    sent = small.local.sql("SELECT MESSAGE FROM SNOWFLAKE.LOCAL.NOTIFICATIONS ORDER BY NUMBER DESC LIMIT 1")
    assert "check_approval" in str(sent)

    (command,) = re.findall(r"^```sh\nsfml (.*?)\n```", section_of_page, re.MULTILINE)
    code, text = small.run(*command.replace("SPEC", "specs/small.yaml").split(), "-o", "json")
    value = json.loads(text)
    states = {task["name"]: task["state"] for task in value["tasks"]}
    assert code == 0 and states["promote_model"] == "SUCCEEDED", text
    assert value["part"]["reuses"].keys() == {"train_model"}
