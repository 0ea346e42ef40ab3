"""Places in texts: every offset goes to the protocol and back, whatever the lines end with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, Range

from sfml.base import source
from sfml.base.source import Span
from sfml.lsp.positions import UTF8, UTF16, UTF32, TextMap

TEXTS = st.text(alphabet=st.sampled_from("ab:\n\r\x85\u2028\u2029é😀\ufeff \t\x0b\x0c"), max_size=40)


@given(TEXTS, st.sampled_from((UTF16, UTF8, UTF32)), st.integers(0, 40))
def test_an_offset_goes_to_the_protocol_and_back(text: str, encoding: str, offset: int) -> None:
    places = TextMap(text, encoding)
    offset = min(offset, len(text))
    back = places.offset(places.position(offset))
    between = text[offset - 1 : offset + 1] == "\r\n"
    assert back == (offset - 1 if between else offset)


@given(TEXTS, st.integers(0, 40))
def test_an_offset_goes_to_a_place_of_a_span_and_back(text: str, offset: int) -> None:
    places = TextMap(text)
    offset = min(max(offset, text.startswith("\ufeff")), len(text))
    assert places.offset_of(places.place(offset)) == offset


@given(TEXTS)
def test_lines_of_spans_are_those_of_yaml(text: str) -> None:
    text = text.lstrip("\ufeff")
    for number, line in enumerate(source.source_lines(text), start=1):
        span = Span.of("a.yaml", number, 1, number, len(line) + 1)
        assert TextMap(text).written(span) == line


def test_units_of_each_encoding() -> None:
    text = "é😀x\n"
    ends = [TextMap(text, encoding).position(2).character for encoding in (UTF8, UTF16, UTF32)]
    assert ends == [6, 3, 2]
    assert TextMap(text).offset(Position(0, 2)) == 1  # in the middle of a pair
    assert TextMap(text).offset(Position(0, 99)) == 3
    assert TextMap(text).offset(Position(9, 9)) == len(text)
    assert TextMap("a\r\nb").range_of(3, 4) == Range(Position(1, 0), Position(1, 1))
