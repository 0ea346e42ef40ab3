"""What is quoted is read back by Snowflake's rules as what it was, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokenizer_core import Token, TokenType

from sfml.base import quoting

_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_HOSTILE = st.text("'\\\"$;-/*\n\r\tnN%{} aA", max_size=12)
TEXT = _ANY | _HOSTILE
NAMES = TEXT.filter(bool)


def tokens(sql: str) -> list[Token]:
    return list(Snowflake().tokenize(sql))


@given(TEXT)
@example("\\")
@example("\\'")
@example("'; DROP TASK x; --")
@example("$$")
def test_a_literal_is_one_string_with_the_same_text(text: str) -> None:
    found = tokens(f"SELECT {quoting.literal(text)} ;")
    assert [token.token_type for token in found] == [TokenType.SELECT, TokenType.STRING, TokenType.SEMICOLON]
    assert found[1].text == text


@given(TEXT)
@example("a$$; DROP TASK x; $$b")
@example("$")
@example("it's a \\ backslash")
def test_a_body_cannot_be_broken_out_of(text: str) -> None:
    found = tokens(f"SELECT {quoting.dollar_quoted(text)} ;")
    assert len(found) == 3
    assert found[1].token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING)
    assert found[1].text == text


def test_a_body_without_dollars_stays_readable() -> None:
    assert quoting.dollar_quoted("it's\n") == "$$it's\n$$"


@given(NAMES)
@example("SELECT")
@example("ml_wh")
@example('"My ""Wh"""')
@example('a"b')
@example("TIME")
def test_an_identifier_is_one_token_that_names_the_same(written: str) -> None:
    found = tokens(f"USE WAREHOUSE {quoting.identifier(written)} ;")
    assert len(found) == 4
    # Words that sqlglot has types for (TIME, DATE) name objects in Snowflake without quotes.
    assert found[2].token_type is TokenType.IDENTIFIER or found[2].text.isidentifier() or "$" in found[2].text
    assert found[2].text == quoting.raw(written)


@given(NAMES)
def test_folding_twice_changes_nothing(written: str) -> None:
    assert quoting.folded(quoting.folded(written)) == quoting.folded(written)
    assert quoting.raw(quoting.identifier(written)) == quoting.raw(written)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_a_qualified_name_has_as_many_parts_as_it_was_given(parts: list[str]) -> None:
    found = tokens(f"{quoting.qualified(*parts)} ;")[:-1]
    assert [token.text for token in found[::2]] == [quoting.raw(part) for part in parts]
    assert all(token.token_type is TokenType.DOT for token in found[1::2])


@pytest.mark.parametrize(
    ("written", "folded", "identifier"),
    [
        ("ml_wh", "ML_WH", "ML_WH"),
        ("CLV$TRAIN", "CLV$TRAIN", "CLV$TRAIN"),
        ('"ML_WH"', "ML_WH", "ML_WH"),
        ('"My Wh"', '"My Wh"', '"My Wh"'),
        ("my-wh", '"my-wh"', '"my-wh"'),
        ("1st", '"1st"', '"1st"'),
        ("order", "ORDER", '"ORDER"'),
        ('a"b', '"a""b"', '"a""b"'),
    ],
)
def test_names_fold_as_snowflake_folds_them(written: str, folded: str, identifier: str) -> None:
    assert (quoting.folded(written), quoting.identifier(written)) == (folded, identifier)


@pytest.mark.parametrize(
    ("written", "sql"),
    [
        ("raw.orders", "RAW.ORDERS"),
        ('db."my.schema".proc', 'DB."my.schema".PROC'),
        ("proc", "PROC"),
        ("a.b; drop", 'A."b; drop"'),
    ],
)
def test_a_dotted_name_is_quoted_part_by_part(written: str, sql: str) -> None:
    assert quoting.dotted(written) == sql


def test_stage_paths() -> None:
    location = quoting.stage_location("sfml", "clv", "sfml")
    assert location == "@SFML.CLV.SFML"
    assert quoting.stage_path(location, "clv/code/", "/abc") == "@SFML.CLV.SFML/clv/code/abc"
