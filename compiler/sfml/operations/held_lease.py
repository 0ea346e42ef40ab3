"""Acquires the lease of a pipeline, waits for it, checks that it is still held, and releases it."""

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
from sfml.operations.parallel_calls import ParallelCalls
from sfml.plan.lease import Lease

FRESH = 5.0
"""Seconds for which a check of the lease is valid. No changing call begins after an older check."""

FRESH_ENOUGH_TO_START = 2.0
"""Seconds for which a check is valid before the graph is resumed, which two commands must never do at once."""

SETTLED = FRESH + 2.0
"""Seconds to wait after breaking a lease: by then the last check of its former holder has expired, and a call that
it began just before has had two seconds to end."""

SHORT_WAIT = 10.0
"""Seconds that a command waits for another holder of the lease by default."""

_POLL = 2.0

FORCE_WARNING = (
    "the lease was broken: if the command that held it still runs, it stops at its next look at the lease,"
    " which is never more than 5 s away; a call that it has sent already cannot be called back"
)


@dataclass(slots=True)
class HeldLease:
    """The lease while this command holds it; it can be checked from several threads."""

    leases: Leases
    root: str
    lease: Lease
    clock: Callable[[], float] = time.time  # wall-clock time, which continues while the machine sleeps
    looked_at: float = field(init=False)
    """When the last successful check of the lease began, by `clock`."""
    _counter: float = field(init=False)
    _turn: threading.Lock = field(init=False, default_factory=threading.Lock)
    _lost: LeaseLost | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._remember(self.clock(), time.monotonic())

    def look(self, fresh_for: float = FRESH) -> None:
        """Check that this command still holds the lease; raises `LeaseLost`.

        A check within the last `fresh_for` seconds counts. Of several threads only one reads the lease; the others use
        its result.
        """
        with self._turn:
            if self._lost is not None:
                raise self._lost
            if self.is_fresh(fresh_for):
                return
            began = self.clock(), time.monotonic()
            holder = self.leases.holder(self.root)
            if holder is None or holder.nonce != self.lease.nonce:
                self._lost = LeaseLost(lost_words(holder), help="look at `sfml status` before you go on")
                raise self._lost
            self._remember(*began)

    def is_fresh(self, fresh_for: float = FRESH) -> bool:
        """Whether the last check still counts, by both clocks; false once the lease is lost.

        Wall time may be set back, monotonic time stops in sleep.
        """
        is_fresh_by_wall = 0 <= self.clock() - self.looked_at < fresh_for
        return self._lost is None and is_fresh_by_wall and time.monotonic() - self._counter < fresh_for

    def lost(self) -> LeaseLost | None:
        """Check the lease now. Returns the `LeaseLost` error; None if the lease is held, or if it cannot be read."""
        try:
            self.look(0)
        except LeaseLost as lost:
            return lost
        except SfmlError:
            pass
        return None

    def release(self) -> None:
        """Release the lease; raises `LeaseLost` if another command holds it by now."""
        self.look(0)
        self.leases.drop(self.root)

    def _remember(self, at: float, counter: float) -> None:
        self.looked_at, self._counter = at, counter


def new_lease(owner: str, reason: str | None = None) -> Lease:
    return Lease(
        owner,
        socket.gethostname(),
        os.getpid(),
        # Milliseconds, because a run is told from one of the deployment before by this time.
        datetime.now(UTC).isoformat(timespec="milliseconds"),
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
    """Hold the lease during the block; raises `LeaseHeld` if it is not free within `wait` seconds.

    `waiting` is called once with the holder's lease. If `breaking` is given, another holder's lease is broken;
    `breaking` is called with it and with the seconds to wait before the block. If the release fails, the lease is left
    behind: an error of the block is raised, or else `not_released` is called if given, or else the error is raised.
    """
    broken = leases.holder(root) if breaking is not None else None
    held_lease = HeldLease(leases, root, lease)
    try:
        if broken is None:
            _acquire(leases, root, lease, wait, waiting, sleep)
        else:
            _replace(leases, root, lease)
    except KeyboardInterrupt:
        _try_release(held_lease)  # the call that was interrupted may have been carried out
        raise
    try:
        if broken is not None and breaking is not None:
            pause = 0.0 if is_gone(broken, lease) else SETTLED
            breaking(broken, pause)
            sleep(pause)
            _reacquire(held_lease)
        yield held_lease
    except BaseException as error:
        lost = _try_release(held_lease)
        if lost is not None and isinstance(error, SfmlError) and not isinstance(error, LeaseLost):
            # The new holder of the lease may have caused the error.
            raise LeaseLost(f"{lost.message}; meanwhile: {error.message}", help=lost.help) from error
        raise
    try:
        ParallelCalls().run_all([held_lease.release])
    except SfmlError as error:
        if not_released is None:
            raise
        not_released(error)


def _try_release(held_lease: HeldLease) -> LeaseLost | None:
    """Try to release the lease. Returns `LeaseLost` if another command holds it; ignores other errors."""
    try:
        held_lease.release()
    except LeaseLost as lost:
        return lost
    except SfmlError:
        pass
    return None


def _acquire(
    leases: Leases,
    root: str,
    lease: Lease,
    wait: float,
    waiting: Callable[[Lease | None], None] | None,
    sleep: Callable[[float], None],
) -> None:
    deadline = time.monotonic() + wait
    has_reported = False
    while True:
        try:
            leases.take(root, lease)
            return
        except (LeaseHeld, AnswerLost):
            holder = leases.holder(root)
        if holder is not None and holder.nonce == lease.nonce:
            return  # our own lease: it was created, but the answer was lost
        left = deadline - time.monotonic()
        if left <= 0:
            raise LeaseHeld(held_words(root, holder, lease), help=held_help(holder, lease))
        if waiting is not None and not has_reported:
            waiting(holder)
            has_reported = True
        sleep(min(_POLL, max(left, 0.05)))


def _replace(leases: Leases, root: str, lease: Lease) -> None:
    try:
        leases.replace(root, lease)
    except AnswerLost:
        holder = leases.holder(root)
        if holder is None or holder.nonce != lease.nonce:
            raise


def _reacquire(held_lease: HeldLease) -> None:
    """Check the lease after the wait. The former holder may have dropped it by a release, so acquire it again."""
    holder = held_lease.leases.holder(held_lease.root)
    if holder is None:
        held_lease.leases.take(held_lease.root, held_lease.lease)
    held_lease.look(0)


def lost_words(holder: Lease | None) -> str:
    """A sentence that says who took the lease."""
    if holder is None:
        return "the lease was taken away by a command that has ended since"
    why = f', "{holder.reason}"' if holder.reason else ""
    return f"the lease was taken away by {_whose(holder)} at {_since(holder)}{why}"


def held_words(root: str, holder: Lease | None, ours: Lease) -> str:
    """A sentence that says who holds the lease, since when, and why."""
    if holder is None:
        return f"somebody whose lease the role cannot see is changing {root}"
    if not holder.nonce:
        return f"somebody is changing {root}, whose lease this version of sfml cannot read"
    why = f', "{holder.reason}"' if holder.reason else ""
    if was_cut_off(holder, ours):
        return f"your command that began to change {root} at {_since(holder)} was cut off and left its lease{why}"
    return f"{_whose(holder)} is changing {root} since {_since(holder)}{why}"


def held_help(holder: Lease | None, ours: Lease) -> str:
    """The help for a held lease."""
    if holder and was_cut_off(holder, ours):
        return (
            "its process is gone: --force-unlock takes the lease over;"
            " `sfml apply` then finishes what it began, `sfml apply --restore` goes back"
        )
    return "wait with --lock-timeout 5m; --force-unlock breaks the lease of a command that runs no more"


def was_cut_off(holder: Lease, ours: Lease) -> bool:
    """Whether the lease belongs to this user on this machine, and its process no longer runs."""
    is_other_boot = None not in (holder.boot, ours.boot) and holder.boot != ours.boot
    is_ours = (holder.owner, holder.host) == (ours.owner, ours.host) and not is_other_boot
    return is_ours and not _is_alive(holder.process)


def is_gone(holder: Lease, ours: Lease) -> bool:
    """Whether the process that acquired the lease has certainly ended: same machine, same boot, and its id is free."""
    same = holder.boot is not None and (holder.host, holder.boot) == (ours.host, ours.boot)
    return same and not _is_alive(holder.process)


def _whose(lease: Lease) -> str:
    return f"{lease.owner} on {lease.host} (process {lease.process})" if lease.nonce else lease.owner


def _since(lease: Lease) -> str:
    since = lease.taken_at
    if since is None:
        return lease.since or "an unknown time"
    return f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


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
    """An id of this boot and process namespace, because containers may share host names and process ids.

    None if the system does not provide it.
    """
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except (OSError, ValueError):
        return None
    return hashlib.sha256(f"{started} {space}".encode()).hexdigest()[:16]
