"""Fixes against the text: where they are, what they change, and that they change nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.diagnostic import Fix, renaming
from sfml.base.fixes import fixed, pinned
from sfml.base.source import Span, source_lines


def whole(text: str) -> Span:
    lines = source_lines(text)
    return Span.of("f", 1, 1, len(lines), len(lines[-1]) + 1)


def at(fix: Fix | None) -> tuple[int, int, int, int]:
    assert fix is not None
    return (fix.span.start.line, fix.span.start.column, fix.span.end.line, fix.span.end.column)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("fit", (1, 1, 1, 4)),
        ('"fit"', (1, 2, 1, 5)),
        ("a\n  ${fit.rows}", (2, 5, 2, 8)),
        ("a\r\n  ${fit.rows}", (2, 5, 2, 8)),
        ("é\u2028日本: fit", (2, 5, 2, 8)),
        ("😀 fit", (1, 3, 1, 6)),
    ],
)
def test_a_fix_is_pinned_to_its_word(text: str, place: tuple[int, int, int, int]) -> None:
    assert at(pinned(Fix(whole(text), "fit", "x"), text)) == place


@pytest.mark.parametrize("text", ["", "fitted", "refit", "fit fit", "{{ var.name }}", "f it"])
def test_what_is_not_there_once_is_not_fixed(text: str) -> None:
    assert pinned(Fix(whole(text), "fit", "x"), text) is None


def test_a_place_beyond_the_text_is_no_place() -> None:
    assert pinned(Fix(Span.of("f", 9, 1, 9, 4), "fit", "x"), "fit\n") is None
    assert fixed("fit\n", [Fix(Span.of("f", 9, 1, 9, 4), "fit", "x")]) == ("fit\n", ())


def test_of_overlapping_fixes_the_first_counts() -> None:
    first = Fix(Span.of("f", 1, 1, 1, 4), "abc", "x")
    second = Fix(Span.of("f", 1, 3, 1, 6), "cde", "y")
    third = Fix(Span.of("f", 1, 6, 1, 7), "f", "z")
    assert fixed("abcdef", [third, second, first, first]) == ("xdez", (first, third))


def test_a_text_that_moved_on_is_left_alone() -> None:
    assert fixed("new", [Fix(Span.of("f", 1, 1, 1, 4), "old", "x")]) == ("new", ())


BREAKS = st.sampled_from(("\n", "\r\n", "\r", "\x85", "\u2028"))
LINES = st.text(
    st.characters(blacklist_characters="\n\r\x85\u2028\u2029", blacklist_categories=("Cs",)), max_size=9
)


@given(
    st.lists(st.tuples(LINES, BREAKS), max_size=4),
    LINES,
    LINES,
    st.lists(st.tuples(LINES, BREAKS), max_size=4),
)
def test_everything_around_a_fix_stays(
    before: list[tuple[str, str]], left: str, right: str, after: list[tuple[str, str]]
) -> None:
    head = "".join(map("".join, before)) + left
    tail = right + "".join(map("".join, after))
    source = f"{head}\x00old\x00{tail}"
    fix = pinned(Fix(whole(source), "\x00old\x00", "new"), source)
    if fix is not None:
        assert fixed(source, [fix])[0] == f"{head}new{tail}"


@pytest.mark.parametrize(
    ("word", "known", "new"),
    [
        ("prepare_dta", ("prepare_data", "send_alert"), "prepare_data"),
        ("retrys", ("retries", "timeout"), "retries"),
        ("trian", ("train", "trial"), None),
        ("xyz", ("train",), None),
        ("rain", ("terrain_a",), None),
        ("nul", ("null",), None),
        ("one twoo", ("one two",), None),
        ("x" * 200, ("x" * 199,), None),
    ],
)
def test_a_word_is_renamed_when_only_one_thing_can_be_meant(
    word: str, known: tuple[str, ...], new: str | None
) -> None:
    fix = renaming(whole(word), word, known)
    assert (fix.new if fix else None) == new
    assert renaming(None, word, known) is None
