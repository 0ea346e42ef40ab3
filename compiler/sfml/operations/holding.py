"""Takes the lease of a pipeline, waits for it, looks whether it is still ours, and gives it back."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sfml.account.ports import Leases
from sfml.base.errors import AnswerLost, LeaseHeld, LeaseLost, SfmlError
from sfml.operations.crew import Crew
from sfml.plan.lease import Lease

FRESH = 5.0
"""Seconds for which a look at the lease holds: no call that changes anything is begun on an older one."""

FRESH_ENOUGH_TO_START = 2.0
"""Seconds for which it holds before the graph is turned on: two who do that at once is what it must not come to."""

SETTLED = FRESH + 2.0
"""Seconds that whoever broke a lease waits before reading anything: the last look of the other has grown old by
then, and a call that was begun on it has had two seconds to end."""

SHORT_WAIT = 10.0
"""Seconds that a command waits for somebody else's lease when it is not told how long."""

_POLL = 2.0

FORCE_WARNING = (
    "the lease was broken: if the command that held it still runs, it stops at its next look at the lease,"
    " which is never more than 5 s away; a call that it has sent already cannot be called back"
)


@dataclass(slots=True)
class HeldLease:
    """The lease while we hold it; may be looked at from several threads."""

    leases: Leases
    root: str
    lease: Lease
    clock: Callable[[], float] = time.time  # the wall's: a machine that slept has not looked
    looked_at: float = field(init=False)
    """When the last look that found it ours was begun, by `clock`."""
    _counter: float = field(init=False)
    _turn: threading.Lock = field(init=False, default_factory=threading.Lock)
    _lost: LeaseLost | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._remember(self.clock(), time.monotonic())

    def look(self, fresh_for: float = FRESH) -> None:
        """Raise `LeaseLost` unless the lease is ours, or was when we looked so many seconds ago.

        Of calls that want to know at the same time one looks, and the others learn what it saw.
        """
        with self._turn:
            if self._lost is not None:
                raise self._lost
            if self._is_fresh(fresh_for):
                return
            began = self.clock(), time.monotonic()
            holder = self.leases.holder(self.root)
            if holder is None or holder.nonce != self.lease.nonce:
                self._lost = LeaseLost(lost_words(holder), help="look at `sfml status` before you go on")
                raise self._lost
            self._remember(*began)

    def lost(self) -> LeaseLost | None:
        """What is known when a look says so now; None when the lease is ours, or nobody can tell."""
        try:
            self.look(0)
        except LeaseLost as lost:
            return lost
        except SfmlError:
            pass
        return None

    def release(self) -> None:
        """Give it back, if it is still ours: what somebody else holds by now is not ours to drop."""
        self.look(0)
        self.leases.drop(self.root)

    def _remember(self, at: float, counter: float) -> None:
        self.looked_at, self._counter = at, counter

    def _is_fresh(self, fresh_for: float) -> bool:
        """By both clocks: the wall's may be set back, the counter stands still while a machine sleeps."""
        return 0 <= self.clock() - self.looked_at < fresh_for and time.monotonic() - self._counter < fresh_for


def new_lease(owner: str, reason: str | None = None) -> Lease:
    return Lease(
        owner,
        socket.gethostname(),
        os.getpid(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        uuid.uuid4().hex,
        reason,
        _boot(),
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
    breaking: Callable[[Lease, float], None] | None = None,
    not_released: Callable[[SfmlError], None] | None = None,
) -> Iterator[HeldLease]:
    """The lease for as long as the block takes; raises `LeaseHeld` when it is not free within `wait` seconds.

    `waiting` is told once who holds it. With `breaking` somebody else's lease is broken; it is told whose, and the
    seconds that are waited before the block begins. A lease that cannot be given back is left behind: an error that
    the block ends with matters more, and else `not_released` is told, where it is given.
    """
    broken = leases.holder(root) if breaking is not None else None
    held = HeldLease(leases, root, lease)
    try:
        if broken is None:
            _taken(leases, root, lease, wait, waiting, sleep)
        else:
            _replaced(leases, root, lease)
    except KeyboardInterrupt:
        _released(held)  # the call that was interrupted may have been carried out
        raise
    try:
        if broken is not None and breaking is not None:
            pause = 0.0 if is_gone(broken, lease) else SETTLED
            breaking(broken, pause)
            sleep(pause)
            _hold_again(held)
        yield held
    except BaseException as error:
        lost = _released(held)
        if lost is not None and isinstance(error, SfmlError) and not isinstance(error, LeaseLost):
            # What the account refused, or what it holds, may be the doing of whoever has the lease by now.
            raise LeaseLost(f"{lost.message}; meanwhile: {error.message}", help=lost.help) from error
        raise
    try:
        Crew().carry_out([held.release])
    except SfmlError as error:
        if not_released is None:
            raise
        not_released(error)


def _released(held: HeldLease) -> LeaseLost | None:
    """Give the lease back, if that can be done; what is answered when it is not ours any more."""
    try:
        held.release()
    except LeaseLost as lost:
        return lost
    except SfmlError:
        pass
    return None


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


def _replaced(leases: Leases, root: str, lease: Lease) -> None:
    try:
        leases.replace(root, lease)
    except AnswerLost:
        holder = leases.holder(root)
        if holder is None or holder.nonce != lease.nonce:
            raise


def _hold_again(held: HeldLease) -> None:
    """Look after the wait; whose lease was broken may have dropped ours, having looked just before."""
    holder = held.leases.holder(held.root)
    if holder is None:
        held.leases.take(held.root, held.lease)
    held.look(0)


def lost_words(holder: Lease | None) -> str:
    """Who took the lease away."""
    if holder is None:
        return "the lease was taken away by a command that has ended since"
    why = f', "{holder.reason}"' if holder.reason else ""
    return f"the lease was taken away by {_whose(holder)} at {_since(holder)}{why}"


def held_words(root: str, holder: Lease | None, ours: Lease) -> str:
    """Who holds the lease, since when and why."""
    if holder is None:
        return f"somebody whose lease the role cannot see is changing {root}"
    if not holder.nonce:
        return f"somebody is changing {root}, whose lease this version of sfml cannot read"
    why = f', "{holder.reason}"' if holder.reason else ""
    if was_cut_off(holder, ours):
        return f"your command that began to change {root} at {_since(holder)} was cut off and left its lease{why}"
    return f"{_whose(holder)} is changing {root} since {_since(holder)}{why}"


def held_help(holder: Lease | None, ours: Lease) -> str:
    """How to go on."""
    if holder and was_cut_off(holder, ours):
        return (
            "its process is gone: --force-unlock finishes what it began, --restore --force-unlock goes back"
        )
    return "wait with --lock-timeout 5m; --force-unlock breaks the lease of a command that runs no more"


def was_cut_off(holder: Lease, ours: Lease) -> bool:
    """Whether the lease is one of ours from this machine, and its process runs no more."""
    is_other_boot = None not in (holder.boot, ours.boot) and holder.boot != ours.boot
    is_ours = (holder.owner, holder.host) == (ours.owner, ours.host) and not is_other_boot
    return is_ours and not _is_alive(holder.process)


def is_gone(holder: Lease, ours: Lease) -> bool:
    """Whether the process that took the lease is known to have ended: its id is one of the same machine, and free."""
    same = holder.boot is not None and (holder.host, holder.boot) == (ours.host, ours.boot)
    return same and not _is_alive(holder.process)


def _whose(lease: Lease) -> str:
    return f"{lease.owner} on {lease.host} (process {lease.process})" if lease.nonce else lease.owner


def _since(lease: Lease) -> str:
    taken = lease.taken_at
    if taken is None:
        return lease.since or "an unknown time"
    return f"{taken.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _is_alive(process: int) -> bool:
    """Whether a process of this machine runs; on Windows signal 0 would kill it, so it is reported as running."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _boot() -> str | None:
    """Which start of this machine and which space of process ids this is: containers share a host's name and ids.

    None where the system does not tell.
    """
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except (OSError, ValueError):
        return None
    return hashlib.sha256(f"{started} {space}".encode()).hexdigest()[:16]
