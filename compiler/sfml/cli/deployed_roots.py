"""The parts that commands for deployed graphs share: the root, and the lock for turning a schedule on or off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.base.errors import ConflictingState
from sfml.cli import output
from sfml.cli.inputs import connected
from sfml.cli.lease_options import Locking, locked
from sfml.cli.options import Options
from sfml.cli.restoration import place_of
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.entry_files import misspelt
from sfml.operations.schedule_switch import own_root, stage_without_journal
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from sfml.account.history import DeployedRoot


def deployed_root(compiled_spec: CompiledSpec, target: TargetAccount) -> DeployedRoot:
    """The root of the deployed graph; raises `ConflictingState` if it is not deployed, or not made by sfml."""
    try:
        return own_root(compiled_spec.desired, target)
    except ConflictingState as error:
        hint = misspelt(compiled_spec.desired.spec_path)
        raise error if hint is None else error.advised(hint) from error.__cause__


@contextmanager
def switching(
    spec: str, options: Options, locking: Locking
) -> Iterator[tuple[CompiledSpec, TargetAccount, DeployedRoot]]:
    """The root, with its lease held during the block. Raises `ConflictingState` if an apply is unfinished.

    A signal does not interrupt the block.
    """
    from sfml.cli.interrupts import stopping
    from sfml.cli.part_tidying import tidy_parts

    compiled_spec = place_of(spec, options)
    desired = compiled_spec.desired
    with connected(compiled_spec, options) as target, locked(desired, target, options, locking) as held_lease:
        root = deployed_root(compiled_spec, target)
        staged = stage_without_journal(desired, target)
        tidy_parts(desired, target, held_lease, staged, options)
        done = threading.Event()
        with stopping(threading.Event(), done.is_set):
            yield compiled_spec, target, root
            done.set()


def say_switched(
    compiled_spec: CompiledSpec, options: Options, text: str, *, changed: bool, is_on: bool
) -> None:
    if options.json:
        output.say_json({**_place(compiled_spec), "changed": changed, "schedule_on": is_on})
    elif not options.quiet:
        output.say(text)


def say_runs(compiled_spec: CompiledSpec, options: Options, text: str, runs: tuple[str, ...]) -> None:
    if options.json:
        output.say_json({**_place(compiled_spec), "runs": list(runs)})
    elif not options.quiet:
        output.say(text)


def _place(compiled_spec: CompiledSpec) -> Mapping[str, Any]:
    return {"pipeline": compiled_spec.desired.pipeline, "target": compiled_spec.desired.target.name}
