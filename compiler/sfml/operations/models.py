"""Changes which version of a model is the default, and the aliases of versions; the reason is kept with the version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sfml.account.registered import (
    CHALLENGER,
    CHAMPION,
    SYSTEM_ALIASES,
    AliasChange,
    DefaultChange,
    ModelVersion,
    VersionChange,
    default_of,
    models_of,
    version_before,
    version_named,
)
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import ConflictingState, SfmlError, UsageError
from sfml.base.quoting import qualified, raw
from sfml.base.record import record
from sfml.lower.names import folded_name
from sfml.snowflake.registry import keep_changes, set_alias, set_default, unset_alias, versions

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.graph.model import Target

REASON_LENGTH = 1000


@record
class RegisteredModel:
    """A model of a target, on an open connection; `by` is who changes it."""

    connection: SnowflakeConnection
    target: Target
    name: str
    by: str

    def versions(self) -> tuple[ModelVersion, ...]:
        """The versions, oldest first; raises `ConflictingState` when there are none."""
        there = versions(self.connection, self.target, self.name)
        if not there:
            raise ConflictingState(
                f"{self.name} is not in the registry, or the role cannot see it",
                help=listing_of_models(self.target),
            )
        return there


def listing_of_models(target: Target) -> str:
    """The help for a model that is not there."""
    return f"list the models there:  SHOW MODELS IN SCHEMA {qualified(target.database, target.schema)}"


Approve = Callable[[str], object]
"""Gets the question whether to make a change, and raises an exception if it is not approved."""


def spec_models(compiled_spec: CompiledSpec) -> tuple[str, ...]:
    """The models that steps of a spec get as `model_name`; raises `UsageError` when there are none."""
    assert compiled_spec.reading.graph is not None, "a spec that compiles has a graph"
    names = models_of(compiled_spec.reading.graph)
    if not names:
        raise UsageError(
            f"no step of {compiled_spec.desired.pipeline} has an argument `model_name`",
            help="name the model: --model NAME",
        )
    return names


def only_model(compiled_spec: CompiledSpec) -> str:
    """The one model of a spec; raises `UsageError` when there are none or several."""
    names = spec_models(compiled_spec)
    if len(names) > 1:
        raise UsageError(
            f"{compiled_spec.desired.pipeline} has {len(names)} models",
            help=f"choose one with --model: {', '.join(names)}",
        )
    return names[0]


def version_in(versions: Iterable[ModelVersion], text: str) -> ModelVersion:
    """The version with this name or alias; raises `UsageError` with the names that there are."""
    there = tuple(versions)
    version = version_named(there, text)
    if version is None:
        names = [*(one.name for one in there), *(alias for one in there for alias in one.aliases)]
        raise UsageError(
            f"there is no version {text}",
            help=did_you_mean(raw(text), names) or ", ".join(one.name for one in there),
        )
    return version


def versions_to_compare(
    versions: tuple[ModelVersion, ...], names: tuple[str, ...]
) -> tuple[ModelVersion, ...]:
    """The versions to compare: those named; one is compared with the champion, none means champion and challenger.

    Without a challenger, the newest version takes its place. Raises `UsageError` if a version is compared with itself.
    """
    if not versions:
        raise UsageError("the model has no versions")
    chosen = [version_in(versions, name) for name in names]
    if len(chosen) < 2:
        champion = version_named(versions, CHAMPION)
        challenger = chosen[0] if chosen else version_named(versions, CHALLENGER) or versions[-1]
        chosen = [*((champion,) if champion else ()), challenger]
    if len({one.name for one in chosen}) < max(2, len(chosen)):
        raise UsageError(f"there is nothing to compare {chosen[0].name} with", help="name two versions")
    return tuple(chosen)


def promote(model: RegisteredModel, version: str, *, reason: str | None, approve: Approve) -> DefaultChange:
    """Make a version, given by name or alias, the default. The alias CHAMPION follows if the model uses it.

    Raises `UsageError` if there is no such version, `ConflictingState` if the default changed during the approval.
    """
    checked_reason(reason)
    there = model.versions()
    return _made_default(model, there, version_in(there, version), "promoted", reason, approve)


def roll_back(model: RegisteredModel, *, reason: str | None, approve: Approve) -> DefaultChange:
    """Make the version before the default one the default again; raises `ConflictingState` without one."""
    checked_reason(reason)
    there = model.versions()
    before = version_before(there)
    if before is None:
        default = default_of(there)
        left = [one.name for one in there if default and one.created_at < default.created_at]
        if left:
            raise ConflictingState(
                f"every version before the default one was left by a rollback, or is only a challenger: "
                f"{', '.join(left)}; nothing was changed",
                help=f"choose one:  sfml models promote SPEC {left[-1]}",
            )
        raise ConflictingState("no version is older than the default one; nothing was changed")
    return _made_default(model, there, before, "restored", reason, approve)


def change_alias(
    model: RegisteredModel, alias: str, version: str | None, *, reason: str | None, approve: Approve
) -> AliasChange:
    """Give the alias to a version, or take it away from the one that has it if `version` is None."""
    checked_reason(reason)
    there = model.versions()
    name = _checked_alias(alias, there)
    holder = next((one for one in there if name in one.aliases), None)
    wanted = None if version is None else version_in(there, version)
    change = AliasChange(
        model.name, name, holder.name if holder else None, wanted.name if wanted else None, reason
    )
    if not change.is_changed:
        return change
    if wanted is None:
        approve(f"Take the alias {name} of {model.name} away from {change.previous}?")
    elif holder is not None:
        approve(f"Give the alias {name} of {model.name} to {wanted.name}, not {holder.name}?")
    _move_alias(model, name, holder, wanted)
    notes = {}
    if holder is not None:
        notes[holder.name] = _note(model, "unaliased", reason, other=change.version, alias=name)
    if wanted is not None:
        notes[wanted.name] = _note(model, "aliased", reason, other=change.previous, alias=name)
    _keep(model, notes, f"the alias {name} was changed")
    return change


def checked_reason(reason: str | None) -> None:
    """Raise `UsageError` for an empty reason, or one that is too long to be kept with a version."""
    if reason is not None and not reason.strip():
        raise UsageError("the reason is empty", help="say why, or leave out --reason")
    if reason is not None and len(reason) > REASON_LENGTH:
        raise UsageError(f"the reason has {len(reason)} characters, more than {REASON_LENGTH}")


def _checked_alias(alias: str, there: tuple[ModelVersion, ...]) -> str:
    name = raw(alias)
    if not name.strip() or name in SYSTEM_ALIASES:
        raise UsageError(f"{alias} cannot be assigned as an alias", help="choose another name")
    if any(one.name == name for one in there):
        raise UsageError(f"{alias} is the name of a version", help="choose another name")
    return name


def _made_default(
    model: RegisteredModel,
    there: tuple[ModelVersion, ...],
    version: ModelVersion,
    action: str,
    reason: str | None,
    approve: Approve,
) -> DefaultChange:
    default = default_of(there)
    change = DefaultChange(model.name, default.name if default else None, version.name, reason)
    if change.is_changed:
        was = change.previous or "none"
        approve(f"Make {version.name} the default version of {model.name} in {model.target.name}, not {was}?")
        now = default_of(model.versions())
        if (now.name if now else None) != change.previous:
            raise ConflictingState(
                f"the default version of {model.name} has become {now.name if now else 'none'} meanwhile; "
                "nothing was changed"
            )
        set_default(model.connection, model.target, model.name, folded_name(version.name))
    _follow_aliases(model, there, version)
    if change.is_changed or reason is not None:
        notes = {version.name: _note(model, action, reason, other=change.previous)}
        if action == "restored" and default is not None and change.is_changed:
            notes[default.name] = _note(model, "left", reason, other=version.name)
        _keep(model, notes, f"the default version of {model.name} is {version.name} now")
    return change


def _follow_aliases(model: RegisteredModel, there: tuple[ModelVersion, ...], version: ModelVersion) -> None:
    """Move the alias CHAMPION to the version that serves, if the model uses it; it is no challenger any more."""
    champion = next((one for one in there if CHAMPION in one.aliases), None)
    if champion is not None and champion.name != version.name:
        _move_alias(model, CHAMPION, champion, version)
    if CHALLENGER in version.aliases:
        unset_alias(model.connection, model.target, model.name, CHALLENGER)


def _move_alias(
    model: RegisteredModel, alias: str, holder: ModelVersion | None, version: ModelVersion | None
) -> None:
    name = folded_name(alias)
    if holder is not None:
        unset_alias(model.connection, model.target, model.name, name)
    if version is not None:
        set_alias(model.connection, model.target, model.name, folded_name(version.name), name)


def _note(
    model: RegisteredModel,
    action: str,
    reason: str | None,
    *,
    other: str | None = None,
    alias: str | None = None,
) -> VersionChange:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return VersionChange(action, at, model.by, reason, other, alias)


def _keep(model: RegisteredModel, notes: dict[str, VersionChange], done: str) -> None:
    try:
        keep_changes(model.connection, model.target, model.name, notes)
    except SfmlError as error:
        raise ConflictingState(
            f"{done}, but who did it and why could not be kept with the version: {error}", help=error.help
        ) from error
