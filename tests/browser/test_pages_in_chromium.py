"""The page in a browser: it opens, nothing overlaps, and keys, filter and marks do what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import Browser
from tests.unit.pictured_graphs import compiled, review_of, six, six_hundred, sixty

from sfml.graph.model import CronSchedule
from sfml.plan.model import Action, FieldChange, Reason
from sfml.render.page.drawing import Card, Drawing, Wire, drawing_of, drawing_of_diff
from sfml.render.page.html import html
from sfml.render.page.svg import svg
from sfml.semantics.cron import next_fire, parse_cron

SIZES = {"6": six, "60": sixty, "600": six_hundred}

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll("a.card .box, .label rect")].map((one) => one.getBoundingClientRect());
  boxes.sort((a, b) => a.left - b.left);
  const found = [];
  boxes.forEach((a, at) => {
    for (const b of boxes.slice(at + 1)) {
      if (b.left > a.right) break;
      if (a.left < b.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) found.push([a, b]);
    }
  });
  return found.length;
}"""

OUTSIDE = """() => {
  const found = [];
  for (const card of document.querySelectorAll("a.card")) {
    const box = card.querySelector(".box").getBoundingClientRect();
    for (const text of card.querySelectorAll(":scope > text")) {
      const words = text.getBoundingClientRect();
      const inside = words.left >= box.left && words.right <= box.right && words.bottom <= box.bottom + 1;
      if (!inside) found.push(text.textContent);
    }
  }
  for (const label of document.querySelectorAll(".label")) {
    const [box, words] = ["rect", "text"].map((one) => label.querySelector(one).getBoundingClientRect());
    if (words.left < box.left || words.right > box.right) found.push(label.textContent);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Each of the three graphs with a change, in a file of its own."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, graph in SIZES.items():
        drawing = drawing_of_diff(review_of(graph()))
        found[name] = folder / f"{name}.html"
        found[name].write_text(html(drawing.title, (drawing,)), encoding="utf-8")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_opens_and_nothing_overlaps(
    browser: Browser, pages: Mapping[str, Path], size: str, scheme: str
) -> None:
    with browser.open(pages[size], color_scheme=scheme) as found:
        page = found.page
        assert page.locator("a.card").count() == len(SIZES[size]().all_tasks) + 2  # the root, and what is new
        assert page.evaluate(OVERLAPS) == 0
        assert page.evaluate(OUTSIDE) == []
        # What changes first is in view when the page opens, and large enough to be read.
        first = page.locator("a.card.alter .name").first
        assert first.bounding_box()["height"] >= 10
        view, card = page.locator(".view").bounding_box(), page.locator("a.card.alter").first.bounding_box()
        assert view["x"] <= card["x"] and card["x"] + card["width"] <= view["x"] + view["width"]
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        assert found.said == []
        assert found.asked == [pages[size].as_uri()]


SEEN = """() => {
  const view = document.querySelector(".view").getBoundingClientRect();
  return [...document.querySelectorAll("a.card .box")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < view.left || box.right > view.right || box.top < view.top || box.bottom > view.bottom;
  }).length;
}"""


@pytest.mark.parametrize(("width", "is_diff"), [(1280, True), (1280, False), (1000, False)])
def test_a_small_graph_opens_whole(browser: Browser, tmp_path: Path, width: int, is_diff: bool) -> None:
    drawing = drawing_of_diff(review_of(six())) if is_diff else drawing_of(compiled(six()))
    file = tmp_path / "six.html"
    file.write_text(html(drawing.title, (drawing,)), encoding="utf-8")
    with browser.open(file, viewport={"width": width, "height": 800}) as found:
        assert found.page.evaluate(SEEN) == 0
        assert found.page.locator("a.card .name").last.bounding_box()["height"] >= 9
        assert found.page.evaluate(OUTSIDE) == []


CRONS = (
    ("0 0 * * 0", "UTC"),
    ("30 2 * * *", "Europe/Berlin"),
    ("*/20 2,3 29 3 *", "Europe/Berlin"),
    ("15 1 * * *", "Australia/Lord_Howe"),
    ("0 9 L * *", "Asia/Kathmandu"),
    ("59 23 13 * FRIL", "America/New_York"),
    ("0 12 29 2 *", "UTC"),
)
OPENED = ("2026-10-24T22:30:00Z", "2026-03-28T23:30:00Z", "2026-11-30T03:00:00Z")


def test_the_next_runs_are_those_of_the_cron(browser: Browser, tmp_path: Path) -> None:
    base = six()
    drawings = []
    for cron, zone in CRONS:
        settings = replace(base.settings, schedule=CronSchedule(cron, zone))
        drawings.append(drawing_of(compiled(replace(base, settings=settings))))
    file = tmp_path / "crons.html"
    file.write_text(html("crons", drawings), encoding="utf-8")
    for opened in OPENED:
        now = datetime.fromisoformat(opened)
        with browser.open(file, at=now) as found:
            said = found.page.evaluate(
                "[...document.querySelectorAll('p[data-cron]')].map((one) => one.textContent)"
            )
            cards = found.page.evaluate(
                "[...document.querySelectorAll('text[data-cron]')].map((one) => one.textContent)"
            )
        for (cron, zone), three, one in zip(CRONS, said, cards, strict=True):
            assert three == f"next {', '.join(next_runs(cron, zone, now))}", (cron, zone, opened)
            assert three.startswith(one), (three, one)


def next_runs(cron: str, zone: str, now: datetime) -> list[str]:
    parsed, runs = parse_cron(cron, zone), []
    moment: datetime | None = now
    while len(runs) < 3 and (moment := next_fire(parsed, moment)) is not None:
        runs.append(f"{moment:%a} {moment.day} {moment:%b %H:%M}")
    return runs


def test_a_card_says_what_limits_a_task(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["6"], java_script_enabled=False) as found:
        root = found.page.locator("a.card.root")
        lines = root.locator("text").all_text_contents()
        assert lines[:4] == ["clv", "Sundays 00:00 UTC", "retries 1 · timeout 6 h", "cron 0 0 * * 0"]
        assert "Weekly customer lifetime value".startswith(lines[4].rstrip("…")[:20])
        train = found.page.get_by_role("link", name=re.compile("^train_model"))
        assert "timeout 6 h" in train.locator("text").all_text_contents()


def test_keys_alone_open_a_task_and_lead_back(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["6"]) as found:
        page = found.page
        page.locator(".view").focus()
        page.keyboard.press("Tab")
        focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        assert page.evaluate(focused).startswith("clv: root")
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        words = "train_model: step function, pool ML_POOL; timeout 6 h; changed: timeout"
        assert page.evaluate(focused).startswith(words)
        page.keyboard.press("Enter")
        task = page.locator("details.task[open]")
        assert task.count() == 1
        assert "timeout" in task.inner_text() and "4 h" in task.inner_text() and "6 h" in task.inner_text()
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert task.locator("dd code").first.inner_text() == compiled(six()).desired.tasks[1].code_sha256
        page.keyboard.press("Escape")
        assert page.evaluate(focused).startswith("train_model")
        page.keyboard.press("Tab")  # one stop for all cards
        assert page.evaluate("document.activeElement.closest('svg')") is None


def test_a_click_opens_a_task_and_dragging_moves_the_picture(
    browser: Browser, pages: Mapping[str, Path]
) -> None:
    with browser.open(pages["60"]) as found:
        page = found.page
        card = page.locator("a.card.alter").first
        card.click()
        assert page.locator("details.task[open] .task-name").inner_text() == "train_segment_1"
        place = card.bounding_box()
        view = page.locator(".view")
        box = view.bounding_box()
        start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] - 120, start[1] - 60, steps=4)
        page.mouse.up()
        assert abs(place["x"] - card.bounding_box()["x"] - 120) <= 2
        assert page.locator("details.task[open]").count() == 1


def test_find_leaves_what_is_looked_for(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["600"]) as found:
        page = found.page
        search = page.get_by_role("searchbox", name="Find")
        search.fill("check region_42")
        assert page.locator("details.task:visible").count() == 1
        assert page.locator("a.card:not(.dim)").count() == 1
        assert page.locator("output").inner_text() == "1 of 601 found"
        search.press("Enter")
        name = "check_customers_of_region_42"
        assert page.locator("details.task[open] .task-name").inner_text() == name
        assert page.locator("a.card:not(.dim)").bounding_box()["y"] > 0
        search.fill("")
        page.get_by_role("checkbox", name="only what changes").check()
        assert page.locator("details.task:visible").count() == 5


def test_marks_are_told_without_colour(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["6"], forced_colors="none") as found:
        page = found.page
        signs = {"create": "+", "alter": "~", "move": "→", "drop": "−"}
        for action, sign in signs.items():
            card = page.locator(f"a.card.{action}").first
            assert card.locator(".badge text").text_content() == sign
        dashes = "(one) => getComputedStyle(one).strokeDasharray"
        assert page.locator("a.card.drop .box").evaluate(dashes) != "none"
        assert page.locator("a.card.create .box").evaluate(dashes) == "none"
        assert page.locator(".wire.drop").first.evaluate(dashes) != "none"
        widths = [
            float(
                page.locator(f"{one} .box").first.evaluate(
                    "(one) => parseFloat(getComputedStyle(one).strokeWidth)"
                )
            )
            for one in ("a.card:not(.create)", "a.card.create")
        ]
        assert widths[1] > widths[0]
        assert "line-through" in page.locator("a.card.drop .name").evaluate(
            "(one) => getComputedStyle(one).textDecorationLine"
        )


def test_everything_has_a_role_and_a_name(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["6"]) as found:
        page = found.page
        for name in ("Smaller", "Larger", "Show all"):
            page.get_by_role("button", name=name).click()
        assert page.get_by_role("heading", level=1).inner_text() == "clv → prod"
        assert page.get_by_role("region", name="Graph of clv → prod").count() == 1
        assert page.get_by_role("complementary", name="Tasks of clv → prod").count() == 1
        assert (
            page.get_by_role("link", name=re.compile("^check_model_quality: branch, step function")).count()
            == 1
        )
        assert page.get_by_role("img", name="removed").count() == 1
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert len(ids) == len(set(ids))
        targets = page.evaluate(
            "[...document.querySelectorAll('[href]')].map((one) => one.getAttribute('href'))"
        )
        assert {target[1:] for target in targets} <= set(ids)
        assert page.evaluate("document.documentElement.lang") == "en"


def test_it_is_whole_without_its_script(browser: Browser, pages: Mapping[str, Path]) -> None:
    with browser.open(pages["6"], java_script_enabled=False) as found:
        page = found.page
        page.get_by_role("link", name=re.compile("^train_model")).click()
        page.locator("details.task[open]").wait_for()
        assert page.locator("details.task[open] .task-name").inner_text() == "train_model"


def test_of_several_graphs_one_is_shown(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "two.html"
    file.write_text(
        html("two", (drawing_of(compiled(six())), drawing_of(compiled(sixty())))), encoding="utf-8"
    )
    with browser.open(file) as found:
        page = found.page
        assert page.locator("section:visible").count() == 1
        page.locator("nav a").nth(1).click()
        page.locator("#p2").wait_for()
        assert page.locator("section:visible").get_attribute("id") == "p2"
        assert page.locator("nav a[aria-current]").get_attribute("href") == "#p2"
        assert page.locator("#p2 a.card .name").first.bounding_box()["height"] > 10
        assert found.said == []


def hostile() -> Drawing:
    """Names that would be markup or script anywhere but in a page that escapes them."""
    names = (
        "</script><script>window.owned = 1</script>",
        '"><img src=x onerror="window.owned = 2">',
        "</title></svg></style><style>a.card{display:none}</style>",
        "</details><iframe src=javascript:window.owned=3></iframe>",
    )
    cards = tuple(
        Card(
            name,
            "sql",
            "warehouse",
            (name, name),
            Action.ALTER,
            outcomes=((name, (name,)),),
            changes=(FieldChange(name, name, f"{name}\n{name}", Reason.SPEC_CHANGED, name),),
            written=name,
        )
        for name in names
    )
    wires = tuple(Wire(at, at + 1, name, Action.CREATE) for at, name in enumerate(names[:-1]))
    return Drawing(names[0], names, cards, wires, True, warnings=names)


def test_hostile_names_stay_text(browser: Browser, tmp_path: Path) -> None:
    drawing = hostile()
    file = tmp_path / "hostile.html"
    file.write_text(html(drawing.title, (drawing,), drawing.about), encoding="utf-8")
    with browser.open(file) as found:
        page = found.page
        page.locator("a.card").nth(1).click()
        assert page.evaluate("window.owned") is None
        assert page.locator("script").count() == page.locator("style").count() == 1
        assert page.locator("img, iframe, object, embed").count() == 0
        assert page.title() == drawing.title
        names = page.locator(".task-name").all_inner_texts()
        assert names == [card.name for card in drawing.cards]
        assert found.said == [] and len(found.asked) == 1


def test_the_policy_runs_nothing_but_the_page_s_own_script(
    browser: Browser, pages: Mapping[str, Path]
) -> None:
    """Had anything got through the escaping, it would not run, and could not send anything."""
    with browser.open(pages["6"]) as found:
        page = found.page
        added = """(text) => {
          const script = document.createElement("script");
          script.textContent = text;
          document.body.append(script);
          const image = "<img src='https://example.com/x.png' onerror='window.owned = 1'>";
          document.body.insertAdjacentHTML("beforeend", image);
        }"""
        page.evaluate(added, "window.owned = 1")
        page.wait_for_function("() => document.images.length === 1 && document.images[0].complete")
        assert page.evaluate("window.owned") is None
        assert any("Content Security Policy" in said for said in found.said)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_stands_alone(browser: Browser, tmp_path: Path, scheme: str) -> None:
    file = tmp_path / "graph.svg"
    file.write_text(svg(drawing_of(compiled(six()))), encoding="utf-8")
    with browser.open(file, color_scheme=scheme) as found:
        ground: Any = found.page.evaluate("getComputedStyle(document.querySelector('.ground')).fill")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        assert found.said == []
