"""Does work for several pipelines in parallel, each in a thread; pipelines that share an object keep their order."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from sfml.cli import output
from sfml.cli.interrupts import call_with_stop, stopping

T = TypeVar("T")


def at_once(
    works: Sequence[Callable[[], T]],
    after: Sequence[frozenset[int]],
    stop: threading.Event,
    *,
    width: int,
    ended: Callable[[Mapping[int, T]], None] = lambda answers: None,
) -> dict[int, T]:
    """Call each function of `works`; returns the results by index, without those that were not begun.

    `after` holds for each the indices of those that must end before it begins. `ended` is called with all results
    whenever there is a new one. A signal sets `stop`: functions that check it end early, and no other is begun. After a
    second signal, this returns as soon as the running functions have ended.
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
                    # A context of its own holds the output of this work and its stop event.
                    begun = pool.submit(contextvars.copy_context().run, call_with_stop, stop, works[place])
                    running[begun] = place
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                answers |= {running.pop(future): future.result() for future in done}
                ended(answers)
        except KeyboardInterrupt:
            # Each function releases its lease itself, after its last call has ended.
            output.note("stopped at once: calls that were already sent may still be carried out")
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
    """The indices of the works that can begin now."""
    if stop.is_set():
        return []
    begun = {*answers, *running.values()}
    return [place for place, before in enumerate(after) if place not in begun and before <= answers.keys()]


def is_chain(after: Sequence[frozenset[int]]) -> bool:
    """Whether no two works may run in parallel."""
    return all(len(before) == place for place, before in enumerate(after))
