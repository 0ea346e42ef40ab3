"""A real browser, Debian's Chromium, and pages that it opens from files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Of several such arguments the last counts, which is not Playwright's: what of its own matters here is repeated.
    # For each profile Chromium would load two pages of its own, in a process of 0.3 s, below a bar that nobody sees,
    # and for each page start a process for the next one.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"
    ",LensOverlay,MediaRouter,OptimizationHints,PaintHolding,NetworkTimeServiceQuerying,PreconnectToSearch"
    ",SpareRendererForSitePerProcess",
)


@dataclass
class Opened:
    """A page, with all that the browser said about it."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Browser:
    browser: Any

    @contextmanager
    def open(self, what: Path | str, at: datetime | None = None, **context: Any) -> Iterator[Opened]:
        """A file, or the page at an address, in a fresh profile, with the clock set if it is given."""
        made = self.browser.new_context(**{"viewport": {"width": 1400, "height": 800}, **context})
        try:
            page = made.new_page()
            page.set_default_timeout(15_000)
            if at is not None:
                page.clock.set_fixed_time(at)
            found = Opened(page)
            page.on("console", lambda message: found.said.append(message.text))
            page.on("pageerror", lambda error: found.said.append(str(error)))
            page.on("dialog", lambda dialog: (found.said.append(dialog.message), dialog.dismiss()))
            page.on("request", lambda request: found.asked.append(request.url))
            page.goto(what.as_uri() if isinstance(what, Path) else what)
            yield found
        finally:
            made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module; it is closed with it, as is the event loop that drives it."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        why = "no Chromium here: apt-get install chromium"
        if os.environ.get("SFML_BROWSER") == "required":  # as in the gate
            pytest.fail(why)
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield Browser(launched)
        finally:
            launched.close()
