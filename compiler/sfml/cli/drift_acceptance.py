"""Writes drift into the spec's files, and undoes that if the spec then differs from the account in more settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sfml.base.diagnostic import has_errors
from sfml.base.errors import ConflictingState
from sfml.base.record import record
from sfml.cli.fixes import write_fixes
from sfml.cli.inputs import read, single
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.lower.desired import DesiredGraph
from sfml.operations.ownership import Ownership
from sfml.plan.diff import make_plan
from sfml.plan.drift import Drift, open_drift
from sfml.plan.drift_acceptance import AcceptableField, UnacceptableField, acceptances

MAX_ROUNDS = 20
"""The maximum number of rounds. Changes of the same mapping need a round each."""


@record
class Acceptance:
    """The fields that were written into the spec, and those that could not be."""

    done: tuple[AcceptableField, ...]
    refused: tuple[UnacceptableField, ...]


def acceptable_fields(
    drifts: tuple[Drift, ...], compiled_spec: CompiledSpec
) -> tuple[AcceptableField | UnacceptableField, ...]:
    """For each drifted field, where it could be written, or why it cannot. Writes nothing."""
    loaded = compiled_spec.reading.loaded
    if loaded.spec is None:
        return ()
    return tuple(acceptances(drifts, loaded.spec, compiled_spec.desired, loaded.sources))


def accept(
    drifts: tuple[Drift, ...], compiled_spec: CompiledSpec, own: Ownership, spec: str, options: Options
) -> Acceptance:
    """Write the drift into the spec's files.

    Raises `ConflictingState`, with the files restored, when the changed spec has errors, or would change other settings
    of the account.
    """
    before = _differences(compiled_spec.desired, own)
    originals: dict[Path, bytes] = {}
    done: list[AcceptableField] = []
    left = drifts
    try:
        for _ in range(MAX_ROUNDS):
            wanted = [
                acceptable_field
                for acceptable_field in acceptable_fields(left, compiled_spec)
                if isinstance(acceptable_field, AcceptableField) and not _is_done(acceptable_field, done)
            ]
            if not wanted:
                break
            done += _written(wanted, compiled_spec, originals)
            compiled_spec = _again(spec, options)
            left = open_drift(left, compiled_spec.desired, own.observed, own.loose)
        more = _differences(compiled_spec.desired, own) - before
        if more:
            shown = ", ".join(f"{path} of {task}" for task, path in sorted(more)[:5])
            raise ConflictingState(
                f"writing it into the spec would change other settings too: {shown}",
                help="several tasks share these values; the files were restored: edit them by hand",
            )
    except BaseException:
        for path, content in originals.items():
            path.write_bytes(content)
        raise
    refused = [
        acceptable_field
        for acceptable_field in acceptable_fields(left, compiled_spec)
        if isinstance(acceptable_field, UnacceptableField)
    ]
    stuck = [
        UnacceptableField(
            acceptable_field.task,
            acceptable_field.path,
            "the spec sets it in another place too: edit it by hand",
        )
        for acceptable_field in acceptable_fields(left, compiled_spec)
        if isinstance(acceptable_field, AcceptableField)
    ]
    really = tuple(
        accepted
        for accepted in done
        if all((accepted.task, accepted.path) != (it.task, it.path) for it in stuck)
    )
    return Acceptance(tuple(sorted(really, key=lambda accepted: accepted.fix.span)), (*refused, *stuck))


def _is_done(one: AcceptableField, done: list[AcceptableField]) -> bool:
    return any((one.task, one.path) == (other.task, other.path) for other in done)


def _written(
    wanted: list[AcceptableField], compiled_spec: CompiledSpec, originals: dict[Path, bytes]
) -> list[AcceptableField]:
    """Make the changes that do not overlap; returns those that were made. `originals` collects the old files."""
    done: list[AcceptableField] = []
    root = compiled_spec.root.resolve()
    for file in sorted({acceptable.fix.span.file for acceptable in wanted}):
        path = (root / file).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            continue
        originals.setdefault(path, path.read_bytes())
        here = [acceptable for acceptable in wanted if acceptable.fix.span.file == file]
        written = set(write_fixes(path, tuple(dict.fromkeys(acceptable.fix for acceptable in here))))
        done += [acceptable for acceptable in here if acceptable.fix in written]
    return done


def _again(spec: str, options: Options) -> CompiledSpec:
    reading = read(single(spec), options)
    if reading.graph is None or has_errors(reading.diagnostics):
        first = next(diagnostic for diagnostic in reading.diagnostics if has_errors((diagnostic,)))
        raise ConflictingState(
            f"the account's values make a spec with findings: {first.message} ({first.code})",
            help="the files were restored; edit them by hand, or revert the account",
        )
    return CompiledSpec(reading, desired_graph(reading))


def _differences(desired: DesiredGraph, own: Ownership) -> frozenset[tuple[str, str]]:
    plan = make_plan(desired, own.observed, adopt=True, loose=own.loose)
    settings: Mapping[str, tuple[str, ...]] = {
        change.task: tuple(field.path for field in change.fields) for change in plan.changes
    }
    return frozenset((task, path) for task, paths in settings.items() for path in paths)
