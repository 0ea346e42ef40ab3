"""Asks before something is changed."""

from __future__ import annotations

import sys

import click

from sfml.base.errors import UsageError
from sfml.cli.options import Options
from sfml.render.printable import printable_lines


def confirm(question: str, options: Options) -> None:
    """Go on only after a yes; raises `UsageError` where nobody can be asked."""
    if options.json or not sys.stdin.isatty():
        raise UsageError(
            "there are changes to apply and nobody to ask",
            help="look at `sfml plan`, then add --auto-approve",
        )
    if not click.confirm(printable_lines(question)):
        raise click.Abort
