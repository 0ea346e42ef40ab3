"""docs/decisions/README.md lists every page once, in the order of their numbers, each with a status."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
ROWS = re.findall(
    r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \| (.+) \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M
)


def test_every_page_is_listed_once_and_in_order() -> None:
    files = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))
    assert [file for _, file, _, _ in ROWS] == files
    assert all(file.startswith(number) for number, file, _, _ in ROWS)


def test_the_index_has_the_titles_of_the_pages() -> None:
    for number, file, title, _ in ROWS:
        first, _, _ = (FOLDER / file).read_text(encoding="utf-8").partition("\n")
        assert first == f"# {number}: {title}"


def test_every_decision_has_a_status() -> None:
    for number, _, _, status in ROWS:
        superseded = re.search(r"superseded by \[(\d{4})\]", status)
        assert status == "accepted" or superseded, number
        assert superseded is None or superseded[1] > number
