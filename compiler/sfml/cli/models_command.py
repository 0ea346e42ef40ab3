"""`sfml models list|show|compare|promote|rollback|alias SPEC`"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.command_group import CommandGroup
from sfml.cli.confirmation import confirm
from sfml.cli.inputs import compile_spec, connected, user_name
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec

if TYPE_CHECKING:
    from sfml.account.registered import DefaultChange
    from sfml.operations.models import Approve, RegisteredModel
    from sfml.render.symbols import Symbols


@click.group(cls=CommandGroup)
def command() -> None:
    """Model versions of a spec in the registry: list, show, compare and promote them, go back, set aliases."""


model_option = click.option(
    "--model", metavar="NAME", help="The model; needed if the spec has several models or none."
)
reason_option = click.option("--reason", metavar="TEXT", help="Why; it is kept with the version.")
approve_option = click.option("--auto-approve", is_flag=True, help="Do not ask.")


@command.command("list")
@click.argument("spec")
@model_option
@shared_options()
def list_models(spec: str, model: str | None, options: Options) -> int:
    """List the versions, newest first, of the models that steps of SPEC get as `model_name`."""
    from sfml.operations.models import spec_models
    from sfml.render.models import models_json, models_text
    from sfml.snowflake.registry import versions

    compiled_spec = compile_spec(spec, options)
    names = (model,) if model else spec_models(compiled_spec)
    with connected(compiled_spec, options) as target:
        models = {name: versions(target.connection, compiled_spec.desired.target, name) for name in names}
    text = models_text(models, _symbols())
    return _say(compiled_spec, options, {"models": models_json(models)}, text)


@command.command("show")
@click.argument("spec")
@click.argument("version", default="DEFAULT")
@model_option
@shared_options()
def show(spec: str, version: str, model: str | None, options: Options) -> int:
    """Show one version: its metrics, its aliases, and who promoted it and why.

    VERSION is a name or an alias, such as champion, challenger or LAST; by default the version that scores.
    """
    from sfml.operations.models import version_in
    from sfml.render.models import version_json, version_text

    with _registered(spec, model, options) as (compiled_spec, registered):
        shown = version_in(registered.versions(), version)
    value = {"model": registered.name, "version": version_json(shown)}
    return _say(compiled_spec, options, value, version_text(registered.name, shown, _symbols()))


@command.command("compare")
@click.argument("spec")
@click.argument("versions", nargs=-1)
@model_option
@shared_options()
def compare(spec: str, versions: tuple[str, ...], model: str | None, options: Options) -> int:
    """Compare the metrics of VERSIONS, given by name or alias.

    One version is compared with the champion. Without any, the champion is compared with the challenger, or with the
    newest version. The champion is the version with this alias, or else the default version.
    """
    from sfml.operations.models import versions_to_compare
    from sfml.render.models import comparison_json, comparison_text

    with _registered(spec, model, options) as (compiled_spec, registered):
        chosen = versions_to_compare(registered.versions(), versions)
    value = {"model": registered.name, **comparison_json(chosen)}
    return _say(compiled_spec, options, value, comparison_text(registered.name, chosen))


@command.command("promote")
@click.argument("spec")
@click.argument("version")
@model_option
@reason_option
@approve_option
@shared_options()
def promote(
    spec: str, version: str, model: str | None, reason: str | None, auto_approve: bool, options: Options
) -> int:
    """Make VERSION, a name or an alias, the default version of SPEC's model. Scoring uses the default version.

    The alias CHAMPION moves to it if the model uses it, and it loses the alias CHALLENGER.
    """
    from sfml.operations.models import promote as make_default

    return _switch(
        spec,
        model,
        options,
        lambda registered: make_default(
            registered, version, reason=reason, approve=_approval(auto_approve, options)
        ),
    )


@command.command("rollback")
@click.argument("spec")
@model_option
@reason_option
@approve_option
@shared_options()
def rollback(spec: str, model: str | None, reason: str | None, auto_approve: bool, options: Options) -> int:
    """Make the previous version of SPEC's model the default again: the one that the default version replaced.

    Where that is not known, it is the newest one older than the default. Versions that an earlier rollback left, and
    versions that are only challengers, are passed over.
    """
    from sfml.operations.models import roll_back

    return _switch(
        spec,
        model,
        options,
        lambda registered: roll_back(registered, reason=reason, approve=_approval(auto_approve, options)),
    )


@command.command("alias")
@click.argument("spec")
@click.argument("alias")
@click.argument("version", required=False)
@click.option("--remove", is_flag=True, help="Take the alias away from the version that has it.")
@model_option
@reason_option
@approve_option
@shared_options()
def alias(
    spec: str,
    alias: str,
    version: str | None,
    remove: bool,
    model: str | None,
    reason: str | None,
    auto_approve: bool,
    options: Options,
) -> int:
    """Give the alias ALIAS, such as challenger, to VERSION. It does not change which version scores.

    An alias belongs to one version at a time; it asks before it takes an alias away from another version.
    """
    from sfml.operations.models import change_alias
    from sfml.render.models import alias_json, alias_text

    if remove == (version is not None):
        raise UsageError("name the version that gets the alias, or give --remove, and not both")
    with _registered(spec, model, options) as (compiled_spec, registered):
        change = change_alias(
            registered, alias, version, reason=reason, approve=_approval(auto_approve, options)
        )
    return _say(compiled_spec, options, alias_json(change), alias_text(change))


def _switch(
    spec: str, model: str | None, options: Options, change: Callable[[RegisteredModel], DefaultChange]
) -> int:
    from sfml.render.models import default_json, default_text

    with _registered(spec, model, options) as (compiled_spec, registered):
        done = change(registered)
    return _say(compiled_spec, options, default_json(done), default_text(done))


@contextmanager
def _registered(
    spec: str, model: str | None, options: Options
) -> Iterator[tuple[CompiledSpec, RegisteredModel]]:
    """The model of a spec on a connection to the target."""
    from sfml.operations.models import RegisteredModel, only_model

    compiled_spec = compile_spec(spec, options)
    name = model or only_model(compiled_spec)
    with connected(compiled_spec, options) as target:
        desired_target = compiled_spec.desired.target
        yield compiled_spec, RegisteredModel(target.connection, desired_target, name, user_name(options))


def _approval(auto_approve: bool, options: Options) -> Approve:
    return lambda question: None if auto_approve else confirm(question, options)


def _say(compiled_spec: CompiledSpec, options: Options, value: dict[str, Any], text: str) -> int:
    desired = compiled_spec.desired
    if options.json:
        output.say_json({"pipeline": desired.pipeline, "target": desired.target.name, **value})
    elif not options.quiet:
        output.say(text)
    return 0


def _symbols() -> Symbols:
    from sfml.render.symbols import Symbols

    return Symbols(output.takes_unicode())
