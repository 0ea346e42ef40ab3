"""Whether a page of the documentation shows what commands print."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def holds(page: str, printed: str, command: str | None) -> None:
    """Whether the page has a block with this command, or with none, that ends as what was printed ends."""
    blocks = re.findall(
        r"^```console\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
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
        # How long a run took stands in its first line where it was over when it was first looked at.
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b(  +\d+\.\d s)?", "<run>"),
        (r"\b[0-9a-f]{8}\b", "<run>"),
        (r"\b[0-9a-f]{12}\b", "<hash>"),
        (r"\b[0-9a-f]{7}\b", "<commit>"),
        (r"(\d+ (h|min) )?\d+(\.\d)? s\b", "<seconds>"),
        (r"\b[A-Z][a-z]{2} \d+ [A-Z][a-z]{2} \d\d:\d\d( UTC)?", "<moment>"),
        (r"\(in [^)]*\)", "(in <while>)"),
        (r"(TEST_\d+|SFML)\.", "DB."),
        (r"(?i)small", lambda found: "SHOP" if found.group().isupper() else "shop"),
        (r" {2,}", "  "),
    ):
        text = re.sub(pattern, word, text)
    return text.strip()
