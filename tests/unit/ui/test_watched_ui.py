"""One reading for all who look, none when nobody does, and what is known when a reading fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from sfml.base.errors import AccountError, AnswerLost, ConnectionFailed, SfmlError
from sfml.ui import watching
from sfml.ui.accounts import Pace, is_lost
from sfml.ui.watching import Watch, Watches

PATIENCE = 10.0


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, which is soon."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Thing:
    """Something to be read: each reading waits until it is allowed."""

    def __init__(self, *, is_free: bool = True) -> None:
        self.allowed = threading.Semaphore(0)
        self.is_free = is_free
        self.readings = 0
        self.error: Exception | None = None

    def read(self) -> int:
        if not self.is_free:
            assert self.allowed.acquire(timeout=PATIENCE)
        self.readings += 1
        if self.error is not None:
            raise self.error
        return self.readings


def soon(value: int, took: float) -> float:
    return 0.01


def late(value: int, took: float) -> float:
    return PATIENCE


def test_all_viewers_share_one_reading() -> None:
    thing = Thing(is_free=False)
    watch = Watch(thing.read, late)
    viewers = [threading.Thread(target=watch.look, args=(PATIENCE,)) for _ in range(5)]
    for viewer in viewers:
        viewer.start()
    assert watch.look().is_first
    thing.allowed.release()
    for viewer in viewers:
        viewer.join(PATIENCE)
    assert watch.look().value == 1
    assert thing.readings == 1
    watch.end()


def test_nothing_is_read_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LINGERS", 0.05)
    thing = Thing()
    watch = Watch(thing.read, soon)
    watch.look(PATIENCE)
    until(lambda: not watch.is_watched)
    readings = thing.readings
    threading.Event().wait(0.1)
    assert thing.readings == readings
    assert watch.look(PATIENCE).value == readings + 1  # who comes back gets a new value, not the old one
    watch.end()


def test_a_watch_ends_with_the_last_look_and_not_with_its_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LINGERS", 0.05)
    thing = Thing()
    watch = Watch(thing.read, lambda value, took: 10 * PATIENCE)
    watch.look(PATIENCE)
    until(lambda: not watch.is_watched)
    assert thing.readings == 1


def test_a_failure_keeps_what_was_known() -> None:
    thing = Thing(is_free=False)
    watch = Watch(thing.read, soon)
    thing.allowed.release()
    first = watch.look(PATIENCE)
    assert (first.value, first.error) == (1, None)
    thing.error = ConnectionFailed("nothing listens at `far`", help="look at it")
    thing.allowed.release()
    until(lambda: watch.look().error is not None)
    seen = watch.look()
    assert (seen.value, seen.read_at) == (1, first.read_at)
    assert seen.error is not None
    assert seen.error.message == "nothing listens at `far`"
    watch.end()


def test_a_bug_of_ours_is_told_and_does_not_end_the_watch() -> None:
    thing = Thing()
    thing.error = KeyError("x")
    watch = Watch(thing.read, soon)
    seen = watch.look(PATIENCE)
    assert seen.error is not None
    assert seen.error.message == "internal error: KeyError: 'x'"
    watch.end()


def test_what_was_changed_is_read_at_once() -> None:
    thing = Thing()
    watches = Watches()
    watch = watches.of(("file", "runs"), thing.read, late)
    watch.look(PATIENCE)
    watches.hurry("other")
    watches.hurry("file")
    until(lambda: watch.look().value == 2)
    assert watches.of(("file", "runs"), thing.read, late) is watch
    assert watches.count == 1
    watches.close()


def test_who_looks_after_a_change_waits_for_a_reading_that_began_after_it() -> None:
    thing = Thing(is_free=False)
    watches = Watches()
    watch = watches.of(("file", "runs"), thing.read, late)
    thing.allowed.release()
    assert watch.look(PATIENCE).value == 1
    watches.hurry("file")
    until(lambda: watch.is_reading)
    watches.hurry("file")  # while the second reading goes on, which may not show it
    assert watch.look().value == 1, "who does not wait gets what is known"
    thing.allowed.release(2)
    assert watch.look(PATIENCE).value == 3
    assert watch.look(PATIENCE).value == 3
    watches.close()


def test_requests_wait_for_their_turn() -> None:
    """Ten requests of many threads take four and a half seconds, by a clock that only waiting moves."""
    now = [0.0]
    passed: list[float] = []
    pace = Pace(2.0, clock=lambda: now[0], sleep=passed.append)
    for _ in range(10):
        pace.wait()
    assert passed == [0.5 * at for at in range(1, 10)]
    now[0] = 100.0
    pace.wait()
    assert len(passed) == 9  # after a pause, the first one passes at once
    Pace(None).wait()


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ConnectionFailed("nothing listens"), True),
        (AnswerLost("the connection broke"), True),
        (AccountError("Authentication token has expired.", code="390114"), True),
        (AccountError("Object does not exist", code="002003"), False),
        (AccountError("refused"), False),
    ],
)
def test_a_session_that_is_over_is_opened_again(error: SfmlError, lost: bool) -> None:
    assert is_lost(error) is lost
