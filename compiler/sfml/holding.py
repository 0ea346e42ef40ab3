"""Takes the lease of a pipeline, waits for it, looks whether it is still ours, and gives it back."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sfml.errors import AnswerLost, LeaseHeld, LeaseLost, SfmlError
from sfml.plan.lease import Lease
from sfml.ports import Leases

FRESH = 5.0
"""Seconds for which a look at the lease holds while the graph is off."""

FRESH_ENOUGH_TO_START = 2.0
"""Seconds for which it holds before the graph is turned on: two who do that at once is what it must not come to."""

SHORT_WAIT = 10.0
"""Seconds that a command waits for somebody else's lease when it is not told how long."""

_POLL = 2.0

FORCE_WARNING = (
    "the lease was broken: if the apply that held it still runs, both change the graph now; it stops at its next look"
    " at the lease, but a call that it has sent already cannot be called back"
)


@dataclass(slots=True)
class Held:
    """The lease while we hold it."""

    leases: Leases
    root: str
    lease: Lease
    clock: Callable[[], float] = time.time  # the wall's: a machine that slept has not looked
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        self._looked = self.clock()

    def look(self, fresh_for: float = FRESH) -> None:
        """Raise `LeaseLost` unless the lease is ours, or was when we looked so many seconds ago."""
        if 0 <= self.clock() - self._looked < fresh_for:
            return
        holder = self.leases.holder(self.root)
        if holder is None or holder.nonce != self.lease.nonce:
            raise LeaseLost(
                f"the lease was taken away{f' by {holder.owner}' if holder else ''}; nothing more was changed",
                help="somebody ran a command with --force-unlock; agree with them, then look at `sfml status`",
            )
        self._looked = self.clock()

    def release(self) -> None:
        """Give it back, if it is still ours."""
        self.look()
        self.leases.drop(self.root)


def new_lease(owner: str, reason: str | None = None) -> Lease:
    return Lease(
        owner,
        socket.gethostname(),
        os.getpid(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        uuid.uuid4().hex,
        reason,
    )


@contextmanager
def holding(
    leases: Leases,
    root: str,
    lease: Lease,
    *,
    wait: float = SHORT_WAIT,
    waiting: Callable[[Lease | None], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Held]:
    """The lease for as long as the block takes; raises `LeaseHeld` when it is not free within `wait` seconds.

    `waiting` is told once who holds it. A lease that cannot be given back is left behind: the error that the block
    ends with matters more.
    """
    _taken(leases, root, lease, wait, waiting, sleep)
    held = Held(leases, root, lease)
    try:
        yield held
    except BaseException:
        with suppress(SfmlError):
            held.release()
        raise
    held.release()


def _taken(
    leases: Leases,
    root: str,
    lease: Lease,
    wait: float,
    waiting: Callable[[Lease | None], None] | None,
    sleep: Callable[[float], None],
) -> None:
    deadline = time.monotonic() + wait
    told = False
    while True:
        try:
            leases.take(root, lease)
            return
        except (LeaseHeld, AnswerLost):
            holder = leases.holder(root)
        if holder is not None and holder.nonce == lease.nonce:
            return  # ours: its creation was carried out, and the answer was lost
        left = deadline - time.monotonic()
        if left <= 0:
            raise LeaseHeld(held_words(root, holder, lease), help=held_help(holder, lease))
        if waiting is not None and not told:
            waiting(holder)
            told = True
        sleep(min(_POLL, max(left, 0.05)))


def held_words(root: str, holder: Lease | None, ours: Lease) -> str:
    """Who holds the lease, since when and why."""
    if holder is None:
        return f"somebody whose lease the role cannot see is changing {root}"
    why = f', "{holder.reason}"' if holder.reason else ""
    if was_cut_off(holder, ours):
        return f"your command that began to change {root} at {_since(holder)} was cut off and left its lease{why}"
    process = f"{holder.owner} on {holder.host} (process {holder.process})"
    return f"{process} is changing {root} since {_since(holder)}{why}"


def held_help(holder: Lease | None, ours: Lease) -> str:
    """How to go on."""
    if holder and was_cut_off(holder, ours):
        return (
            "its process is gone: --force-unlock finishes what it began, --restore --force-unlock goes back"
        )
    return "wait with --lock-timeout 5m; --force-unlock breaks the lease of a command that runs no more"


def was_cut_off(holder: Lease, ours: Lease) -> bool:
    """Whether the lease is one of ours from this machine, and its process runs no more."""
    return (holder.owner, holder.host) == (ours.owner, ours.host) and not _is_alive(holder.process)


def _since(lease: Lease) -> str:
    taken = lease.taken_at
    if taken is None:
        return lease.since
    return f"{taken.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _is_alive(process: int) -> bool:
    """Whether a process of this machine runs; on Windows signal 0 would end it, so there it is said to."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
