"""Places in texts: every offset goes to the protocol and back, whatever the lines end with.

The types of the protocol are imported where they are used: they take longer than these tests to collect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sfml.base import source
from sfml.base.source import Span

if TYPE_CHECKING:
    from sfml.lsp.positions import TextMap

ENCODINGS = ("utf-16", "utf-8", "utf-32")

TEXTS = st.text(alphabet=st.sampled_from("ab:\n\r\x85\u2028\u2029é😀\ufeff \t\x0b\x0c"), max_size=40)


def text_map(text: str, *encoding: str) -> TextMap:
    from sfml.lsp.positions import TextMap

    return TextMap(text, *encoding)


@given(TEXTS, st.sampled_from(ENCODINGS), st.integers(0, 40))
def test_an_offset_goes_to_the_protocol_and_back(text: str, encoding: str, offset: int) -> None:
    places = text_map(text, encoding)
    offset = min(offset, len(text))
    back = places.offset(places.position(offset))
    between = text[offset - 1 : offset + 1] == "\r\n"
    assert back == (offset - 1 if between else offset)


@given(TEXTS, st.integers(0, 40))
def test_an_offset_goes_to_a_place_of_a_span_and_back(text: str, offset: int) -> None:
    places = text_map(text)
    offset = min(max(offset, text.startswith("\ufeff")), len(text))
    assert places.offset_of(places.place(offset)) == offset


@given(TEXTS)
def test_lines_of_spans_are_those_of_yaml(text: str) -> None:
    text = text.lstrip("\ufeff")
    for number, line in enumerate(source.source_lines(text), start=1):
        span = Span.of("a.yaml", number, 1, number, len(line) + 1)
        assert text_map(text).written(span) == line


def test_units_of_each_encoding() -> None:
    from lsprotocol.types import Position, Range

    text = "é😀x\n"
    ends = [text_map(text, encoding).position(2).character for encoding in ENCODINGS]
    assert ends == [3, 6, 2]
    assert text_map(text).offset(Position(0, 2)) == 1  # in the middle of a pair
    assert text_map(text).offset(Position(0, 99)) == 3
    assert text_map(text).offset(Position(9, 9)) == len(text)
    assert text_map("a\r\nb").range_of(3, 4) == Range(Position(1, 0), Position(1, 1))
