"""Traces a model version to its run, and a run to its versions and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfml.account.history import Run
from sfml.account.registered import ModelVersion, models_of, version_named
from sfml.account.run_history import ran_on_of
from sfml.account.trace import (
    Trace,
    TracedVersion,
    is_same_model,
    maker_of,
    mentions_of,
    traced_tasks,
)
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.quoting import raw
from sfml.operations.models import listing_of_models, version_in
from sfml.operations.part_runs import named_run, runs_and_parts
from sfml.operations.target_account import TargetAccount
from sfml.snowflake.registry import versions

if TYPE_CHECKING:
    from sfml.frontend.compiled_spec import CompiledSpec


def version_asked(subject: str) -> tuple[str, str] | None:
    """The model and the version of `MODEL@VERSION`; None for anything else. Raises `UsageError` if one is empty."""
    model, is_version, version = subject.rpartition("@")
    if not is_version:
        return None
    if not (model and version):
        raise UsageError(f"`{subject}` is no MODEL@VERSION", help="write CLV_MODEL@V_1, or the id of a run")
    return model, version


def trace(compiled_spec: CompiledSpec, target: TargetAccount, subject: str) -> Trace:
    """Trace `MODEL@VERSION`, whose version may be an alias, or a run by its id, the start of it, or `last`.

    Raises `ConflictingState` if the model or the run is not there, `UsageError` for an unknown version.
    """
    asked = version_asked(subject)
    runs = runs_and_parts(compiled_spec.desired, target, with_skipped=False, with_values=True)
    if asked is None:
        named = named_run(compiled_spec.desired, runs, subject)
        return _trace(compiled_spec, target, subject, runs, named, named.run_id)
    model, name = asked
    version = version_in(_versions(compiled_spec, target, model, required=True), name)
    run_id, task = maker_of(model, version, runs)
    run = next((one for one in runs if one.run_id == run_id), None)
    made = TracedVersion(model, version.name, task, version)
    return _trace(compiled_spec, target, subject, runs, run, run_id, made)


def _trace(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    subject: str,
    runs: Sequence[Run],
    run: Run | None,
    run_id: str | None,
    version: TracedVersion | None = None,
) -> Trace:
    graph, desired = compiled_spec.reading.graph, compiled_spec.desired
    assert graph is not None, "a spec that compiles has a graph"
    mentions = tuple(mentions_of(runs))
    if version is not None:
        versions: tuple[TracedVersion, ...] = (version,)
        tables = [
            one
            for one in mentions
            if is_same_model(one.model, version.model) and raw(one.version) == raw(version.name)
        ]
    else:
        versions = _made_by(compiled_spec, target, runs, run)
        tables = [one for one in mentions if run is not None and one.run_id == run.run_id]
    return Trace(
        pipeline=desired.pipeline,
        target=desired.target.name,
        subject=subject,
        run_id=run_id,
        run=run,
        deployment=None if run is None else ran_on_of(run, target.stage.kept(desired.pipeline).deployments),
        tasks=traced_tasks(graph, run, version.task if version else None) if run else (),
        versions=versions,
        tables=tuple(one for one in tables if one.table is not None),
    )


def _made_by(
    compiled_spec: CompiledSpec, target: TargetAccount, runs: Sequence[Run], run: Run | None
) -> tuple[TracedVersion, ...]:
    """The versions that a run logged, with those that the registry has."""
    found: dict[tuple[str, str], TracedVersion] = {}
    registered: dict[str, tuple[ModelVersion, ...]] = {}
    for mention in mentions_of((run,) if run else ()):
        key = (raw(mention.model), raw(mention.version))
        if key in found:
            continue
        if key[0] not in registered:
            registered[key[0]] = _versions(compiled_spec, target, mention.model)
        version = version_named(registered[key[0]], mention.version)
        if version is not None and maker_of(mention.model, version, runs)[0] != mention.run_id:
            continue  # an earlier run logged it, and this one only used it
        if version is None and mention.table is not None:
            continue  # what wrote a table used a version
        found[key] = TracedVersion(mention.model, key[1], mention.task, version)
    return tuple(found.values())


def _versions(
    compiled_spec: CompiledSpec, target: TargetAccount, model: str, *, required: bool = False
) -> tuple[ModelVersion, ...]:
    there = versions(target.connection, compiled_spec.desired.target, model)
    if required and not there:
        known = models_of(compiled_spec.reading.graph) if compiled_spec.reading.graph else ()
        raise ConflictingState(
            f"{model} is not in the registry, or the role cannot see it",
            help=f"the models of {compiled_spec.desired.pipeline}: {', '.join(known)}"
            if known
            else listing_of_models(compiled_spec.desired.target),
        )
    return there
