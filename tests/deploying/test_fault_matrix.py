"""Every call of a deployment fails, is delayed, is cut off, or sees its process killed: it is finished or undone.

Between, at every call, the account holds the old graph, the new one, or one that is off. Each attempt begins with the
same content of the account. What comes after it depends on nothing but the content that it left: where several
attempts left the same, one of them is recovered from.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import fork_server
import pytest
from account_content import AccountContent, account_content, comparable, put_back
from carrying import QUICK, carry_out, go_back, state
from graphs import TARGET, Passage, compiled, passages

from sfml.base.errors import AccountError, ConnectionFailed, LeaseLost, RecordUnreadable
from sfml.base.retry_policy import RetryPolicy
from sfml.operations.held_lease import HeldLease, new_lease
from sfml.operations.parallel_calls import WIDTH
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact
from sfml.plan.journal import Journal
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Call, Faults, When
from sfml_local.services.tasks import store
from sfml_local.services.tasks.model import Settings, Task

Shape = dict[str, tuple[Settings, bool]]
KILLS: tuple[tuple[str, When], ...] = (("finish", "after"), ("restore", "before"))
TRIES_OF_CLIENTS = {"PUT": 4, "DELETE": 4, "POST": 1}
"""How often `snowflake.core` sends a call whose connection breaks, before anything of ours notices."""
PATIENT = replace(QUICK, longest=30)
PAIRS = passages()
WAYS = (*PAIRS, tuple(reversed(PAIRS[0])))
"""Every passage, and the way back of a first deployment: its removal."""


@dataclass
class Matrix:
    """One passage on a server, with what the account holds before and after it."""

    passage: Passage
    back: Passage
    server: LocalServer
    faults: Faults
    connected: TargetAccount
    old: Artefact | None = None
    new: Artefact | None = None
    sent: tuple[str, ...] = ()
    """The calls of the passage, as `known` tells them."""
    start: AccountContent = field(init=False)
    ends: set[str] = field(default_factory=set)
    """The fingerprints of the account after the passage, once the way back from there was seen."""
    shapes: list[Shape] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recovered: set[tuple[str, str]] = field(default_factory=set)
    """How, and the fingerprint of the account that was recovered from."""

    def measure(self) -> None:
        """Go there and back once: the two states and their shapes; then how many calls an attempt takes."""
        if self.passage.old is not None:
            carry_out(Passage("set-up", None, self.passage.old, self.passage.on), self.connected)
        self.old, old = self.state(), self.shape()
        carry_out(self.passage, self.connected)
        self.new, new = self.state(), self.shape()
        assert self.old != self.new
        self.shapes = [old, new]
        assert all(
            graph.root_started is self.passage.on for graph in (self.old, self.new) if graph is not None
        )
        carry_out(self.back, self.connected)
        assert self.state() == self.old, "the way back ends elsewhere"
        self.start = self.content()
        # The way back may leave a stage, or what else the first passage had to make.
        self.begin()
        carry_out(self.passage, self.connected)
        self.sent = tuple(known(call) for call in self.made())

    @property
    def calls(self) -> int:
        return len(self.sent)

    def made(self) -> tuple[Call, ...]:
        """The calls of the current attempt."""
        return tuple(call for call in self.faults.calls if call.kind != "session" and not call.inside)

    def levels_apart(self) -> Iterator[range]:
        """The numbers of all calls, in groups none of which has two of one level.

        Each level has at most one call for each task, and ends before the next begins.
        """
        apart = max(len(graph.all_tasks) for graph in (self.passage.old, self.passage.new) if graph)
        for first in range(1, apart + 1):
            yield range(first, self.calls + 1, apart)

    def begin(self) -> None:
        """Put the account back to where the passage begins."""
        self.settle()
        self.faults.forget_calls()
        put_back(self.server.account, self.start)

    def settle(self) -> None:
        """Wait for calls whose client is gone: the server carries them out all the same."""
        deadline = time.monotonic() + 30
        while any(call.status is None and not call.dropped for call in self.faults.calls):
            assert time.monotonic() < deadline, self.faults.calls
            time.sleep(0.001)

    def state(self) -> Artefact | None:
        return state(self.passage.either, self.connected)

    def tasks(self) -> list[Task]:
        """The graph's tasks as the server has them, linked to the root or not."""
        root = self.passage.either.root.name
        found = store.in_schema(self.server.account.store, TARGET.database, TARGET.schema)
        return [task for task in found if task.name.name == root or task.name.name.startswith(f"{root}$")]

    def shape(self) -> Shape:
        return {task.name.name: (task.settings, task.started) for task in self.tasks()}

    def is_on(self, shape: Shape) -> bool:
        _, is_on = shape.get(self.passage.either.root.name, (None, False))
        return is_on

    def watch(self) -> None:
        """Look after every call: a graph that is on must be the old or the new one, with all its children on."""

        def look(call: Call) -> None:
            shape = self.shape()
            if self.is_on(shape) and shape not in self.shapes:
                self.wrong.append(f"after {call.text[:80]} the graph is on, and neither old nor new")

        self.faults.do(look, times=None, when="after")

    def attempt(self, retry_policy: RetryPolicy = QUICK) -> bool:
        """Whether the passage came to its end."""
        self.watch()
        try:
            carry_out(self.passage, self.connected, retry_policy=retry_policy)
            return True
        except (AccountError, ConnectionFailed):
            return False
        finally:
            self.faults.clear()

    def arrive(self) -> None:
        """Be at the end, and be able to go back from there."""
        assert self.shape() == self.shapes[1] and not self.wrong, self.wrong
        end = self.content().fingerprint
        if end in self.ends:
            return
        assert self.state() == self.new
        carry_out(self.back, self.connected)
        self.be_back()
        self.ends.add(end)

    def be_back(self) -> None:
        """Be where the passage begins, with nothing left behind."""
        assert self.state() == self.old
        assert self.shape() == self.shapes[0], "a task was left behind"
        assert self.journal() is None
        assert self.connected.leases.holder(self.passage.either.root.name) is None

    def content(self) -> AccountContent:
        self.settle()
        return account_content(self.server.account)

    def recover(self, how: str, left: AccountContent | None = None) -> None:
        """Finish or go back after whatever happened, and be where that leads to, with nothing left behind.

        `left` is what the account is to hold before that, and else what it holds.
        """
        assert not self.wrong, self.wrong
        fingerprint = (left or self.content()).fingerprint
        if (how, fingerprint) in self.recovered:
            return
        if left is not None:
            put_back(self.server.account, left)
        self._recover(how)
        self.recovered.add((how, fingerprint))

    def _recover(self, how: str) -> None:
        if how == "finish":
            carry_out(self.passage, self.connected, force=True)
            self.arrive()
            return
        journal = self.journal()
        if go_back(self.passage, self.connected, force=True):
            assert journal is not None and self.state() == self.old
        else:
            # Nothing was begun, or everything was done.
            assert journal is None and self.state() in (self.old, self.new)
            if self.state() == self.new:
                self.arrive()
                return
        self.be_back()

    def journal(self) -> Journal | None:
        pipeline = self.passage.either.pipeline
        staged = self.connected.stage.staged(pipeline)
        return self.connected.stage.journal(pipeline) if staged and staged.has_journal else None


def known(call: Call) -> str:
    """What a call asks, without what differs from one attempt to the next: the folder of files on their way."""
    return re.sub(r"(?<=/)sfml-(put|get)-\w+", "-", comparable(call.text))


def is_about(later: Call, lost: Call) -> bool:
    """Whether a call asks what another has lost the answer to, or looks at what became of it."""
    return known(later) == known(lost) or (later.method == "GET" and lost.path.startswith(later.path))


@pytest.fixture(scope="module")
def total(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Counts the cases, and says at the end how many there were of each kind."""
    counted: Counter[str] = Counter()
    yield counted
    words = ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
    capturing = request.config.pluginmanager.getplugin("capturemanager")
    with capturing.global_and_fixture_disabled():
        print(f"\nfault matrix: {sum(counted.values())} cases: {words}")


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way[0].name)
def matrix(
    request: pytest.FixtureRequest, server: LocalServer, faults: Faults, connected: TargetAccount
) -> Iterator[Matrix]:
    passage, back = request.param
    made = Matrix(passage, back, server, faults, connected)
    faults.clear()
    made.measure()
    yield made
    faults.clear()
    carry_out(Passage("tear-down", passage.either, None), connected, force=True)


def test_a_call_that_fails_is_finished_or_undone(matrix: Matrix, total: Counter[str]) -> None:
    for number in range(1, matrix.calls + 1):
        for when in ("before", "after"):
            matrix.begin()
            matrix.faults.fail(nth=number, when=when)
            done = matrix.attempt()
            assert done or matrix.shape() in matrix.shapes or not matrix.is_on(matrix.shape())
            left = matrix.content()
            for how in ("finish", "restore"):
                matrix.recover(how, left)
                total[f"failed {when} its effect"] += 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_that_breaks_once_stops_nothing(matrix: Matrix, total: Counter[str], when: When) -> None:
    """Clients send all but POST again by themselves: a passage without one says nothing of our own retries.

    A connection breaks in several levels of an attempt: each call is sent again before the next level begins.
    """
    for numbers in matrix.levels_apart():
        matrix.begin()
        lost = [matrix.sent[number - 1] for number in numbers]
        rules = [
            matrix.faults.drop(
                lambda call, words=words: known(call) == words,
                # Of equal calls, one that was lost came twice.
                nth=1 + matrix.sent[: number - 1].count(words) + lost[:at].count(words),
                when=when,
            )
            for at, (number, words) in enumerate(zip(numbers, lost, strict=True))
        ]
        assert matrix.attempt(), lost
        assert [rule.fired for rule in rules] == [1] * len(rules), lost
        made = matrix.made()
        dropped = [at for at, call in enumerate(made) if call.dropped]
        assert Counter(known(made[at]) for at in dropped) == Counter(lost)
        for at in dropped:
            assert any(is_about(call, made[at]) for call in made[at + 1 :]), f"{lost} was not sent again"
        matrix.arrive()
        total[f"dropped {when} its effect"] += len(numbers)


def test_a_connection_that_stays_broken_for_all_tries_of_the_clients_stops_nothing(
    matrix: Matrix, total: Counter[str]
) -> None:
    matrix.begin()
    assert matrix.attempt()
    writing = sorted(
        {call.text for call in matrix.faults.calls if call.method in TRIES_OF_CLIENTS and call.kind == "rest"}
    )
    assert len(writing) > 3, writing
    for text in writing:
        matrix.begin()
        tries = TRIES_OF_CLIENTS[text.split()[0]]
        rule = matrix.faults.drop(lambda call, text=text: call.text == text, times=tries)
        assert matrix.attempt(PATIENT), text
        assert rule.fired == tries
        matrix.arrive()
        total["dropped until ours"] += 1


def test_a_delay_at_any_call_changes_nothing(matrix: Matrix, total: Counter[str]) -> None:
    """A delay concerns the calls under way with it: calls of several levels are delayed in an attempt."""
    for numbers in matrix.levels_apart():
        matrix.begin()
        rules = [matrix.faults.delay(0.01, nth=number, times=1) for number in numbers]
        assert matrix.attempt()
        assert [rule.fired for rule in rules] == [1] * len(numbers), numbers
        matrix.arrive()
        total["delayed"] += len(numbers)


def test_an_api_that_is_gone_for_good_leaves_what_can_be_finished_or_undone(
    matrix: Matrix, total: Counter[str]
) -> None:
    for number in itertools.count(1):
        matrix.begin()
        matrix.faults.drop(kind="rest", nth=number, times=None)
        if matrix.attempt():
            matrix.recover("finish")
            break
        matrix.recover("restore" if number % 2 else "finish")
        total["gone for good"] += 1


@pytest.mark.parametrize("matrix", PAIRS[:2], indirect=True, ids=lambda way: way[0].name)
def test_a_broken_lease_with_the_other_alive_never_mixes_two_graphs(
    matrix: Matrix, total: Counter[str]
) -> None:
    """At each call somebody breaks the lease, finishes or goes back, and ends; then the first command goes on."""
    last = ""
    for number in itertools.count(2):
        how = "restore" if number % 2 else "finish"
        kept: list[HeldLease] = []

        def broken(call: Call, how: str = how, kept: list[HeldLease] = kept) -> None:
            nonlocal last
            last, (held,) = call.text, kept
            matrix.faults.clear()
            held.clock = lambda: 1e12  # whoever breaks a lease waits until no look is fresh
            move = carry_out if how == "finish" else go_back
            move(matrix.passage, matrix.connected, force=True)

        matrix.begin()
        matrix.faults.do(broken, nth=number, when="after")
        with pytest.raises(LeaseLost):
            carry_out(matrix.passage, matrix.connected, watching=kept.append)
        assert matrix.state() in (matrix.old, matrix.new)
        journal = matrix.journal()
        if journal is not None:
            # PUT writes after its statement was answered: the journal of the first came late, and says so.
            assert journal.header.nonce == kept[0].lease.nonce
            assert go_back(matrix.passage, matrix.connected)
            assert matrix.state() == matrix.old
        assert matrix.shape() in matrix.shapes, "a task was left behind"
        assert matrix.journal() is None
        total["lease broken"] += 1
        if last.startswith("REMOVE") and "apply" in last:
            break  # the journal is removed last; the lease is given back after that


def test_a_machine_that_sleeps_inside_a_level_writes_no_more_of_it(
    server: LocalServer, faults: Faults, connected: TargetAccount, total: Counter[str]
) -> None:
    """Of 40 tasks that do not depend on each other, those under way are written; the others learn of the lease."""
    wide = compiled("wide", *((f"t{at}", "select 1", ()) for at in range(40)))
    kept: list[HeldLease] = []

    def slept(call: Call) -> None:
        (held,) = kept
        hours = itertools.count(10**12, 3600)
        held.clock = lambda: next(hours)  # each look is old by the time of the next call
        connected.leases.replace("WIDE", new_lease("eve"))

    faults.do(slept, "PUT /tasks/WIDE$", nth=5, when="after")
    faults.forget_calls()
    with pytest.raises(LeaseLost, match="by eve"):
        carry_out(Passage("sleep", None, wide), connected, watching=kept.append)
    calls = [call.text for call in faults.calls]
    broken = next(at for at, text in enumerate(calls) if text.startswith("CREATE OR REPLACE STAGE"))
    late = [text for text in calls[broken:] if text.startswith("PUT /")]
    assert len(late) < WIDTH, late
    holder = connected.leases.holder("WIDE")
    assert holder is not None and holder.owner == "eve"
    assert go_back(Passage("sleep", None, wide), connected, force=True)
    assert state(wide, connected) is None
    total["slept inside a level"] += 1


# -- processes that are killed


@pytest.fixture(scope="module")
def carrier(server: LocalServer) -> Iterator[subprocess.Popen[str]]:
    folder = Path(__file__).parent
    command = (sys.executable, str(folder / "carrier.py"))
    with fork_server.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
    assert process.returncode == 0


def killed_at(number: int, when: When, matrix: Matrix, carrier: subprocess.Popen[str]) -> int:
    """The exit code of a process that carries the passage out and is killed at that call."""
    assert carrier.stdout is not None and carrier.stdin is not None
    forked: list[int] = []
    known = threading.Event()

    def kill(call: Call) -> None:
        known.wait(10)
        os.kill(forked[0], signal.SIGKILL)

    matrix.begin()
    matrix.watch()
    matrix.faults.do(kill, nth=number, when=when)
    asked = {"passage": matrix.passage.name, "arguments": matrix.server.connect_args()}
    carrier.stdin.write(json.dumps(asked) + "\n")
    carrier.stdin.flush()
    forked.append(int(carrier.stdout.readline()))
    known.set()
    code = int(carrier.stdout.readline())
    matrix.faults.clear()
    return code


def test_a_process_that_is_killed_at_any_call_leaves_what_can_be_finished_or_undone(
    matrix: Matrix, total: Counter[str], carrier: subprocess.Popen[str]
) -> None:
    for how, when in KILLS:
        for number in itertools.count(1):
            code = killed_at(number, when, matrix, carrier)
            if code == 0:
                assert number >= matrix.calls, "it has fewer calls than this process"
                matrix.arrive()
                break
            assert code == -signal.SIGKILL, (number, when, code)
            matrix.recover(how)
            total[f"killed {when} the effect"] += 1


@pytest.mark.parametrize("matrix", PAIRS[:2], indirect=True, ids=lambda way: way[0].name)
def test_a_disk_without_room_for_the_journal_leaves_what_can_be_finished(
    matrix: Matrix, total: Counter[str], carrier: subprocess.Popen[str]
) -> None:
    """A process may write no file longer than this: what it puts on the stage is cut off under its final name."""
    assert carrier.stdout is not None and carrier.stdin is not None
    for room in (0, 300):
        matrix.begin()
        asked = {
            "passage": matrix.passage.name,
            "arguments": matrix.server.connect_args(),
            "room": room,
        }
        carrier.stdin.write(json.dumps(asked) + "\n")
        carrier.stdin.flush()
        carrier.stdout.readline()
        assert carrier.stdout.readline() == "1\n"
        assert matrix.state() == matrix.old, "nothing is changed without a journal"
        with contextlib.suppress(RecordUnreadable):
            assert matrix.journal() is None
        carry_out(matrix.passage, matrix.connected, force=True)
        assert matrix.state() == matrix.new and matrix.journal() is None
        carry_out(matrix.back, matrix.connected)
        assert matrix.state() == matrix.old
        total["full disk"] += 1
