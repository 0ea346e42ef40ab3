"""What docs/deploying.md shows of an apply that is cut off is what the commands print."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from small import Small

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"


def test_the_page_shows_what_is_printed(small: Small) -> None:
    apply = ("apply", "specs/small.yaml", "--auto-approve", "--user")
    assert small.run(*apply, "ada")[0] == 0
    small.edit("select 2", "select 22")
    holds(small.run("apply", "specs/small.yaml", "--dry-run")[1], "sfml apply specs/shop.yaml --dry-run")
    small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGKILL, reason="new second")
    holds(small.run("status", "specs/small.yaml")[1], "sfml status specs/shop.yaml")
    holds(small.run(*apply, "eve", "--lock-timeout", "0")[1], "sfml apply specs/shop.yaml --auto-approve")
    restored = small.run(*apply, "ada", "--restore", "--force-unlock")[1]
    holds(restored, "sfml apply specs/shop.yaml --restore --force-unlock")
    _, stopped = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT, "before")
    holds(stopped, None)


def holds(printed: str, command: str | None) -> None:
    """Whether the page has a block with this command, or with none, that ends as what was printed ends."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    wanted = "  " if command is None else f"$ {command}\n"
    shown = [block.removeprefix(wanted) for block in blocks if block.startswith(wanted)]
    assert shown, f"the page does not show: {command}"
    ends = [masked(block.removeprefix("…\n")) for block in shown]
    assert any(masked(printed).endswith(end) for end in ends), masked(printed)


def masked(text: str) -> str:
    """The text without what is different each time: where and when it was, and how a table is laid out."""
    for pattern, word in (
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>"),
        (r"on \S+ \(process \d+\)", "on <host>"),
        (r"\b[0-9a-f]{12}\b", "<hash>"),
        (r"\d+\.\d s", "<seconds>"),
        (r"(?i)small", lambda found: "SHOP" if found.group().isupper() else "shop"),
        (r" {2,}", "  "),
    ):
        text = re.sub(pattern, word, text)
    return text.strip()
