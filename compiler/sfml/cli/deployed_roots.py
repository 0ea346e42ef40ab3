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
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from sfml.account.history import DeployedRoot


def deployed_root(compiled_spec: CompiledSpec, target: TargetAccount) -> DeployedRoot:
    """The root of the deployed graph; raises `ConflictingState` if it is not deployed, or not made by sfml."""
    from sfml.plan.settings import split_comment

    desired = compiled_spec.desired
    root = target.history.root(desired.root.name)
    if root is None:
        raise ConflictingState(
            f"pipeline `{desired.pipeline}` is not deployed in target `{desired.target.name}`",
            help=misspelt(compiled_spec.desired.spec_path) or f"sfml apply {compiled_spec.desired.where}",
        )
    if split_comment(root.comment)[1] is None:
        raise ConflictingState(
            f"{root.name} was not made by sfml; nothing was changed",
            help=f"take it over first:  sfml apply {compiled_spec.desired.where} --adopt",
        )
    return root


@contextmanager
def switching(
    spec: str, options: Options, locking: Locking
) -> Iterator[tuple[CompiledSpec, TargetAccount, DeployedRoot]]:
    """The root, with its lease held during the block. Raises `ConflictingState` if an apply is unfinished.

    A signal does not interrupt the block.
    """
    from sfml.cli.interrupts import stopping
    from sfml.cli.part_tidying import tidy_parts
    from sfml.operations.apply_plan import read_stage

    compiled_spec = place_of(spec, options)
    desired = compiled_spec.desired
    with connected(compiled_spec, options) as target, locked(desired, target, options, locking) as held_lease:
        root = deployed_root(compiled_spec, target)
        staged, journal = read_stage(compiled_spec.desired, target)
        if journal is not None:
            raise ConflictingState(
                f"{journal.header.work} of {compiled_spec.desired.pipeline} did not finish, so its schedule is off",
                help=f"finish it first:  sfml apply {compiled_spec.desired.where}   with --resume or --no-resume",
            )
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
