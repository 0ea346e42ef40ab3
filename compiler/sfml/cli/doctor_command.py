"""`sfml doctor [SPEC]`"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.account.checkup import Check, CheckState
from sfml.base.errors import InvalidSpec, SfmlError
from sfml.cli import output
from sfml.cli.inputs import compile_spec, say_diagnostics
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.local_server import LOCAL_FOLDER

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.graph.model import Target
    from sfml.graph.needs import Need


@click.command()
@click.argument("spec", required=False)
@shared_options()
def command(spec: str | None, options: Options) -> int:
    """Check whether a target is ready: this machine, the connection, the account; with SPEC, also all objects it needs.

    Writes one small file to the stage and removes it; changes nothing else. Exits with 1 when a check fails.
    """
    from sfml.cli.targets import target_alone
    from sfml.render.doctor import doctor_json, doctor_text
    from sfml.render.symbols import Symbols

    compiled_spec = compile_spec(spec, options) if spec else None
    if compiled_spec is not None:
        root, target = compiled_spec.root, compiled_spec.desired.target
    else:
        try:
            root, target = target_alone(Path.cwd(), options.target, options.user)
        except InvalidSpec as error:
            say_diagnostics(error.diagnostics, {}, options)
            raise
    checks = tuple(_checks(root, target, compiled_spec))
    if options.json:
        output.say_json(doctor_json(target.name, checks))
    elif not options.quiet or any(check.state is CheckState.FAIL for check in checks):
        symbols = Symbols(output.takes_unicode())
        output.say(doctor_text(target.name, checks, symbols, failures_only=options.quiet))
    return 1 if any(check.state is CheckState.FAIL for check in checks) else 0


def _checks(root: Path, target: Target, compiled_spec: CompiledSpec | None) -> Iterator[Check]:
    from sfml.snowflake.health import account_checks
    from sfml.snowflake.light_connector import import_lightly

    yield from machine_checks(root, target)
    import_lightly()
    with ExitStack() as servers:
        try:
            if target.is_local:
                check, connection = _local(root, target, servers)
            else:
                check, connection = _account(target)
            servers.callback(connection.close)
        except SfmlError as error:
            yield Check("connection", CheckState.FAIL, error.message, error.help)
            yield Check("account", CheckState.SKIPPED, "not looked at: there is no connection")
            return
        yield from check
        yield from account_checks(connection, target)
        if compiled_spec is None and target.is_local:
            return
        if compiled_spec is None:
            yield Check("privileges", CheckState.SKIPPED, "they depend on what is deployed: name a spec")
        else:
            yield from spec_checks(compiled_spec, connection)


def _local(root: Path, target: Target, servers: ExitStack) -> tuple[list[Check], SnowflakeConnection]:
    """The check of the local server and a connection to it; if none runs, one is started and stopped again."""
    from dataclasses import asdict

    from sfml.operations.local_server import control_errors, require_local
    from sfml.snowflake.connection import open_local
    from sfml_local import control

    require_local()
    folder = root / LOCAL_FOLDER
    runs = control.status(folder).running
    servers.enter_context(control_errors())
    info = servers.enter_context(control.in_use(folder))
    kept = "runs" if runs else "starts and stops as it should; `sfml local start` keeps it"
    return [Check("local server", CheckState.OK, kept)], open_local(asdict(info), target)


def _account(target: Target) -> tuple[list[Check], SnowflakeConnection]:
    """The check of the connection entry, without secret values, and the opened connection."""
    from sfml.snowflake.connection import open_account
    from sfml.snowflake.entries import entry

    connection_entry = entry(target.connection)
    name = (
        f"`{connection_entry.name}` of {connection_entry.source}"
        if connection_entry.name
        else "from the environment"
    )
    used = f", with {', '.join(connection_entry.variables)}" if connection_entry.variables else ""
    connection = open_account(target)
    state = CheckState.WARN if connection_entry.warnings else CheckState.OK
    text = f"{name}: {connection_entry.method}{used}"
    return [Check("connection", state, text, "; ".join(connection_entry.warnings) or None)], connection


def machine_checks(root: Path, target: Target) -> Iterator[Check]:
    """The checks that need no connection."""
    from sfml.cli.versions import namesake_check, version_check
    from sfml.graph.model import Mode

    yield version_check(target.is_local)
    if (namesake := namesake_check()) is not None:
        yield namesake
    if target.mode is Mode.PRODUCTION:
        yield _worktree(root)


def _worktree(root: Path) -> Check:
    from sfml.base.git import dirty_files

    dirty = dirty_files(root)
    if dirty is None:
        help = "commit the project: production takes committed specs and code only"
        return Check(
            "work tree", CheckState.WARN, "the project is not in a git work tree with a commit", help
        )
    if dirty:
        text = f"{len(dirty)} files are not committed: {', '.join(dirty[:3])}{' …' if len(dirty) > 3 else ''}"
        return Check(
            "work tree", CheckState.WARN, text, "commit or stash them before an apply to this target"
        )
    return Check("work tree", CheckState.OK, "everything is committed")


def spec_checks(compiled_spec: CompiledSpec, connection: SnowflakeConnection) -> Iterator[Check]:
    """Checks of the role's privileges for this spec, and of the objects that the spec needs."""
    from dataclasses import replace

    from sfml.graph.comparing import compared
    from sfml.graph.needs import Kind
    from sfml.graph.privileges import Purpose, not_known, privileges_of
    from sfml.operations.environment import check_environment
    from sfml.render.environment import doubts
    from sfml.render.units import plural
    from sfml.snowflake.granted import granted_to
    from sfml.snowflake.sql import rows

    graph, root = compiled_spec.reading.graph, compiled_spec.desired.root.name
    assert graph is not None, "findings are looked at before"
    environment = check_environment(compiled_spec, connection)
    for missing_object in environment.blocking:
        if missing_object.exists:
            yield Check(
                str(missing_object.need.kind),
                CheckState.FAIL,
                f"{missing_object.named}: {missing_object.note}",
                missing_object.statement,
            )
        elif not _is_targets(missing_object.need, graph.target):
            yield Check(
                str(missing_object.need.kind),
                CheckState.FAIL,
                f"{missing_object.text} is not there",
                missing_object.statement,
            )
    for assumed_object in environment.taken:
        if assumed_object.need.kind is Kind.IMAGES:
            text = f"none is needed here; on an account {', '.join(assumed_object.need.by)} needs one"
        else:
            text = f"{assumed_object.named}: the local Snowflake takes any name, an account has to have it"
        if not _is_targets(assumed_object.need, graph.target):
            yield Check(str(assumed_object.need.kind), CheckState.UNKNOWN, text, assumed_object.statement)
    for text in doubts(replace(environment, taken=())):
        yield Check("environment", CheckState.WARN, text)
    if not environment.missing and environment.looked_at:
        is_are = "is" if environment.looked_at == 1 else "are"
        text = f"{plural(environment.looked_at, 'thing')} that the spec names {is_are} there"
        yield Check("environment", CheckState.OK, text)
    if graph.target.is_local:
        yield Check("privileges", CheckState.SKIPPED, "the local Snowflake refuses no role anything")
        return
    for text in not_known(graph):
        yield Check("privileges", CheckState.UNKNOWN, f"not looked at: {text}")
    [(role,)] = rows(connection, "SELECT CURRENT_ROLE()")
    needed = [
        privilege
        for purpose in (Purpose.DEPLOYING, Purpose.RUNNING)
        for privilege in privileges_of(graph, purpose, root)
    ]
    try:
        comparison = compared(str(role), needed, *granted_to(connection, str(role)))
    except SfmlError as error:
        yield Check("privileges", CheckState.WARN, f"not known: {error.message}", error.help)
        return
    help = f"sfml grants {compiled_spec.desired.where} --compare {role}"
    if comparison.missing:
        text = f"role {role} lacks {len(comparison.missing)} of {len(needed)}: {_listed(comparison.missing)}"
        yield Check("privileges", CheckState.FAIL, text, help)
    else:
        yield Check("privileges", CheckState.OK, f"role {role} may deploy and run it")


def _is_targets(need: Need, target: Target) -> bool:
    """Whether the object belongs to the target itself, and so has its result among the checks of the account."""
    from sfml.base.quoting import folded
    from sfml.graph.needs import Kind

    own = {Kind.WAREHOUSE: target.warehouse, Kind.POOL: target.compute_pool}
    if need.kind in own:
        name = own[need.kind]
        return name is not None and need.name == folded(name)
    return need.kind in (Kind.DATABASE, Kind.SCHEMA, Kind.STAGE)


def _listed(missing: tuple[object, ...]) -> str:
    names = [
        f"{getattr(privilege, 'privilege', '')} on {getattr(privilege, 'name', '') or 'the account'}"
        for privilege in missing[:3]
    ]
    return ", ".join(names) + (" …" if len(missing) > 3 else "")
