"""The only module that writes to the terminal: text, JSON, errors.

Text may come from an account, a lease or a log. Control characters in it are printed as escapes.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from sfml.base.errors import InvalidSpec, LeaseHeld, LeaseLost, SfmlError, UsageError
from sfml.base.full_disk import is_disk_full
from sfml.cli import outlets
from sfml.render.printable import printable, printable_json, printable_lines

FORMAT_VERSION = 1
_MOST_OF_PATH = 100


def escape_unencodable() -> None:
    """Make standard output and error accept any text: characters outside their encoding are written as escapes.

    Otherwise a name in another script, or a lone surrogate from a log, would end a command with an error.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _echo(text: str, *, beside: bool = False) -> None:
    """Write text to standard output or, if `beside` is true, to standard error."""
    outlets.current().write(text, beside=beside)


def say(text: str = "") -> None:
    """Print a line of the command's result on standard output."""
    _echo(printable_lines(text))


def say_colored(text: str) -> None:
    """Print text with colours, in which the renderer has already escaped control characters."""
    _echo(text)


def say_document(text: str) -> None:
    """Print a document in a format for programs, unchanged; for JSON, use `say_json_text`."""
    _echo(text)


def say_json_text(document: str) -> None:
    """Print a JSON document; characters outside the encoding of standard output become JSON escapes."""
    _echo(printable_json(document, is_ascii=not takes_unicode()))


def say_json(payload: Mapping[str, Any]) -> None:
    """Print the JSON object of `--output json`."""
    document = {"format_version": FORMAT_VERSION, **payload}
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError:  # NaN and infinity are not in JSON: readers refuse the whole document
        text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    say_json_text(text)


def _finite(value: Any) -> Any:
    """The value with null for numbers that JSON has not, as in JavaScript."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def note(text: str) -> None:
    """Print a line about the progress on standard error, so that it does not mix with results."""
    _echo(printable_lines(text), beside=True)


def note_colored(text: str) -> None:
    """Print text with colours on standard error; the renderer has already escaped control characters."""
    _echo(text, beside=True)


def say_error(message: str, help: str | None = None) -> None:
    _echo(f"{click.style('error', fg='red', bold=True)}: {printable_lines(message)}", beside=True)
    if help:
        _echo(f"{click.style('help', fg='cyan')}: {printable_lines(help)}", beside=True)


class ErrorAsJson(Exception):
    """Wraps an error that is to be printed as JSON, since only the command knows its --output."""

    def __init__(self, error: SfmlError) -> None:
        super().__init__(error.message)
        self.error = error


def report(error: Exception) -> int:
    """Print an error; returns the exit code. An unexpected exception is reported as a bug, without a traceback."""
    if isinstance(error, ErrorAsJson):
        say_json(error_json(error.error))
        return _exit_code(error.error)
    if isinstance(error, SfmlError):
        if isinstance(error, InvalidSpec):
            note(f"\n{error.message}; nothing was changed")
        else:
            # The text of a lease is untrusted, and must not look like a line of this program.
            is_of_others = isinstance(error, LeaseHeld | LeaseLost)
            say_error(printable(error.message) if is_of_others else error.message, error.help)
        return _exit_code(error)
    if is_disk_full(error):
        place = getattr(error, "filename", None)
        where = f" where `{place}` is to be written" if place else ""
        say_error(f"the disk is full{where}", "make room, then run the command again")
        return 1
    unusable = file_error(error)
    if unusable is not None:
        say_error(unusable.message, unusable.help)
        return 1
    say_error(
        f"internal error: {type(error).__name__}: {error}",
        "this is a bug; set SFML_TRACEBACK=1 to see where, and report it with the command you ran",
    )
    return 1


def _exit_code(error: SfmlError) -> int:
    return 2 if isinstance(error, UsageError) else 1


def file_error(error: Exception) -> SfmlError | None:
    """An `SfmlError` for an `OSError` about a file or folder; None for other errors and for a full disk."""
    if isinstance(error, FileNotFoundError) and error.filename is None and _is_folder_gone():
        return SfmlError("the current folder does not exist any more", help="change to another one")
    if not isinstance(error, OSError) or error.filename is None or is_disk_full(error):
        return None
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    shown = place if len(place) <= _MOST_OF_PATH else f"{place[:_MOST_OF_PATH]}…"
    return SfmlError(
        f"`{printable(shown)}` cannot be used: {error.strerror or error}",
        help="check the path, and your permissions on it",
    )


def _is_folder_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def error_json(error: SfmlError) -> dict[str, Any]:
    """The object of `schemas/output/error.schema.json`, without `format_version`."""
    document: dict[str, Any] = {
        "message": error.message,
        "code": getattr(error, "code", None),
        "help": error.help,
    }
    if not isinstance(error, InvalidSpec):
        return {"error": document}
    from sfml.render.json import diagnostic_json

    return {
        "error": document,
        "diagnostics": [diagnostic_json(diagnostic) for diagnostic in error.diagnostics],
    }


def is_terminal() -> bool:
    """Whether standard output is a terminal that supports live updates, outside of CI."""
    is_live = outlets.is_terminal() and sys.stdout.isatty()
    return is_live and os.environ.get("TERM", "") != "dumb" and not os.environ.get("CI")


def takes_unicode() -> bool:
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding.startswith("utf")


def wants_color(no_color: bool) -> bool:
    return not no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty()
