"""Parsing Python tracebacks from a text: exceptions with their frames, causes and members."""

from __future__ import annotations

import re
from dataclasses import replace

from sfml.base.record import record

_HEADER = re.compile(r"(\s*)(\+ )?(Exception Group )?Traceback \(most recent call last\):\s*$")
_FRAME = re.compile(r'\s*File "(.*?)"(?:, line (\d+))?(?:, in (.*))?$')
_REPEATED = re.compile(r"\s*\[Previous line repeated \d+ more times?\]$")
_CAUSED = "The above exception was the direct cause of the following exception:"
_WHILE = "During handling of the above exception, another exception occurred:"
_MEMBER = re.compile(r"\s*\+(?:-\+)?-{4,} (?:\d+|\.{3}) -{4,}$|\s*\+-{4,}$")
# Lines that the launcher of a job, the connector and Snowflake write after an exception.
_BEHIND = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d+ - |\[local server\] |\s*in function \S+ with handler \S+$"
    r"|Python Interpreter Error:"
)


@record
class Frame:
    """A frame of a traceback; `code` holds its lines of source and the lines of marks below them."""

    path: str
    line: int | None
    function: str | None
    code: tuple[str, ...] = ()


@record
class Failure:
    """An exception of a traceback, as Python prints it. `members` are those of an exception group.

    `is_cause_direct` is true for `raise … from`, and false where it was raised while `cause` was being handled.
    """

    exception: str
    frames: tuple[Frame, ...] = ()
    cause: Failure | None = None
    is_cause_direct: bool = False
    members: tuple[Failure, ...] = ()


def last_failure(text: str) -> tuple[Failure, str] | None:
    """The last exception of a text with its causes, and the text without that traceback; None without a traceback."""
    lines = text.splitlines()
    last = last_failure_in(lines)
    if last is None:
        return None
    failure, begin, end = last
    return failure, "\n".join([*lines[:begin], *lines[end:]])


def last_failure_in(lines: list[str]) -> tuple[Failure, int, int] | None:
    """The last exception of some lines with its causes, the place of its first line and the place after the last."""
    at, last = 0, None
    while at < len(lines):
        if _HEADER.match(lines[at]):
            failure, end = _chain(lines, at)
            last = (failure, at, end)
            at = end
        else:
            at += 1
    return last


def _chain(lines: list[str], at: int) -> tuple[Failure, int]:
    """The last exception of the chain that begins with the header at line `at`, and the line after the chain."""
    failure, at = _block(lines, at)
    while (link := _link(lines, at)) is not None:
        is_direct, header = link
        following, at = _block(lines, header)
        failure = replace(following, cause=failure, is_cause_direct=is_direct)
    return failure, at


def _link(lines: list[str], at: int) -> tuple[bool, int] | None:
    """The link to the next exception: whether it is `raise … from`, and the line of its header; None without one."""
    at = _skip_empty(lines, at)
    if at == len(lines) or lines[at].strip(" |") not in (_CAUSED, _WHILE):
        return None
    header = _skip_empty(lines, at + 1)
    if header == len(lines) or not _HEADER.match(lines[header]):
        return None
    return lines[at].strip(" |") == _CAUSED, header


def _skip_empty(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip(" |"):
        at += 1
    return at


def _block(lines: list[str], at: int) -> tuple[Failure, int]:
    header = _HEADER.match(lines[at])
    if header is not None and header.group(2):
        return _group(lines, at, len(header.group(1)))
    margin = len(lines[at]) - len(lines[at].lstrip())
    frames, at = _frames(lines, at + 1, margin)
    exception, at = _exception(lines, at)
    return Failure(exception, frames), at


def _group(lines: list[str], at: int, margin: int) -> tuple[Failure, int]:
    """The exception group at line `at`, and the line after it; Python draws it as a tree, its trunk at `margin`."""
    end = at + 1
    while end < len(lines) and lines[end].lstrip()[:1] in ("|", "+"):
        end += 1
    inner = [line[margin:] for line in lines[at + 1 : end]]
    trunk = next((n for n, line in enumerate(inner) if line.startswith("+-+-")), len(inner))
    head = [lines[at][margin + 2 :], *(line[2:] for line in inner[:trunk])]
    return _tree([*head, *inner[trunk:]]), end


def _tree(lines: list[str]) -> Failure:
    """An exception group from its lines, without the trunk before them, and its members from the lines below."""
    trunk = next((n for n, line in enumerate(lines) if line.startswith("+-+-")), len(lines))
    head = lines[:trunk]
    # An exception that was never raised has no traceback.
    failure = (
        _chain(head, 0)[0] if _HEADER.match(head[0]) else Failure("\n".join(line.rstrip() for line in head))
    )
    members: list[list[str]] = []
    for line in lines[trunk:]:
        if _MEMBER.match(line) and line.startswith(("+-+-", "  +--")):
            members.append([])
        elif members:
            members[-1].append(line[4:] if line.startswith("  |") else line[2:])
    return replace(failure, members=tuple(_tree(part) for part in members if part))


def _frames(lines: list[str], at: int, margin: int) -> tuple[tuple[Frame, ...], int]:
    frames: list[Frame] = []
    while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) > margin:
        frame = _FRAME.match(lines[at])
        if frame is not None:
            path, line, function = frame.groups()
            frames.append(Frame(path, int(line) if line else None, function))
        elif frames:
            # The line "Previous line repeated" is indented one step less than the source lines.
            line = lines[at].strip() if _REPEATED.match(lines[at]) else lines[at][margin + 4 :].rstrip()
            frames[-1] = replace(frames[-1], code=(*frames[-1].code, line))
        at += 1
    return tuple(frames), at


def _exception(lines: list[str], at: int) -> tuple[str, int]:
    """The lines of the exception itself, whose message may have several, and the line after them."""
    begin = at
    while at < len(lines) and not _BEHIND.match(lines[at]) and not (at > begin and _HEADER.match(lines[at])):
        if _link(lines, at) is not None:
            break
        at += 1
    return "\n".join(line.rstrip() for line in lines[begin:at]).strip(), at
