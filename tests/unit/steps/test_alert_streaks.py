"""The latch of alerts: one message a streak and channel, whatever fails between."""

from __future__ import annotations

import logging

import pytest

from sfml_steps.alerting.streaks import Streak, Streaks, decoded
from sfml_steps.files import MemoryFiles

LOG = logging.getLogger("test")
NOON, LATER = "2026-01-01T12:00:00+00:00", "2026-01-01T13:00:00+00:00"


def streak(run: str = "r1", at: str = NOON) -> Streak:
    return Streak("failure", "", NOON, "boom", run, at)


def test_a_run_is_counted_once_and_kept_in_the_file() -> None:
    files = MemoryFiles()
    streaks = Streaks.load(files, "a.json", LOG)
    assert [streaks.seen(streak(run)).runs for run in ("r1", "r1", "r2")] == [1, 1, 2]
    streaks.tell(["failure"], "slack S")
    streaks.save()
    again = Streaks.load(files, "a.json", LOG)
    assert again.known == streaks.known and again.known["failure"].told == ("slack S",)
    assert again.known["failure"].since == NOON


def test_what_is_over_is_kept_for_channels_that_do_not_know() -> None:
    streaks = Streaks.load(MemoryFiles(), "a.json", LOG)
    streaks.seen(streak())
    streaks.close("failure", ["slack S"])
    assert (streaks.known["failure"].is_over, streaks.known["failure"].told) == (True, ("slack S",))
    assert (streaks.seen(streak("r2")).runs, streaks.known["failure"].is_over) == (1, False)
    streaks.close("failure", [])
    assert streaks.known == {}


@pytest.mark.parametrize(
    ("success", "is_forgotten"), [(LATER, True), (NOON, False), (None, False), ("?", False)]
)
def test_a_success_after_the_last_run_ends_it(success: str | None, is_forgotten: bool) -> None:
    streaks = Streaks.load(MemoryFiles(), "a.json", LOG)
    streaks.seen(streak())
    streaks.forget_before("failure", success)
    assert (streaks.known == {}) is is_forgotten
    streaks.forget_before("gate x", LATER)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "streaks": [{}]}', b"\xff", b'{"version": 1}'],
)
def test_a_damaged_file_is_no_error(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    files = MemoryFiles()
    files.contents["a.json"] = content
    with caplog.at_level(logging.WARNING):
        assert Streaks.load(files, "a.json", LOG).known == {}
    assert "alerts may be told again" in caplog.text
    with pytest.raises(ValueError):
        decoded(content)


class Broken(MemoryFiles):
    def write(self, path: str, content: bytes) -> None:
        raise OSError("the stage is full")


def test_a_file_that_cannot_be_written_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    streaks = Streaks.load(Broken(), "a.json", LOG)
    streaks.save()
    assert caplog.text == ""  # nothing has changed, so nothing is written
    streaks.seen(streak())
    streaks.save()
    assert "a.json cannot be written: the stage is full" in caplog.text
