"""The exception that ended a task, as text and as JSON.

Frames in the project's files are shown with project paths; consecutive frames of libraries fold into one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from sfml.render.units import plural
from sfml.semantics.tracebacks import Failure, Frame

Files: TypeAlias = Callable[[str], str | None]
"""Maps the path of a frame to the project's file, or to None when the frame is not in the project."""

_CALLERS = re.compile(
    r"(^|/)(sfml_steps/runtime\.py|_udf_code\.py|mljob_launcher\.py|runpy\.py)$|<frozen runpy>|/job_stage/app/main\.py$"
)
"""Paths of the frames that call a step: sfml's runtime, Snowflake's launchers, and `runpy`."""
_PACKAGE = re.compile(r"(?:site|dist)-packages/([\w.-]+?)(?:\.py)?(?:/|$)")
_STANDARD = re.compile(r"/lib(?:64)?/python3[^/]*/|<frozen ")
_MOST_CODE_LINES = 6


def failure_text(failure: Failure, files: Files) -> str:
    """The traceback, the innermost call last, then the exception, then its cause indented below."""
    return "\n".join(_lines(failure, files))


def _lines(failure: Failure, files: Files) -> Iterator[str]:
    if failure.frames:
        yield "Traceback (most recent call last):"
    yield from _frame_lines(failure.frames, files)
    yield failure.exception
    for member in failure.members:
        head, *rest = _lines(member, files)
        yield f"  - {head}"
        yield from (f"    {line}" for line in rest)
    if failure.cause is not None:
        yield "caused by:" if failure.is_cause_direct else "while this was handled:"
        yield from (f"  {line}" for line in _lines(failure.cause, files))


def _frame_lines(frames: Sequence[Frame], files: Files) -> Iterator[str]:
    for is_own, group in groupby(
        _user_frames(frames, files), key=lambda frame: files(frame.path) is not None
    ):
        if is_own:
            for frame in group:
                yield f"  {_place(frame, files)}"
                yield from (f"    {line}" for line in frame.code[:_MOST_CODE_LINES])
        else:
            folded = list(group)
            names = ", ".join(dict.fromkeys(_library(frame.path) for frame in folded))
            yield f"  … {plural(len(folded), 'frame')} of {names}"


def _user_frames(frames: Sequence[Frame], files: Files) -> list[Frame]:
    """The frames without those of the runtime that calls the step."""
    return [frame for frame in frames if files(frame.path) is not None or not _CALLERS.search(frame.path)]


def _place(frame: Frame, files: Files) -> str:
    where = f"{files(frame.path)}:{frame.line}" if frame.line else str(files(frame.path))
    return f"{where} in {frame.function}" if frame.function else where


def _library(path: str) -> str:
    package = _PACKAGE.search(path)
    if package is not None:
        return package.group(1)
    if "/sfml_steps/" in path:
        return "sfml_steps"
    if _STANDARD.search(path):
        return "Python"
    # Compiled modules have paths from their package on: pandas/_libs/index.pyx.
    return path if path.startswith(("/", "<")) else path.partition("/")[0]


def failure_json(failure: Failure | None, files: Files) -> Mapping[str, Any] | None:
    """`{exception, frames: [{file, line, function, code, is_own}], members, cause, is_cause_direct}`, or null."""
    if failure is None:
        return None
    return {
        "exception": failure.exception,
        "frames": [
            {
                "file": files(frame.path) or frame.path,
                "line": frame.line,
                "function": frame.function,
                "code": list(frame.code),
                "is_own": files(frame.path) is not None,
            }
            for frame in _user_frames(failure.frames, files)
        ],
        "members": [failure_json(member, files) for member in failure.members],
        "cause": failure_json(failure.cause, files),
        "is_cause_direct": failure.is_cause_direct,
    }
