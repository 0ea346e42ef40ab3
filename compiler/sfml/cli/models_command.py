"""`sfml models list|promote|rollback SPEC`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.confirmation import confirm
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec

if TYPE_CHECKING:
    from sfml.account.registered import ModelVersion


@click.group()
def command() -> None:
    """Model versions of a spec in the registry: list them, promote one, go back to the previous one."""


model_option = click.option(
    "--model", metavar="NAME", help="The model; needed if the spec has several models or none."
)


@command.command("list")
@click.argument("spec")
@model_option
@shared_options()
def list_models(spec: str, model: str | None, options: Options) -> int:
    """List the versions, newest first, of the models that steps of SPEC get as `model_name`."""
    from sfml.render.models import models_json, models_text
    from sfml.render.symbols import Symbols
    from sfml.snowflake.registry import versions

    compiled_spec = compile_spec(spec, options)
    names = (model,) if model else _models(compiled_spec)
    with connected(compiled_spec, options) as target:
        models = {name: versions(target.connection, compiled_spec.desired.target, name) for name in names}
    if options.json:
        output.say_json({**_place(compiled_spec), "models": models_json(models)})
    elif not options.quiet:
        output.say(models_text(models, Symbols(output.takes_unicode())))
    return 0


@command.command("promote")
@click.argument("spec")
@click.argument("version")
@model_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@shared_options()
def promote(spec: str, version: str, model: str | None, auto_approve: bool, options: Options) -> int:
    """Make VERSION the default version of SPEC's model. Scoring uses the default version."""

    def wanted(versions: tuple[ModelVersion, ...]) -> str:
        from sfml.base.diagnostic import did_you_mean
        from sfml.base.quoting import raw

        names = [one.name for one in versions]
        if raw(version) not in names:
            raise UsageError(
                f"there is no version {version}", help=did_you_mean(raw(version), names) or ", ".join(names)
            )
        return raw(version)

    return _switch(spec, model, auto_approve, options, wanted)


@command.command("rollback")
@click.argument("spec")
@model_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@shared_options()
def rollback(spec: str, model: str | None, auto_approve: bool, options: Options) -> int:
    """Make the previous version of SPEC's model the default again: the newest one older than the default."""

    def wanted(versions: tuple[ModelVersion, ...]) -> str:
        from sfml.account.registered import version_before

        before = version_before(versions)
        if before is None:
            raise ConflictingState("no version is older than the default one; nothing was changed")
        return before.name

    return _switch(spec, model, auto_approve, options, wanted)


def _switch(
    spec: str,
    model: str | None,
    auto_approve: bool,
    options: Options,
    wanted: Callable[[tuple[ModelVersion, ...]], str],
) -> int:
    from sfml.lower.names import folded_name
    from sfml.snowflake.registry import set_default, versions

    compiled_spec = compile_spec(spec, options)
    name = model or _one_model(compiled_spec)
    with connected(compiled_spec, options) as target:
        there = versions(target.connection, compiled_spec.desired.target, name)
        if not there:
            raise ConflictingState(f"{name} is not in the registry, or the role cannot see it")
        version = wanted(there)
        default = next((one.name for one in there if one.is_default), None)
        if version != default:
            if not auto_approve:
                where = compiled_spec.desired.target.name
                confirm(f"Make {version} the default version of {name} in {where}, not {default}?", options)
            set_default(target.connection, compiled_spec.desired.target, name, folded_name(version))
    if options.json:
        document = {"model": name, "previous": default, "default": version, "changed": version != default}
        output.say_json({**_place(compiled_spec), **document})
    elif not options.quiet:
        was = "already" if version == default else f"(it was {default or 'none'})"
        output.say(f"The default version of {name} is {version} {was}.")
    return 0


def _models(compiled_spec: CompiledSpec) -> tuple[str, ...]:
    from sfml.account.registered import models_of

    assert compiled_spec.reading.graph is not None, "a spec that compiles has a graph"
    names = models_of(compiled_spec.reading.graph)
    if not names:
        raise UsageError(
            f"no step of {compiled_spec.desired.pipeline} has an argument `model_name`",
            help="name the model: --model NAME",
        )
    return names


def _one_model(compiled_spec: CompiledSpec) -> str:
    names = _models(compiled_spec)
    if len(names) > 1:
        raise UsageError(
            f"{compiled_spec.desired.pipeline} has {len(names)} models",
            help=f"choose one with --model: {', '.join(names)}",
        )
    return names[0]


def _place(compiled_spec: CompiledSpec) -> dict[str, Any]:
    return {"pipeline": compiled_spec.desired.pipeline, "target": compiled_spec.desired.target.name}
