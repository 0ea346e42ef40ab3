"""The options that commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.cli import output

F = TypeVar("F", bound=Callable[..., Any])


@record
class Options:
    """The values of the shared options; `variables` are those of `--var name=value`."""

    target: str | None
    variables: Mapping[str, str]
    user: str | None
    format: str
    quiet: bool
    verbose: bool
    no_color: bool

    @property
    def speaks(self) -> bool:
        """Whether plans, progress and notes are printed beside results: neither with --quiet nor as JSON."""
        return not (self.quiet or self.format == "json")

    @property
    def json(self) -> bool:
        return self.format == "json"


def pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    """`name=value` arguments as a mapping; for a repeated name, the last value counts."""
    settings = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"`{value}` is not of the form name=value", ctx, parameter)
        settings[name] = text
    return settings


def specs_argument(metavar: str = "[SPEC]…") -> Callable[[F], F]:
    """Adds the argument SPEC for several pipelines; the command receives `specs: tuple[str, ...]`.

    Each is an entry file, a folder, a glob or a pipeline's name; without any, all pipelines of the project are taken.
    """
    return click.argument("specs", nargs=-1, metavar=metavar)


def shared_options(*formats: str) -> Callable[[F], F]:
    """Adds the shared options; the command receives them as one `options: Options`."""

    def decorate(function: F) -> F:
        @click.option("--target", "-t", metavar="NAME", help="The target, a name in sfml.yaml.")
        @click.option(
            "--var",
            "variables",
            multiple=True,
            callback=pairs,
            metavar="NAME=VALUE",
            help="Set a variable of the spec.",
        )
        @click.option(
            "--user", metavar="NAME", help="The value of {{ user }} in specs.  [default: your login name]"
        )
        @click.option(
            "--output",
            "-o",
            "format",
            type=click.Choice(("text", "json", *formats)),
            default="text",
            show_default=True,
            help="The output format.",
        )
        @click.option("--quiet", "-q", is_flag=True, help="Print only failures.")
        @click.option("--verbose", "-v", is_flag=True, help="Print more details.")
        @click.option("--no-color", is_flag=True, help="Print without colour.")
        @functools.wraps(function)
        def command(**arguments: Any) -> Any:
            names = ("target", "variables", "user", "format", "quiet", "verbose", "no_color")
            options = Options(**{name: arguments.pop(name) for name in names})
            try:
                return function(options=options, **arguments)
            except SfmlError as error:
                if options.json:
                    raise output.ErrorAsJson(error) from error
                raise
            except OSError as cause:
                if (unusable := output.file_error(cause)) is None:
                    raise
                raise (output.ErrorAsJson(unusable) if options.json else unusable) from cause

        return command  # type: ignore[return-value]

    return decorate
