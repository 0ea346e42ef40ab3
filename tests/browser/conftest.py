"""A real browser, Debian's Chromium, and pages that it opens from files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
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


VIEW = {"width": 1400, "height": 800}


class Browser:
    """A browser, and its page for files: an eighth of the processor time of a new one opens another file in it."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._page_for_files: Any = None

    @contextmanager
    def open(self, what: Path | str, at: datetime | None = None, **context: Any) -> Iterator[Opened]:
        """A file, or the page at an address, in a fresh profile, with the clock set if it is given."""
        if isinstance(what, Path) and at is None and set(context) <= {"viewport", "color_scheme"}:
            with self._open_file(what, **context) as found:
                yield found
            return
        made = self._browser.new_context(**{"viewport": VIEW, **context})
        try:
            page = made.new_page()
            if at is not None:
                page.clock.set_fixed_time(at)
            with opened(page, what) as found:
                yield found
        finally:
            made.close()

    @contextmanager
    def _open_file(
        self, file: Path, viewport: Mapping[str, int] = VIEW, color_scheme: str = "light"
    ) -> Iterator[Opened]:
        """A file in a page that has shown others. Nothing of these is left: files of ours store nothing."""
        page = self._page_for_files or self._browser.new_context().new_page()
        self._page_for_files = None
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        with opened(page, file) as found:
            yield found
        page.goto("about:blank")
        page.mouse.move(-1, -1)
        self._page_for_files = page  # that of a test that failed is not used again


@contextmanager
def opened(page: Any, what: Path | str) -> Iterator[Opened]:
    """What is opened in a page, and all that the browser says about it."""
    page.set_default_timeout(15_000)
    found = Opened(page)
    listeners = {
        "console": lambda message: found.said.append(message.text),
        "pageerror": lambda error: found.said.append(str(error)),
        "dialog": lambda dialog: (found.said.append(dialog.message), dialog.dismiss()),
        "request": lambda request: found.asked.append(request.url),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    page.goto(what.as_uri() if isinstance(what, Path) else what)
    yield found
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


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
