"""Does work for several pipelines at the same time, each in a thread, and those that share something in their order."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from sfml.cli import output
from sfml.cli.interrupts import heeding, stopping

T = TypeVar("T")


def at_once(
    works: Sequence[Callable[[], T]],
    after: Sequence[frozenset[int]],
    stop: threading.Event,
    *,
    width: int,
    ended: Callable[[Mapping[int, T]], None] = lambda answers: None,
) -> dict[int, T]:
    """What each answers, by its place; `after` says which others must have ended before it is begun.

    `ended` is told of all answers whenever there is another. A signal sets `stop`: works that heed it end early, and
    none is begun any more. A second one ends the waiting, once all that is under way has ended.
    """
    answers: dict[int, T] = {}
    running: dict[Future[T], int] = {}
    with (
        stopping(stop, lambda: len(answers) == len(works)),
        ThreadPoolExecutor(max_workers=width, thread_name_prefix="sfml-pipeline") as pool,
    ):
        try:
            while (free := _free(after, answers, running, stop)) or running:
                for place in free[: width - len(running)]:
                    # A context of its own: what it says goes apart, and what it starts can tell that it is to stop.
                    begun = pool.submit(contextvars.copy_context().run, heeding, stop, works[place])
                    running[begun] = place
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                answers |= {running.pop(future): future.result() for future in done}
                ended(answers)
        except KeyboardInterrupt:
            # Each gives its lease back by itself, once no call of it is under way any more.
            output.note("stopped at once: calls that are under way may be carried out yet")
            stop.set()
            wait(running)
            answers |= {place: future.result() for future, place in running.items()}
            ended(answers)
    return answers


def _free(
    after: Sequence[frozenset[int]],
    answers: Mapping[int, T],
    running: Mapping[Future[T], int],
    stop: threading.Event,
) -> list[int]:
    """The places of those that may be begun now."""
    if stop.is_set():
        return []
    begun = {*answers, *running.values()}
    return [place for place, before in enumerate(after) if place not in begun and before <= answers.keys()]


def is_chain(after: Sequence[frozenset[int]]) -> bool:
    """Whether no two may go at the same time."""
    return all(len(before) == place for place, before in enumerate(after))
