"""The start of most commands: read the spec, print its findings, lower it, connect to the target."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.errors import InvalidSpec
from sfml.cli import output
from sfml.cli.options import Options
from sfml.cli.target_screen import TargetScreen
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.operations.target_account import TargetAccount, target_account

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.frontend.reading import Reading


def user_name(options: Options) -> str:
    from sfml.spec.names import login_name

    return options.user or login_name()


def read(path: str, options: Options) -> Reading:
    return reader(options)(path)


def reader(options: Options) -> Callable[..., Reading]:
    """A function that reads entry files, which share what is known of step code; `checked` as in `reading.read`."""
    from sfml.catalog import StepCatalog
    from sfml.frontend.reading import read as read_spec

    return functools.partial(
        read_spec,
        target=options.target,
        variables=options.variables,
        user=user_name(options),
        find_catalog=functools.cache(StepCatalog),
    )


def single(paths: tuple[str, ...] | str) -> str:
    """The entry file that a SPEC argument names; raises `click.UsageError` if it names none or several."""
    from sfml.frontend.entry_files import entry_files

    arguments = (paths,) if isinstance(paths, str) else paths
    files = entry_files(arguments)
    if len(files) != 1:
        names = ", ".join(str(path) for path in files[:5]) or "none"
        raise click.UsageError(
            f"this command takes one pipeline; `{' '.join(arguments)}` has {len(files)}: {names}"
        )
    return str(files[0])


def compile_spec(path: str, options: Options) -> CompiledSpec:
    """Compile the spec and print its findings; raises `InvalidSpec` if there are errors."""
    reading = read(single(path), options)
    say_findings(reading, options)
    if reading.graph is None or has_errors(reading.diagnostics):
        raise InvalidSpec(reading.diagnostics)
    return CompiledSpec(reading, desired_graph(reading))


def say_findings(reading: Reading, options: Options) -> None:
    """Print the findings of a spec on standard error, unless the output is JSON."""
    say_diagnostics(reading.diagnostics, reading.sources, options)


def say_diagnostics(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], options: Options
) -> None:
    """Print findings with their source lines on standard error, unless the output is JSON."""
    if options.json or not diagnostics:
        return
    from sfml.render.text import diagnostics_text

    output.note_colored(diagnostics_text(diagnostics, sources, color=output.wants_color(options.no_color)))


@contextmanager
def connected(
    compiled_spec: CompiledSpec,
    options: Options,
    *,
    on_missing: Callable[[SnowflakeConnection], None] | None = None,
) -> Iterator[TargetAccount]:
    """Connect to the target with `target_account`; notes about the connection are printed."""
    with target_account(compiled_spec, TargetScreen(options), on_missing=on_missing) as account:
        yield account


def say_notices(notices: tuple[str, ...]) -> None:
    """Print a local server's warnings about damaged files on standard error."""
    for notice in notices:
        output.note(f"warning: {notice}")
