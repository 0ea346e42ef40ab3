"""What docs/deploying.md shows of an apply that is cut off is what the commands print."""

from __future__ import annotations

import signal

from pages import holds
from small import Small


def test_the_page_shows_what_is_printed(small: Small) -> None:
    apply = ("apply", "specs/small.yaml", "--auto-approve", "--user")
    assert small.run(*apply, "ada")[0] == 0
    small.edit("select 2", "select 22")
    holds(
        "deploying.md",
        small.run("apply", "specs/small.yaml", "--dry-run")[1],
        "sfml apply specs/shop.yaml --dry-run",
    )
    small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGKILL, reason="new second")
    holds("deploying.md", small.run("status", "specs/small.yaml")[1], "sfml status specs/shop.yaml")
    holds(
        "deploying.md",
        small.run(*apply, "eve", "--lock-timeout", "0")[1],
        "sfml apply specs/shop.yaml --auto-approve",
    )
    restored = small.run(*apply, "ada", "--restore", "--force-unlock")[1]
    holds("deploying.md", restored, "sfml apply specs/shop.yaml --restore --force-unlock")
    _, stopped = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT, "before")
    holds("deploying.md", stopped, None)
