"""Which processes are kept for later calls, and which end."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfml_local.processes.pool import Pool


@dataclass
class Recorded:
    """A process that only notes that it was ended."""

    name: str
    log: list[str] = field(repr=False)
    is_over: bool = False

    def stop(self) -> None:
        self.log.append(self.name)
        self.is_over = True


class Processes(Pool[str, Recorded]):
    def __init__(self, most: int) -> None:
        self.log: list[str] = []
        super().__init__(most, lambda key: Recorded(key, self.log))

    def use(self, *keys: str) -> None:
        for key in keys:
            with self.of(key):
                pass


def test_one_is_kept_for_the_next_call() -> None:
    processes = Processes(2)
    with processes.of("a") as first:
        pass
    with processes.of("a") as second:
        assert second is first
    assert processes.log == []


def test_the_least_used_idle_one_gives_way() -> None:
    processes = Processes(2)
    processes.use("a", "b", "a", "c")
    assert processes.log == ["b"]


def test_one_that_works_does_not_give_way() -> None:
    processes = Processes(1)
    with processes.of("a") as working:
        processes.use("b")
        assert processes.log == ["b"] and not working.is_over
    processes.use("c")
    assert processes.log == ["b", "a"]


def test_one_that_is_over_is_replaced() -> None:
    processes = Processes(2)
    with processes.of("a") as first:
        first.is_over = True
    with processes.of("a") as second:
        assert second is not first


def test_those_that_are_meant_end_while_they_work() -> None:
    processes = Processes(4)
    with processes.of("a") as working:
        processes.use("b")
        processes.end(lambda key, process: key == "a")
        assert working.is_over and processes.log == ["a"]
    processes.end()
    assert processes.log == ["a", "b"] and processes.is_empty


def test_idle_ones_end_after_their_time() -> None:
    processes = Processes(4)
    processes.use("a")
    with processes.of("b"):
        assert not processes.end_idle(60)
        assert processes.end_idle(0) and processes.log == ["a"]
    assert not processes.is_empty
