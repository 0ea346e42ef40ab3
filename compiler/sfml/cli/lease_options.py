"""The lease of a pipeline, for commands: the options about it, and the block in which it is held."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfml.base.errors import LeaseLost, SfmlError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import user_name
from sfml.cli.interrupts import pause, terminate_as_interrupt
from sfml.cli.options import Options
from sfml.operations.target_account import TargetAccount
from sfml.render.printable import printable

if TYPE_CHECKING:
    from sfml.lower.desired import DesiredGraph
    from sfml.operations.held_lease import HeldLease
    from sfml.plan.lease import Lease

F = TypeVar("F", bound=Callable[..., Any])


@record
class Locking:
    """Options of the lease: seconds to wait for another holder (None: 10 s), whether to break its lease, the reason."""

    timeout: float | None = None
    force: bool = False
    reason: str | None = None


class Seconds(click.ParamType[float]):
    """An option type for durations as in specs: `90s`, `5m`, `1h`; converted to seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from sfml.semantics.interval import interval_seconds

        if isinstance(value, int | float):
            return float(value)
        text = str(value).strip()
        number, unit = text.rstrip("smhSMH"), text[len(text.rstrip("smhSMH")) :].upper() or "S"
        seconds = 0 if number == "0" else interval_seconds(f"{number} {unit}")
        if seconds is None:
            self.fail(f"`{text}` is not a duration; write 30s, 5m or 1h", param, ctx)
        return float(seconds)


def locking_options(function: F) -> F:
    """Adds the options about the lease; the command receives them as one `locking: Locking`."""

    @click.option(
        "--lock-timeout",
        type=Seconds(),
        metavar="TIME",
        help="How long to wait if another command holds the lease of the graph: 90s, 5m.  [default: 10s]",
    )
    @click.option("--force-unlock", is_flag=True, help="Break the lease of a command that was killed.")
    @click.option(
        "--reason", metavar="TEXT", help="The reason for the change; shown to others while the lease is held."
    )
    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        locking = Locking(
            arguments.pop("lock_timeout"), arguments.pop("force_unlock"), arguments.pop("reason")
        )
        return function(locking=locking, **arguments)

    return command  # type: ignore[return-value]


@contextmanager
def locked(
    desired: DesiredGraph, target: TargetAccount, options: Options, locking: Locking
) -> Iterator[HeldLease]:
    """Hold the lease of the pipeline in its target during the block; raises `LeaseHeld`."""
    from sfml.operations.held_lease import FORCE_WARNING, SHORT_WAIT, held_words, holding, new_lease

    root = desired.root.name
    ours = new_lease(user_name(options), locking.reason)

    def breaking(holder: Lease, seconds: float) -> None:
        if not options.speaks:
            return
        output.note(f"{printable(held_words(root, holder, ours))}\nwarning: {FORCE_WARNING}")
        if seconds:
            output.note(f"waiting {seconds:g} s, so that its holder notices …")

    def not_released(error: SfmlError) -> None:
        if isinstance(error, LeaseLost):
            output.note(f"note: {printable(error.message)}, after this command had made its last call")
        else:
            output.note(
                f"note: this command is done, but its lease could not be released ({printable(error.message)});"
                " the next command needs --force-unlock"
            )

    def waiting(holder: Lease | None) -> None:
        if options.speaks:
            output.note(printable(f"{held_words(root, holder, ours)}; waiting …"))

    wait = SHORT_WAIT if locking.timeout is None else locking.timeout
    with (
        terminate_as_interrupt(),
        holding(
            *(target.leases, root, ours),
            wait=wait,
            waiting=waiting,
            sleep=pause,
            breaking=breaking if locking.force else None,
            not_released=not_released,
        ) as held_lease,
    ):
        yield held_lease
