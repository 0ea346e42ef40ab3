"""Pictures and pages as text: well-formed whatever things are called, self-contained, and the same each time."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictured_graphs import changed, compiled, edited, graph_of, review_of, six, six_hundred, sixty, step

from sfml.graph.model import TaskNode
from sfml.plan.model import Action, FieldChange, Reason, Risk, RiskLabel
from sfml.render.merged import merged
from sfml.render.page.drawing import Card, Drawing, NextRuns, Wire, drawing_of, drawing_of_diff
from sfml.render.page.html import html
from sfml.render.page.shapes import KINDS, PLACES
from sfml.render.page.style import MARKS, PALETTE, page_script, page_style
from sfml.render.page.svg import svg
from sfml.render.page.words import mono_width, shortened
from sfml.render.printable import printable

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "</script><script>alert(1)</script>",
    "</style></title></svg></details>",
    '" onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "]]><!--",
    "javascript:alert(1)",
    "&lt;b&gt; &#60;b&#62;",
    "{{ 7*7 }}",
    "\u202egnp.exe\x00\x1b[31m\ufffe\ud800",
    "a" * 500,
    "\n\n<pre>\t",
    "",
)
texts = st.sampled_from(HOSTILE) | st.text(max_size=30) | st.text("<>&\"'=/!-[]`\n ", max_size=20)


class Reader(HTMLParser):
    """What a page is made of, as far as it matters what it can do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ended: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.raw: dict[str, str] = {}
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += ((tag, name, value) for name, value in attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.ended.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.ended.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("script", "style") and self.tags[-1] not in self.raw:
            self.raw[self.tags[-1]] = data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


EMPTY = {"meta", "input", "br"}
WRITTEN = """
    lang charset http-equiv content name class id aria-labelledby aria-label aria-live aria-hidden role for type
    placeholder autocomplete spellcheck data-zoom data-find title tabindex viewbox width height d x y cx cy r rx
    transform href scope colspan data-next data-cron data-zone
"""
ATTRIBUTES = frozenset(WRITTEN.split())
"""Every attribute that a page has; there is none that runs, loads or styles anything."""


several = st.lists(texts, max_size=2).map(tuple)
maybe = st.none() | texts
changes = st.lists(
    st.builds(FieldChange, texts, maybe, texts | st.integers(), st.just(Reason.SPEC_CHANGED), maybe),
    max_size=2,
).map(tuple)
decks = st.lists(
    st.builds(
        Card,
        texts,
        st.sampled_from(sorted(KINDS)),
        st.sampled_from([None, *PLACES]),
        st.lists(texts, min_size=1, max_size=3).map(tuple),
        st.sampled_from(Action),
        st.booleans(),
        st.booleans(),
        several,
        st.lists(st.tuples(texts, several), max_size=2).map(tuple),
        changes,
        changes,
        st.lists(st.builds(Risk, st.just(RiskLabel.GATE), texts), max_size=1).map(tuple),
        maybe,
        texts,
        maybe,
        maybe,
        st.none() | st.builds(NextRuns, texts, texts, texts),
    ),
    min_size=1,
    max_size=5,
)


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Anything at all written in every place."""
    cards = draw(decks)
    first = replace(cards[0], is_finalizer=False)
    flow = [0, *(at for at, card in enumerate(cards) if at and not card.is_finalizer)]
    wires = st.builds(
        Wire, st.sampled_from(flow), st.none() | st.sampled_from(flow), texts, st.sampled_from(Action)
    )
    return Drawing(
        draw(texts),
        draw(several),
        (first, *cards[1:]),
        tuple(one for one in draw(st.lists(wires, max_size=6)) if one.above != one.below),
        draw(st.booleans()),
        draw(changes),
        draw(several),
    )


@given(drawings(), texts)
def test_nothing_breaks_out_of_a_page(drawing: Drawing, title: str) -> None:
    page = html(title, (drawing, drawing), (title,))
    page.encode()
    found = Reader(page)
    assert found.tags.count("script") == found.tags.count("style") == 1
    assert found.raw == {"style": page_style(), "script": page_script()}
    assert sorted(one for one in found.tags if one not in EMPTY) == sorted(found.ended)
    assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
    links = [value or "" for _, name, value in found.attributes if name == "href"]
    assert all(re.fullmatch(r"#p\d+(-[nt]\d+)?", link) for link in links)
    for card in drawing.cards:
        assert printable(card.name) in found.text


@given(drawings())
def test_nothing_breaks_out_of_a_picture(drawing: Drawing) -> None:
    root = ElementTree.fromstring(svg(drawing))
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "style", "rect", "text", "g", "path", "circle"}
    assert not any(name.startswith("on") or "href" in name for one in root.iter() for name in one.attrib)
    for card, shown in zip(drawing.cards, root.iterfind(f".//{SVG}g[@transform]/{SVG}title"), strict=False):
        assert (shown.text or "").startswith(printable(card.name))


def test_a_page_reaches_for_nothing_outside() -> None:
    page = html("clv", (drawing_of(compiled(six())),))
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    for text in (page, svg(drawing_of(compiled(six())))):
        assert not re.search(r"(src|href)=[\"'](?!#)|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_same_graph_is_the_same_page() -> None:
    one, two = (html("x", (drawing_of_diff(review_of(sixty())),)) for _ in range(2))
    assert one == two
    assert svg(drawing_of(compiled(six_hundred()))) == svg(drawing_of(compiled(six_hundred())))


def test_every_change_has_a_mark_of_its_own() -> None:
    found = drawing_of_diff(review_of(six()))
    actions = {card.name: card.action for card in found.cards}
    assert actions == {
        "clv": Action.UNCHANGED,
        "prepare_data": Action.UNCHANGED,
        "train_model": Action.ALTER,
        "check_model_quality": Action.ALTER,
        "publish_model": Action.MOVE,
        "compare_with_baseline": Action.CREATE,
        "cleanup": Action.UNCHANGED,
        "send_alert": Action.DROP,
    }
    wires = {(found.cards[wire.above].name, wire.label): wire.action for wire in found.wires}
    assert wires["check_model_quality", "same"] is Action.CREATE
    assert wires["check_model_quality", "send_alert"] is Action.DROP
    root = ElementTree.fromstring(svg(found))
    signs = [one.text for one in root.iterfind(f".//{SVG}g[@class='badge']/{SVG}text")]
    assert sorted(signs) == sorted("~~→+−")


def test_an_opened_task_says_old_and_new_and_where() -> None:
    page = html("x", (drawing_of_diff(review_of(six())),))
    text = re.sub(r"<[^>]+>", " ", page)
    assert "4 h" in text and "6 h" in text
    assert "specs/clv/job_config.yaml:" in text
    task = compiled(six()).desired.tasks[0]
    assert task.fingerprint in page and (task.code_sha256 or "?") in page


def test_nothing_is_marked_where_all_of_it_is_new() -> None:
    found = drawing_of(compiled(six()))
    assert not found.is_diff
    assert {card.action for card in found.cards} == {Action.UNCHANGED}
    assert {wire.action for wire in found.wires} == {Action.UNCHANGED}


def test_both_sides_of_a_diff_are_in_the_graph_once() -> None:
    base = six()
    found = merged(changed(base, edited(base)))
    assert list(found.tasks)[-1] == "send_alert"
    assert "promote_model" not in found.tasks and found.tasks["publish_model"].before == "promote_model"
    same = merged(changed(base, base))
    assert {edge.action for edge in same.edges} == {Action.UNCHANGED}


def test_a_task_that_becomes_the_finalizer_is_drawn_as_one_and_back() -> None:
    base = six()
    *others, last = base.tasks
    head = replace(
        base,
        tasks=tuple(_without_outcome(node, last.name) for node in others),
        finalizer=replace(last, after=(), is_finalizer=True),
    )
    for target in (changed(base, head), changed(head, base)):
        found = drawing_of_diff(target)
        ElementTree.fromstring(svg(found))
        assert Action.REPLACE in {card.action for card in found.cards if card.name == last.name}


def _without_outcome(node: TaskNode, task: str) -> TaskNode:
    if node.outcomes is None:
        return node
    return replace(node, outcomes={name: tasks for name, tasks in node.outcomes.items() if task not in tasks})


def test_edges_that_run_both_ways_between_two_states_are_both_drawn() -> None:
    base = graph_of((step("a"), step("b", "a"), step("c", "b")))
    head = graph_of((step("b"), step("a", "b"), step("c", "a")))
    found = drawing_of_diff(changed(base, head))
    ElementTree.fromstring(svg(found))
    wires = {
        (found.cards[one.above].name, found.cards[one.below or 0].name): one.action for one in found.wires
    }
    assert wires["a", "b"] is Action.DROP and wires["b", "a"] is Action.CREATE


def test_names_keep_their_ends_when_they_are_cut() -> None:
    name = "train_customers_of_region_" + string.ascii_lowercase
    short = shortened(name, 14, 160)
    assert mono_width(short, 14) <= 160
    assert short.startswith("train_") and short.endswith("xyz") and "…" in short


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("half", PALETTE)
def test_colors_can_be_told_apart(half: str) -> None:
    """https://www.w3.org/TR/WCAG22/: 4.5 for text, 3 for what is drawn."""
    colors = PALETTE[half]
    grounds = ("page", "panel", "card")
    marks = sorted(set(MARKS.values()))
    text = [(role, ground) for role in ("ink", "soft", "link", *marks) for ground in grounds]
    text += [(role, f"{role}-card") for role in marks] + [("ink", f"{role}-card") for role in marks]
    text += [("soft", f"{role}-card") for role in marks] + [("on-badge", role) for role in marks]
    for one, two in text:
        assert contrast(colors[one], colors[two]) >= 4.5, f"{one} on {two}"
    drawn = [(role, ground) for role in ("edge", "line", "focus") for ground in ("page", "card")]
    drawn += [("icon", "tile"), ("icon", "card"), *(("icon", f"{role}-card") for role in marks)]
    for one, two in drawn:
        assert contrast(colors[one], colors[two]) >= 3, f"{one} on {two}"
