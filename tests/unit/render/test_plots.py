"""Plots: round numbers at their axes, a mark for each value, and nothing of a name that is not text."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.render.page.plots import (
    Bar,
    Point,
    duration_ticks,
    durations_svg,
    metric_svg,
    number_ticks,
    outcomes_svg,
)

HOSTILE = "<script>alert(1)</script> & \"'\u202e"
BARS = (
    Bar(4_200.0, "SUCCEEDED", "✓", HOSTILE, "/p/a/", HOSTILE),
    Bar(None, "EXECUTING", "●", "goes on", "/p/b/", "b"),
    Bar(0.0, "FAILED", "✗", "at once", "/p/c/", "c"),
)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (1.0, (0, 100)),
        (4_200.0, (0, 2_000, 4_000, 6_000)),
        (60_000.0, (0, 30_000, 60_000)),
        (7_200_000.0, (0, 1_800_000, 3_600_000, 5_400_000, 7_200_000)),
    ],
)
def test_durations_have_round_numbers_of_seconds_minutes_and_hours(
    most: float, ticks: tuple[int, ...]
) -> None:
    assert duration_ticks(most) == ticks


@given(st.floats(1, 1e10))
def test_the_axis_of_durations_reaches_the_longest(most: float) -> None:
    ticks = duration_ticks(most)
    assert ticks[0] == 0 and ticks[-1] >= most
    assert 2 <= len(ticks) <= 6


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_the_axis_of_numbers_encloses_them(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    ticks = number_ticks(low, high)
    assert ticks == tuple(sorted(set(ticks)))
    assert 2 <= len(ticks) <= 6
    room = 1e-9 * max(abs(low), abs(high), 1e-300)
    assert ticks[0] <= low + room and ticks[-1] >= high - room


def test_each_run_is_a_link_with_its_state_in_words_and_a_sign() -> None:
    svg = ElementTree.fromstring(durations_svg(BARS, 5_000.0, HOSTILE))
    links = svg.findall("a")
    assert [link.get("href") for link in links] == ["/p/a/", "/p/b/", "/p/c/"]
    assert [link.find("text").text for link in links] == ["✓", "●", "✗"]  # type: ignore[union-attr]
    assert "script" not in {element.tag for element in svg.iter()}
    assert (links[0].get("aria-label") or "").startswith("<script>alert(1)</script> & \"'")
    assert "\u202e" not in ElementTree.tostring(svg, encoding="unicode")
    assert svg.findall("text")[-1].text == "usual 5.0 s"


def test_an_outcome_is_a_row_and_a_version_a_point() -> None:
    outcomes = ElementTree.fromstring(outcomes_svg([(HOSTILE, [0, 2]), ("other", [1])], BARS, "about"))
    assert [circle.get("cy") for circle in outcomes.iter("circle")] == ["17", "17", "41"]
    points = (Point(0.4, "V1", HOSTILE), Point(0.5, "V2", "V2", is_default=True))
    metric = ElementTree.fromstring(metric_svg(points, "about"))
    assert [one.get("class") for one in metric.iter("circle")] == ["dot d0", "ring", "dot d0"]
    assert math.isfinite(float(metric.get("width") or "nan"))
    ElementTree.fromstring(metric_svg(points[:1], "about"))
