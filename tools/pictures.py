"""Takes the screenshots in docs/pictures/ anew, with Playwright and the Chromium that is installed.

python tools/pictures.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.unit.pictured_graphs import compiled, review_of, six, six_hundred, sixty  # noqa: E402

from sfml.render.page.drawing import Drawing, drawing_of, drawing_of_diff  # noqa: E402
from sfml.render.page.html import html  # noqa: E402

OPEN = "document.querySelector('a.card.alter').dispatchEvent(new MouseEvent('click', {cancelable: true}))"
FIT = "document.querySelector('[data-zoom=fit]').click()"
SMALLER = "document.querySelector('[data-zoom=out]').click()"
FIND = """
  const find = document.querySelector("input[type=search]");
  find.value = "region_42";
  find.dispatchEvent(new Event("input"));
  find.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
"""

SHOTS: tuple[tuple[str, Drawing, str, int, str], ...] = (
    ("six", drawing_of(compiled(six())), "dark", 400, FIT),
    ("six-changed", drawing_of_diff(review_of(six())), "light", 560, f"{FIT};{OPEN}"),
    ("sixty-changed", drawing_of_diff(review_of(sixty())), "light", 560, SMALLER),
    ("six-hundred", drawing_of(compiled(six_hundred())), "dark", 560, FIND),
)
"""Name, what is drawn, light or dark, how high, and what is done before."""


def main() -> None:
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    program = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, drawing, scheme, height, done in SHOTS:
            file = Path(made) / f"{name}.html"
            file.write_text(html(drawing.title, (drawing,)), encoding="utf-8")
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": height})
            page.goto(file.as_uri())
            page.evaluate(f"() => {{ {done}; document.activeElement.blur() }}")
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
