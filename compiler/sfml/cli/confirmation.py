"""Asks for approval before a change."""

from __future__ import annotations

import sys

import click

from sfml.base.errors import UsageError
from sfml.cli.options import Options
from sfml.render.printable import printable_lines


def confirm(question: str, options: Options) -> None:
    """Ask a yes/no question. Raises `click.Abort` for a no, and `UsageError` without a terminal or with JSON output."""
    if options.json or not sys.stdin.isatty():
        raise UsageError(
            "there are changes to apply, and no terminal to ask for approval",
            help="read the output of `sfml plan`, then add --auto-approve",
        )
    if not click.confirm(printable_lines(question)):
        raise click.Abort
