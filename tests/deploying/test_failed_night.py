"""From a failed night to a mended morning, as docs/operating.md tells it: its commands run, and print what it shows."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pages import masked
from small import APPLY, Small
from test_alerts import Outbox

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
HEAD = "## From a failed night to a mended morning"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FIX = "rows / 0"

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {day: '2026-11-29'}
  tasks:
    train: {step: own.night.train, with: {day: "${config.day}"}}
    report: {step: own.night.report, after: [train], with: {day: "${config.day}", rows: "${train.rows}"}}
schedule:
  version: 1
  schedule: {cron: '0 4 * * 0', timezone: UTC}
  alerts: {channels: {slack: ML_SLACK}}
"""
STEPS = """from sfml_steps import Context, step


def note(ctx: Context, name: str) -> None:
    ctx.session.sql(f"INSERT INTO NOTES VALUES ('{name}')").collect()


@step
def train(ctx: Context, day: str) -> dict[str, object]:
    note(ctx, "trained for " + day)
    return {"rows": 3, "summary": f"{day}: 3 rows"}


@step
def report(ctx: Context, day: str, rows: int) -> str:
    print("reporting", rows, "rows")
    mean = rows / 0
    note(ctx, "reported " + day)
    return f"a mean of {mean:g}"
"""


def story() -> list[str]:
    """The blocks of the page's section, in order."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{HEAD}\n")
    assert rest, HEAD
    return BLOCK.findall(rest.partition("\n## ")[0])


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with what it prints."""
    for part in block.removeprefix("$ ").split("\n$ "):
        command, _, printed = part.partition("\n")
        yield command, printed


def told(small: Small, block: str) -> str:
    """Run the commands of a block; returns the block as it should be."""
    parts = []
    for command, _ in commands(block):
        words = [re.sub(r"\bshop\b", "small", word) for word in shlex.split(command)]
        _, text = small.run(*words[1:])
        assert "internal error" not in text and "Usage:" not in text, text
        text = re.sub(r"\bsmall(?=  )", "shop ", text).replace("small", "shop").replace("SMALL", "SHOP")
        text = text.replace(small.local.database, "SFML")
        parts.append(f"$ {command}\n{text.strip()}\n")
    return "".join(parts)


LEFT_OUT = re.compile(r"  ● \S+ *(a mean of \S+)?|\(1 line of what runs your code left out: --all\)")
"""A task that was looked at before its end, and what a server tells that runs another Python than it is asked for."""


def told_the_same(block: str) -> str:
    """The block without what differs each time or with the Python."""
    return masked("\n".join(line for line in block.splitlines() if not LEFT_OUT.fullmatch(line)))


def test_the_page_tells_how_a_night_is_mended(small: Small) -> None:
    (small.folder / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    code_file = small.folder / "steps" / "own" / "night.py"
    code_file.parent.mkdir()
    (code_file.parent / "__init__.py").touch()
    code_file.write_text(STEPS, encoding="utf-8")
    outbox = Outbox(small)
    assert small.run(*APPLY)[0] == 0
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.NOTES (NAME STRING)")

    # The night: the run fails, and the channel is told once.
    assert small.run("run", "small")[0] == 1
    failure = "failed: report: ZeroDivisionError: division by zero"
    assert outbox.headlines() == [f"ML_SLACK: {failure}"]

    # The morning, block by block; after the second one, the step is mended.
    blocks = story()
    found = [told(small, blocks[0]), told(small, blocks[1])]
    assert "report: ZeroDivisionError" in found[0] and FIX in found[1] and "steps/own/night.py" in found[1]
    code_file.write_text(STEPS.replace(FIX, "rows / 3"), encoding="utf-8")
    found.append(told(small, blocks[2]))
    (recovery,) = outbox.headlines()
    assert recovery.startswith("ML_SLACK: recovered: it failed, since ")
    assert small.run("status", "small")[0] == 0
    found += [told(small, block) for block in blocks[3:]]
    assert "2 values: 2 succeeded" in "".join(found[3:]) and outbox.new() == [], "a backfill tells nobody"

    # What it did: it trained once for the night, and never again for what was recovered.
    rows = small.local.sql(f"SELECT NAME FROM {small.local.database}.SMALL.NOTES")
    days = ("2026-11-29", "2026-11-27", "2026-11-28")
    assert [str(row["NAME"]) for row in rows] == [
        f"{what} {day}" for day in days for what in ("trained for", "reported")
    ]
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        for before, after in zip(blocks, found, strict=True):
            page = page.replace(before, after)
        PAGE.write_text(page, encoding="utf-8")
        return
    for before, after in zip(blocks, found, strict=True):
        assert told_the_same(before) == told_the_same(after), after
    assert failure in page and "recovered: it failed, since " in page
