"""What docs/deploying.md shows of rollbacks and removals is what the commands print."""

from __future__ import annotations

import re

from pages import DOCS, masked
from small import Small


def test_the_page_shows_what_is_printed(small: Small) -> None:
    apply = ("apply", "specs/small.yaml", "--auto-approve", "--user", "ada")
    assert small.run(*apply)[0] == 0
    small.edit("select 2", "select 22")
    assert small.run(*apply, "--reason", "new second")[0] == 0
    shows("sfml history specs/shop.yaml --deployments", small)
    shows("sfml rollback specs/shop.yaml --auto-approve", small)
    shows("sfml destroy specs/shop.yaml --auto-approve", small)


def shows(command: str, small: Small) -> None:
    """Run it, and hold the page's block against what it printed."""
    code, printed = small.run(*command.replace("shop", "small").split()[1:])
    assert code == 0, printed
    page = (DOCS / "deploying.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```console\n\$ {re.escape(command)}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert timeless(printed) == timeless(block)


def timeless(text: str) -> str:
    """The text without names of the test, days, and what is true of the local Snowflake alone."""
    for pattern, word in (
        (r".*schedules fire while.*\n\n?", ""),
        (r".*your time.*\n", ""),
        (r"TEST_\d+\.", "SFML."),
        (r"\w{3} \d+ \w{3} \d\d:\d\d", "<time>"),
        (r"(<time>)( · <time>)+", r"\1"),
        (r"\(in [^)]*\)", "(in …)"),
    ):
        text = re.sub(pattern, word, text)
    return re.sub(r"\n+", "\n", masked(text))
