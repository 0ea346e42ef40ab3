"""One at a time: who holds the lease is told, a broken one is noticed, and applies of several processes never mix."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fork_server
import pytest
from carrying import QUICK, carry_out, state
from graphs import TARGET, Passage, compiled

from sfml.base.errors import LeaseHeld, LeaseLost, SfmlError
from sfml.operations.apply_plan import planned_graph, work_of
from sfml.operations.deployer import Deployer
from sfml.operations.held_lease import FRESH, SETTLED, HeldLease, holding, is_gone, new_lease
from sfml.operations.target_account import TargetAccount
from sfml.plan.lease import Lease
from sfml.snowflake.leases import lease_name
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Call, Faults

ROOT = "LEASED"
GRAPH = compiled("leased", ("a", "select 1", ()), ("b", "select 2", ("a",)))
OTHER = compiled("leased", ("a", "select 3", ()), ("b", "select 4", ("a",)))


def elsewhere(owner: str = "eve", reason: str | None = "night shift") -> Lease:
    return replace(new_lease(owner, reason), host="elsewhere")


def test_a_held_lease_is_refused_with_who_since_when_and_why(connected: TargetAccount) -> None:
    with holding(connected.leases, ROOT, elsewhere()):
        with pytest.raises(LeaseHeld) as caught, holding(connected.leases, ROOT, new_lease("ada"), wait=0):
            pass
        assert "eve on elsewhere" in caught.value.message and "night shift" in caught.value.message
        assert "UTC" in caught.value.message and "--lock-timeout" in str(caught.value.help)
    assert connected.leases.holder(ROOT) is None


def test_a_lease_that_gets_free_in_time_is_taken(connected: TargetAccount) -> None:
    connected.leases.take(ROOT, elsewhere())
    told: list[Lease | None] = []

    def sleep(seconds: float) -> None:
        connected.leases.drop(ROOT)

    with holding(connected.leases, ROOT, new_lease("ada"), wait=60, waiting=told.append, sleep=sleep) as held:
        held.look(0)
    assert [one.owner for one in told if one] == ["eve"]


def test_a_lease_of_a_process_of_ours_that_is_gone_is_told_so(connected: TargetAccount) -> None:
    gone = subprocess.Popen((sys.executable, "-c", ""))
    gone.wait()
    connected.leases.take(ROOT, replace(new_lease("ada"), process=gone.pid))
    try:
        with pytest.raises(LeaseHeld) as caught, holding(connected.leases, ROOT, new_lease("ada"), wait=0):
            pass
        assert "your command" in caught.value.message and "was cut off" in caught.value.message
        assert "--force-unlock" in str(caught.value.help)
    finally:
        connected.leases.drop(ROOT)


def test_whose_lease_was_broken_stops_before_it_turns_the_graph_on(
    connected: TargetAccount, faults: Faults
) -> None:
    carry_out(Passage("set up", None, GRAPH), connected)

    def broken(call: Call) -> None:
        connected.leases.replace(ROOT, elsewhere("mallory"))
        held.clock = lambda: 1e12  # no look is fresh any more

    with (
        pytest.raises(LeaseLost, match=r"by mallory on elsewhere .*night shift"),
        holding(connected.leases, ROOT, elsewhere()) as held,
    ):
        faults.do(broken, "PUT /tasks/LEASED$A", when="after")
        work = work_of(planned_graph(OTHER, connected, resume=True), OTHER, held.lease)
        Deployer(work, connected.tasks, connected.stage, held, retry_policy=QUICK).deploy()
    found = state(OTHER, connected)
    assert found is not None and not found.root_started
    # What is not ours is not given back: mallory's lease is still there.
    holder = connected.leases.holder(ROOT)
    assert holder is not None and holder.owner == "mallory"
    carry_out(Passage("finish", None, OTHER), connected, force=True)


def test_a_lease_that_is_fresh_is_looked_at_before_it_is_given_back(connected: TargetAccount) -> None:
    lost: list[SfmlError] = []
    with holding(connected.leases, ROOT, elsewhere(), not_released=lost.append):
        connected.leases.replace(ROOT, elsewhere("mallory"))
    assert [type(error) for error in lost] == [LeaseLost]
    holder = connected.leases.holder(ROOT)
    assert holder is not None and holder.owner == "mallory"
    connected.leases.drop(ROOT)


def test_whoever_breaks_a_lease_waits_until_the_last_look_of_the_other_is_old(
    connected: TargetAccount,
) -> None:
    theirs, broken = elsewhere(), []
    connected.leases.take(ROOT, theirs)
    other = HeldLease(connected.leases, ROOT, theirs)

    def sleep(seconds: float) -> None:
        now = other.clock() + seconds
        other.clock = lambda: now
        with pytest.raises(LeaseLost, match="by ada"):
            other.look()

    with holding(
        *(connected.leases, ROOT, new_lease("ada")),
        sleep=sleep,
        breaking=lambda lease, seconds: broken.append((lease, seconds)),
    ) as held:
        held.look(0)
    assert broken == [(theirs, SETTLED)] and SETTLED > FRESH
    assert connected.leases.holder(ROOT) is None


def test_a_lease_whose_process_is_known_to_be_gone_is_broken_without_waiting(
    connected: TargetAccount,
) -> None:
    gone = subprocess.Popen((sys.executable, "-c", ""))
    gone.wait()
    dead = replace(new_lease("eve"), process=gone.pid)
    ours = new_lease("ada")
    assert is_gone(dead, ours) is (dead.boot is not None)
    # A machine that was started anew, another container, another host: the number of a process says nothing there.
    for unknown in (
        replace(dead, boot="another"),
        replace(dead, boot=None),
        replace(dead, host="elsewhere"),
    ):
        assert not is_gone(unknown, ours)
    assert not is_gone(replace(dead, process=os.getpid()), ours)


def test_a_breaker_whose_lease_the_other_gave_back_takes_it_again(connected: TargetAccount) -> None:
    connected.leases.take(ROOT, elsewhere())
    with holding(
        *(connected.leases, ROOT, new_lease("ada")),
        sleep=lambda seconds: connected.leases.drop(ROOT),
        breaking=lambda lease, seconds: None,
    ) as held:
        held.look(0)
    # Of two who break it at the same time the later has it.
    connected.leases.take(ROOT, elsewhere())
    with (
        pytest.raises(LeaseLost, match="by mallory"),
        holding(
            *(connected.leases, ROOT, new_lease("ada")),
            sleep=lambda seconds: connected.leases.replace(ROOT, elsewhere("mallory")),
            breaking=lambda lease, seconds: None,
        ),
    ):
        raise AssertionError("it must not begin")
    connected.leases.drop(ROOT)


def test_a_lease_that_nobody_can_read_is_held_and_can_be_broken(connected: TargetAccount) -> None:
    name = f'"{TARGET.database}"."{TARGET.schema}"."{lease_name(ROOT)}"'
    for comment in ("", "{", "[]", "null", '{"sfml_lease": 9, "who": "a later version"}'):
        with connected.connection.cursor() as cursor:
            cursor.execute(f"CREATE STAGE {name} COMMENT = '{comment}'")
        with (
            pytest.raises(LeaseHeld, match="cannot read"),
            holding(connected.leases, ROOT, new_lease("ada"), wait=0),
        ):
            pass
        with holding(
            *(connected.leases, ROOT, new_lease("ada")),
            sleep=lambda seconds: None,
            breaking=lambda lease, seconds: None,
        ):
            pass
        assert connected.leases.holder(ROOT) is None


def test_names_and_reasons_of_any_kind_come_back_as_they_were(connected: TargetAccount) -> None:
    for text in (
        "a'b\\c",
        "\x1b[31mred\x1b[0m",
        "line\nbreak\ttab\x00nul",
        "ünï 🐈",
        '"; DROP STAGE X; --',
        "%s {}",
    ):
        with holding(connected.leases, ROOT, elsewhere(text, text)):
            holder = connected.leases.holder(ROOT)
            assert holder is not None and (holder.owner, holder.reason) == (text, text)


def test_a_clock_that_jumps_makes_a_look_old_and_what_is_lost_stays_lost(connected: TargetAccount) -> None:
    lost: list[SfmlError] = []
    with holding(connected.leases, ROOT, elsewhere("ada"), not_released=lost.append) as held:
        now = held.clock()
        held.clock = lambda: now - 3600
        connected.leases.replace(ROOT, elsewhere("mallory"))
        with pytest.raises(LeaseLost):
            held.look()
        connected.leases.replace(ROOT, held.lease)
        with pytest.raises(LeaseLost):
            held.look()
    assert lost
    connected.leases.drop(ROOT)


CONTENDERS = 4
ROUNDS = 3


def test_applies_of_several_processes_never_mix(
    server: LocalServer, connected: TargetAccount, faults: Faults
) -> None:
    """Each process applies graphs of its own to one pipeline, again and again, waiting for the lease."""
    connected.stage.create()
    faults.forget_calls()
    command = (sys.executable, str(Path(__file__).parent / "contender.py"))
    asked = {"arguments": server.connect_args(), "contenders": CONTENDERS, "rounds": ROUNDS}
    with fork_server.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        _, errors = process.communicate(json.dumps(asked), timeout=180)
    assert process.returncode == 0, errors[-3000:]
    # Within each lease there is just one apply: it opens a journal, and closes it before the lease ends.
    phases = [phase for call in faults.calls if (phase := phase_of(call)) is not None]
    # The log has calls as they begin: one that takes the lease may begin before the one that gives it back has ended.
    for at, (one, other) in enumerate(itertools.pairwise(phases)):
        if (one, other) == ("take", "give"):
            phases[at : at + 2] = ["give", "take"]
    assert phases == ["take", "open", "close", "give"] * (CONTENDERS * ROUNDS)
    kept = connected.stage.deployments("contended")
    assert [one.header.number for one in kept] == list(range(1, CONTENDERS * ROUNDS + 1))
    last = state(compiled("contended", ("a", "select 0", ())), connected)
    assert last == replace(kept[-1].artefact, tasks=last.tasks if last else ()) and last is not None
    assert [task.definition for task in last.tasks] == [task.definition for task in kept[-1].artefact.tasks]


def phase_of(call: Call) -> str | None:
    """What a call means for the lease; None for the others, and for takers that were refused."""
    statement = call.statement or ""
    if "CONTENDED" not in statement and "contended" not in statement:
        return None
    if statement.startswith("CREATE STAGE") and "SFML_LEASE" in statement:
        return "take" if call.code is None else None
    if statement.startswith("PUT"):
        return "open"
    if statement.startswith("REMOVE"):
        return "close"
    return "give" if statement.startswith("DROP STAGE") else None
