"""What is made again, what is looked at first, and how many calls go at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sfml.base.errors import AccountBusy, AccountError, AnswerLost
from sfml.base.retry_policy import RetryPolicy
from sfml.operations.parallel_calls import ParallelCalls
from sfml.operations.retries import retry_call


class Clock:
    """A time that only passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def retry_policy(self, longest: float = 10.0) -> RetryPolicy:
        return RetryPolicy(longest, 1.0, 4.0, self.sleep, lambda: self.now, lambda: 1.0)


def answering(*answers: object) -> Callable[[], object]:
    left = list(answers)

    def call() -> object:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


def test_a_call_that_was_turned_away_is_made_again_after_growing_pauses() -> None:
    clock = Clock()
    busy = AccountBusy("busy")
    assert retry_call(answering(busy, busy, busy, busy, "done"), clock.retry_policy(20)) == "done"
    assert clock.pauses == [1.0, 2.0, 4.0, 4.0]


def test_pauses_differ() -> None:
    low, high = RetryPolicy(chance=lambda: 0.0), RetryPolicy(chance=lambda: 1.0)
    assert (low.pause(0), high.pause(0)) == (0.25, 0.5)


def test_when_time_is_up_the_last_error_is_raised() -> None:
    clock = Clock()
    with pytest.raises(AccountBusy, match="third"):
        retry_call(
            answering(*(AccountBusy(one) for one in ("first", "second", "third"))), clock.retry_policy(3.5)
        )


def test_a_lost_answer_is_looked_for_and_the_call_not_made_again_when_it_was_carried_out() -> None:
    made = answering(AnswerLost("gone"))
    assert retry_call(made, Clock().retry_policy(), is_done=lambda: True) is None


def test_a_lost_answer_of_a_call_that_had_no_effect_makes_it_again() -> None:
    looks: list[str] = []

    def look() -> bool:
        looks.append("looked")
        return False

    assert retry_call(answering(AnswerLost("gone"), "done"), Clock().retry_policy(), is_done=look) == "done"
    assert looks == ["looked"]


def test_a_look_that_fails_is_taken_again_before_anything_is_made() -> None:
    look = answering(AnswerLost("still gone"), AccountBusy("busy"), True)
    assert retry_call(answering(AnswerLost("gone")), Clock().retry_policy(), is_done=look) is None  # type: ignore[arg-type]


def test_what_the_account_refuses_is_not_made_again() -> None:
    with pytest.raises(AccountError):
        retry_call(answering(AccountError("no"), "done"), Clock().retry_policy())


def test_all_calls_of_a_group_are_awaited_and_the_first_error_names_the_others() -> None:
    made: list[int] = []

    def call(number: int) -> Callable[[], None]:
        def run() -> None:
            made.append(number)
            if number % 2:
                raise AccountError(f"no {number}")

        return run

    with pytest.raises(AccountError) as caught:
        ParallelCalls().run_all([call(number) for number in range(6)])
    assert sorted(made) == [0, 1, 2, 3, 4, 5]
    assert caught.value.message == "no 1 (and 2 more: no 3; no 5)"


def test_a_bug_is_not_hidden_behind_what_the_account_says() -> None:
    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ParallelCalls().run_all([answering(AccountError("no")), fails])  # type: ignore[list-item]


def test_calls_go_at_once_until_the_account_says_that_they_collide() -> None:
    crew, together = ParallelCalls(), threading.Barrier(3)

    def meets() -> None:
        with crew.turn():
            together.wait(5)

    crew.run_all([meets] * 3)
    crew.note_collision(AccountBusy("busy"))
    crew.run_all([meets] * 3)
    crew.note_collision(AccountBusy("concurrently modified", collided=True))
    inside: list[int] = []
    most: list[int] = []

    def alone() -> None:
        with crew.turn():
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    crew.run_all([alone] * 20)
    assert max(most) == 1


def test_calls_of_a_block_keep_their_threads_and_none_is_left_after_it() -> None:
    crew, used = ParallelCalls(), set[threading.Thread]()

    def notes() -> None:
        used.add(threading.current_thread())

    with crew.threads():
        for _ in range(5):
            crew.run_all([notes])
        (kept,) = used
        assert kept.is_alive() and kept is not threading.main_thread()
    assert not kept.is_alive()
    crew.run_all([notes])
    assert len(used) == 2 and not any(thread.is_alive() for thread in used)


def test_who_leaves_a_block_at_once_has_the_call_under_way_ended_and_no_other_begun() -> None:
    crew, begun, going_on = ParallelCalls(1), threading.Event(), threading.Event()
    made: list[str] = []

    def first() -> None:
        begun.set()
        going_on.wait(5)
        made.append("first")

    with pytest.raises(KeyboardInterrupt), crew.threads() as pool:
        pool.submit(first)
        pool.submit(made.append, "second").add_done_callback(lambda second: going_on.set())
        begun.wait(5)
        raise KeyboardInterrupt
    assert made == ["first"]
