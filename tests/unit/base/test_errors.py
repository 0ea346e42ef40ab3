"""Errors that are given advice or another sentence on their way are new ones, of the same kind with the same facts."""

from __future__ import annotations

import pytest

from sfml.base.errors import (
    AccountBusy,
    AccountError,
    ConnectionFailed,
    InvalidSpec,
    RecordUnreadable,
    SfmlError,
)

ERRORS = [
    SfmlError("it failed"),
    InvalidSpec(()),
    ConnectionFailed("no answer"),
    AccountBusy("busy", collided=True),
    AccountError("refused", code="002003"),
    RecordUnreadable("damaged", problem="no JSON", path="a/b", content=b"{", is_newer=True),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_advice_makes_another_error(error: SfmlError) -> None:
    before = dict(error.__dict__)
    advised = error.advised("do this")
    assert type(advised) is type(error)
    assert advised.__dict__ == {**before, "help": "do this"}
    assert (str(advised), advised.args) == (str(error), error.args)
    assert error.__dict__ == before


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_another_sentence_makes_another_error(error: SfmlError) -> None:
    before = dict(error.__dict__)
    reworded = error.reworded("it is told otherwise")
    assert type(reworded) is type(error)
    assert reworded.__dict__ == {**before, "message": "it is told otherwise"}
    assert str(reworded) == "it is told otherwise"
    assert error.__dict__ == before


def test_what_caused_an_error_stays_known() -> None:
    cause = OSError("disk")
    try:
        raise SfmlError("it failed") from cause
    except SfmlError as error:
        assert error.advised("do this").__cause__ is cause
