"""The examples of docs/deploying.md about plans, drift and import are what the commands print.

With SFML_UPDATE_GOLDENS=1 what they print is written into the page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT, Done, Project
from here import Here

PAGE = ROOT / "docs" / "deploying.md"
SPEC = "specs/shop.yaml"
JOBS = """version: 1
config: {threshold: 0.4}
tasks:
  load: {sql: insert into ORDERS select * from STAGED, timeout: 30m}
  check:
    step: shop.gate.check
    after: [load]
    with: {at_least: 0.3}
    outcomes: [report]
  report: {sql: select count(*) from ORDERS}
"""
GATE = """from typing import Literal
from sfml_steps import Context, step

@step
def check(ctx: Context, at_least: float) -> Literal["report"]:
    return "report"
"""
THEIRS = (
    "create task NIGHTLY warehouse = LOCAL_WH schedule = '12 HOURS' as select 1",
    "create task CLEAN_UP warehouse = LOCAL_WH after NIGHTLY user_task_timeout_ms = 600000 as delete from STAGED",
    "alter task CLEAN_UP resume",
    "alter task NIGHTLY resume",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Here(tmp_path_factory.mktemp("page"))
    project.write(
        "sfml.yaml",
        "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true, schema: SHOP}\n",
    )
    project.write(
        SPEC,
        "version: 1\npipeline: shop\ngraph: shop/job_config.yaml\n"
        "schedule: {cron: '0 3 * * *', timezone: Europe/Berlin}\n",
    )
    project.write("specs/shop/job_config.yaml", JOBS)
    project.write("steps/shop/__init__.py", "")
    project.write("steps/shop/gate.py", GATE)
    project.sfml("local", "start")
    project.sfml("apply", SPEC, "--auto-approve", "-q", "--user", "tester")
    yield project
    project.sfml("local", "stop", ok=None)


def sql(project: Project, *statements: str) -> None:
    project.sfml("local", "sql", ";\n".join(("use schema SFML.SHOP", *statements)))


def test_the_page_shows_what_is_printed(shop: Project) -> None:
    jobs = "specs/shop/job_config.yaml"
    shop.edit(jobs, "timeout: 30m", "timeout: 1h")
    shop.edit(jobs, "at_least: 0.3", "at_least: 0.2")
    shop.edit("steps/shop/gate.py", 'return "report"', 'return "report" if at_least else "report"')
    holds("sfml plan specs/shop.yaml --out plan.json", shop.sfml("plan", SPEC, "--out", "plan.json"))
    shop.sfml("apply", "plan.json")
    holds("sfml apply plan.json", shop.sfml("apply", "plan.json", ok=False))

    shop.edit(jobs, "  report: {sql", "  count_orders: {sql")
    shop.edit(jobs, "outcomes: [report]", "outcomes: {report: count_orders}")
    shop.edit(jobs, "tasks:\n", "moved: [{from: report, to: count_orders}]\ntasks:\n")
    shop.sfml("apply", SPEC, "--auto-approve", "-q", "--user", "tester")
    sql(
        shop,
        "alter task SHOP suspend",
        "alter task SHOP$LOAD set user_task_timeout_ms = 7200000",
        "alter task SHOP$LOAD set warehouse = BIG_WH",
        "alter task SHOP$CHECK modify when 1 = 1",
        "alter task SHOP resume",
    )
    holds("sfml drift specs/shop.yaml", shop.sfml("drift", SPEC))
    holds("sfml drift specs/shop.yaml --accept", shop.sfml("drift", SPEC, "--accept"))
    sql(shop, *THEIRS)
    holds("sfml import NIGHTLY", shop.sfml("import", "NIGHTLY"))
    holds("sfml plan specs/nightly.yaml --adopt", shop.sfml("plan", "specs/nightly.yaml", "--adopt"))


def holds(command: str, done: Done) -> None:
    """The block of the page that begins with this command goes on with what it printed, dates and the like aside."""
    page = PAGE.read_text(encoding="utf-8")
    printed = done.text.strip("\n")
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        block = f"```console\n$ {command}\n{shown(printed)}\n```"
        page = re.sub(
            rf"```console\n\$ {re.escape(command)}\n.*?```", lambda _: block, page, count=1, flags=re.DOTALL
        )
        PAGE.write_text(page, encoding="utf-8")
    blocks = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    shown_there = [text for typed, text in blocks if typed == command]
    assert shown_there, f"the page does not show: {command}"
    assert masked(shown_there[0].strip("\n")) == masked(shown(printed))


def shown(text: str) -> str:
    """The output without what is true of the local Snowflake alone, and trailing blanks."""
    lines = [line.rstrip() for line in text.splitlines() if "schedules fire while" not in line]
    return "\n".join(lines)


def masked(text: str) -> str:
    for pattern, word in (
        (r"\w{3} \d+ \w{3} \d\d:\d\d(?: \w+)?", "<time>"),
        (r"\(in [^)]*\)", "(in …)"),
        (r"\b[0-9a-f]{12}\b", "<hash>"),
        (r"by \S+,", "by <user>,"),
        (r"\s*your time .*", ""),
        (r"(<time>)(?: · <time>)*", r"\1"),
    ):
        text = re.sub(pattern, word, text)
    return text
