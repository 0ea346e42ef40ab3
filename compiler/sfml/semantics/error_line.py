"""Errors of the task history: whether one is a timeout, and its most telling line."""

from __future__ import annotations

import re

from sfml.semantics.tracebacks import Failure, last_failure

LINE_LIMIT = 160
"""The most characters that the line of an error may have."""

_TIMEOUT = re.compile(
    r"reached its statement or warehouse timeout|\btimed out\b|\btimeout\b.*\bexceeded\b", re.I
)


def is_timeout(code: str | None, error: str) -> bool:
    """Whether an error is a timeout of Snowflake: code 000630, or a sentence that says so."""
    return (code or "").lstrip("0") == "630" or bool(_TIMEOUT.search(error.splitlines()[0] if error else ""))


def error_line(error: str | None) -> str | None:
    """The most telling part of an error, on one line of at most `LINE_LIMIT` characters; None for an empty error.

    From a Python traceback it is the exception; from the log of a job without a traceback, the last line that the job
    printed; from any other error, its beginning.
    """
    all_lines = [line.rstrip() for line in (error or "").splitlines() if line.strip()]
    lines = [line for line in all_lines if not _LOGGED.match(line)] or all_lines
    if not lines:
        return None
    text = _exception(lines) or _last_words(lines) or " ".join(line.strip() for line in lines)
    for pattern, kept in _TRIMMED:
        text = pattern.sub(kept, text)
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


def _exception(lines: list[str]) -> str | None:
    """The exception of the last traceback, with its message on one line and the members of an exception group."""
    last = last_failure("\n".join(lines))
    return None if last is None else _failure_text(last[0])


def _failure_text(failure: Failure) -> str:
    text = " ".join(line.strip() for line in failure.exception.splitlines())
    members = "; ".join(_failure_text(member) for member in failure.members)
    return f"{_COUNT.sub('', text)}: {members}" if members else text


def _last_words(lines: list[str]) -> str | None:
    """The last line that a job's script printed itself, and its exit code unless that is 1."""
    heads = [(at, head) for at, line in enumerate(lines) if (head := _EXIT.match(line))]
    if not heads:
        return None
    at, head = heads[-1]
    code = head.group(1)
    printed = [_TRUNK.sub("", line).strip() for line in lines[at + 1 :] if not _LAUNCHER.match(line)]
    if not printed:
        return f"exit code {code}"
    return printed[-1] if code == "1" else f"{printed[-1]} (exit code {code})"


# Lines that the launcher of ML Jobs and the connector write to the same log as the user's script.
_LOGGED = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d+ - (?:\S+ - )?(?:DEBUG|INFO|WARNING) - |\[local server\] "
)
_LAUNCHER = re.compile(r'\s*(?:"[\w. ]+" : |-{5,}$|\+(?:-\+)?-{4,}|ML job (?:started|finished|completed)\b)')
# The tree of an exception group, where the log begins in the middle of its traceback.
_TRUNK = re.compile(r"\s*\| ")
_EXIT = re.compile(r"exit code (-?\d+), last lines of its log:")
_COUNT = re.compile(r" \(\d+ sub-exceptions?\)$")
_HEX = "[0-9a-f]"
_UNCAUGHT = r"(?:\d{6} \(\w{5}\): )?Uncaught exception of type "
_AT = r"(?: on line \d+ at position \d+)?"
_TRIMMED = (
    # The module of an exception's class, the id of a query and the name of a handler are left out.
    (re.compile(r"^(?:[a-z_][\w]*\.)+(?=[A-Z])"), ""),
    (re.compile(rf"(?:\(\d+\): )?{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}: "), ""),
    (re.compile(r"""\s*\bin function [\w$."]+ with handler [\w.]+$"""), ""),
    # An exception of Snowflake Scripting keeps its name only if the user declared it.
    (re.compile(rf"^{_UNCAUGHT}'(?:STATEMENT|EXPRESSION)_ERROR'{_AT} ?: "), ""),
    (re.compile(rf"^{_UNCAUGHT}'(\w+)'{_AT} ?: "), r"\1: "),
)
