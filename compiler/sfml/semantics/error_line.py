"""The errors that task history records: which are timeouts, and the one line of each that says most."""

from __future__ import annotations

import re

from sfml.semantics.tracebacks import Failure, last_failure

LINE_LIMIT = 160
"""How long the one line of an error may get."""

_TIMEOUT = re.compile(
    r"reached its statement or warehouse timeout|\btimed out\b|\btimeout\b.*\bexceeded\b", re.I
)


def is_timeout(code: str | None, error: str) -> bool:
    """Whether an error is Snowflake's for what ran too long: 000630, or the words of it."""
    return (code or "").lstrip("0") == "630" or bool(_TIMEOUT.search(error.splitlines()[0] if error else ""))


def error_line(error: str | None) -> str | None:
    """The part of an error that tells most, on one line.

    Of a Python traceback it is the exception, wherever the step ran; of a job that ended without one its last words;
    of anything else its beginning.
    """
    every = [line.rstrip() for line in (error or "").splitlines() if line.strip()]
    lines = [line for line in every if not _LOGGED.match(line)] or every
    if not lines:
        return None
    text = _exception(lines) or _last_words(lines) or " ".join(line.strip() for line in lines)
    for pattern, kept in _TRIMMED:
        text = pattern.sub(kept, text)
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


def _exception(lines: list[str]) -> str | None:
    """The exception of the last traceback with its message, of several lines or one, and the members of a group."""
    last = last_failure("\n".join(lines))
    return None if last is None else _told(last[0])


def _told(failure: Failure) -> str:
    text = " ".join(line.strip() for line in failure.exception.splitlines())
    members = "; ".join(_told(member) for member in failure.members)
    return f"{_COUNT.sub('', text)}: {members}" if members else text


def _last_words(lines: list[str]) -> str | None:
    """The last line that a job's script printed itself, with its exit code where that says something."""
    heads = [(at, head) for at, line in enumerate(lines) if (head := _EXIT.match(line))]
    if not heads:
        return None
    at, head = heads[-1]
    code = head.group(1)
    said = [line.strip() for line in lines[at + 1 :] if not _LAUNCHER.match(line)]
    if not said:
        return f"exit code {code}"
    return said[-1] if code == "1" else f"{said[-1]} (exit code {code})"


# What the launcher of ML Jobs and the connector write to the same log as the user's script.
_LOGGED = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d+ - (?:\S+ - )?(?:DEBUG|INFO|WARNING) - |\[local server\] "
)
_LAUNCHER = re.compile(r'\s*(?:"[\w. ]+" : |-{5,}$|ML job (?:started|finished|completed)\b)')
_EXIT = re.compile(r"exit code (-?\d+), last lines of its log:")
_COUNT = re.compile(r" \(\d+ sub-exceptions?\)$")
_HEX = "[0-9a-f]"
_UNCAUGHT = r"(?:\d{6} \(\w{5}\): )?Uncaught exception of type "
_AT = r"(?: on line \d+ at position \d+)?"
_TRIMMED = (
    # A class of some module says no more with the module, nor does a query's id or the handler's name.
    (re.compile(r"^(?:[a-z_][\w]*\.)+(?=[A-Z])"), ""),
    (re.compile(rf"(?:\(\d+\): )?{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}: "), ""),
    (re.compile(r"""\s*\bin function [\w$."]+ with handler [\w.]+$"""), ""),
    # An exception of Snowflake Scripting is named only where the user declared it.
    (re.compile(rf"^{_UNCAUGHT}'(?:STATEMENT|EXPRESSION)_ERROR'{_AT} ?: "), ""),
    (re.compile(rf"^{_UNCAUGHT}'(\w+)'{_AT} ?: "), r"\1: "),
)
