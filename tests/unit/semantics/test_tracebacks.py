"""Exceptions as Python writes them, read back and shown with the user's own frames."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from sfml.render.failure import failure_json, failure_text
from sfml.semantics.error_line import error_line
from sfml.semantics.tracebacks import Failure, last_failure

ARCHIVE = "/home/udf/123/steps.zip"
SITE = "/usr/lib/python3.11/site-packages"


def files(path: str) -> str | None:
    _, found, inside = path.rpartition("/steps.zip/clv/")
    return f"steps/clv/{inside}" if found else None


def written(function: Callable[[], object]) -> str:
    try:
        function()
    except BaseException:
        return traceback.format_exc()
    raise AssertionError("it raises")


def lone() -> None:
    raise ValueError("no rows\nin the table")


def chained() -> None:
    try:
        lone()
    except ValueError as cause:
        raise RuntimeError("cannot fit") from cause


def handling() -> None:
    try:
        {}["a"]
    except KeyError:
        lone()


def grouped() -> None:
    raised = []
    for one in (lone, chained):
        try:
            one()
        except Exception as error:
            raised.append(error)
    inner = ExceptionGroup("inner", [TypeError("t"), *raised])
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as cause:
        raise ExceptionGroup("outer\nof two lines", [inner, KeyError("x")]) from cause


def shape(failure: Failure | None) -> object:
    """The exception, how many frames, what was before it, and its members."""
    if failure is None:
        return None
    return (
        failure.exception,
        [frame.function for frame in failure.frames],
        (shape(failure.cause), failure.is_cause_direct),
        [shape(member) for member in failure.members],
    )


LONE = ("ValueError: no rows\nin the table", ["written", "lone"], (None, False), [])
INNER = ("ValueError: no rows\nin the table", ["chained", "lone"], (None, False), [])
CHAINED = ("RuntimeError: cannot fit", ["written", "chained"], (INNER, True), [])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lone, LONE),
        (chained, CHAINED),
        (
            handling,
            (
                "ValueError: no rows\nin the table",
                ["written", "handling", "lone"],
                (("KeyError: 'a'", ["handling"], (None, False), []), False),
                [],
            ),
        ),
    ],
)
def test_an_exception_is_read_back(function: Callable[[], object], expected: object) -> None:
    before, text = "training\n\n", written(function)
    found = last_failure(f"{before}{text}2026-11-29 17:43:04,183 - INFO - Closed session")
    assert found is not None
    assert shape(found[0]) == expected
    assert found[1].split() == [
        "training",
        "2026-11-29",
        "17:43:04,183",
        "-",
        "INFO",
        "-",
        "Closed",
        "session",
    ]


def test_a_group_is_read_back_with_its_members_and_cause() -> None:
    found = last_failure(written(grouped))
    assert found is not None and found[1] == ""
    lone_member = (LONE[0], ["grouped", "lone"], (None, False), [])
    chained_member = (CHAINED[0], ["grouped", "chained"], (INNER, True), [])
    inner = (
        "ExceptionGroup: inner (3 sub-exceptions)",
        [],
        (None, False),
        [("TypeError: t", [], (None, False), []), lone_member, chained_member],
    )
    assert shape(found[0]) == (
        "ExceptionGroup: outer\nof two lines (2 sub-exceptions)",
        ["written", "grouped"],
        (("ZeroDivisionError: division by zero", ["grouped"], (None, False), []), True),
        [inner, ("KeyError: 'x'", [], (None, False), [])],
    )


def test_only_the_last_exception_is_taken_and_the_rest_stays() -> None:
    text = f"{written(lone)}went on\n{written(chained)}"
    found = last_failure(text)
    assert found is not None and found[0].exception == "RuntimeError: cannot fit"
    assert found[1].count("Traceback") == 1 and "went on" in found[1]
    assert last_failure("File this under errors:\n  nothing") is None


DEEP = f"""Traceback (most recent call last):
  File "{SITE}/pandas/core/base.py", line 12, in get_loc
    return engine()
  File "pandas/_libs/index.pyx", line 167, in get_loc
KeyError: 'b'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "_udf_code.py", line 16, in main
    return run_step(session, call)
           ^^^^^^^^^^^^^^^^^^^^^^^
  File "{ARCHIVE}/sfml_steps/runtime.py", line 56, in run_step
    invoke()
  File "{ARCHIVE}/clv/train.py", line 30, in fit
    frame["b"]
    ~~~~~^^^^^
  File "{SITE}/pandas/core/frame.py", line 4113, in __getitem__
    indexer = get()
  File "/usr/lib/python3.11/abc.py", line 1, in call
  File "{ARCHIVE}/clv/names.py", line 2, in again
    again()
  [Previous line repeated 973 more times]
KeyError: 'b'
"""


def test_the_users_frames_come_as_project_paths_and_libraries_folded() -> None:
    found = last_failure(f"Python Interpreter Error:\n{DEEP} in function SFML_STEP with handler main\n")
    assert found is not None
    assert failure_text(found[0], files).splitlines() == [
        "Traceback (most recent call last):",
        "  steps/clv/train.py:30 in fit",
        '    frame["b"]',
        "    ~~~~~^^^^^",
        "  … 2 frames of pandas, Python",
        "  steps/clv/names.py:2 in again",
        "    again()",
        "    [Previous line repeated 973 more times]",
        "KeyError: 'b'",
        "caused by:",
        "  Traceback (most recent call last):",
        "    … 2 frames of pandas",
        "  KeyError: 'b'",
    ]
    told = failure_json(found[0], files)
    assert told is not None
    assert [(frame["file"], frame["line"]) for frame in told["frames"] if frame["is_own"]] == [
        ("steps/clv/train.py", 30),
        ("steps/clv/names.py", 2),
    ]
    assert told["cause"]["exception"] == "KeyError: 'b'" and told["is_cause_direct"]


def test_the_one_line_of_a_group_names_its_members() -> None:
    line = "ExceptionGroup: outer of two lines: ExceptionGroup: inner: TypeError: t; ValueError: no rows"
    assert (error_line(f"Python Interpreter Error:\n{written(grouped)}") or "").startswith(line)


@pytest.mark.parametrize("left", [8, 6, 4])
def test_a_group_whose_traceback_begins_before_the_log_is_told_too(left: int) -> None:
    """The log of a job has its last lines only; the last line of a drawn group is a rule."""
    tree = [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/app/train.py", line 3, in <module>',
        "  |     raise ExceptionGroup(...)",
        "  | ExceptionGroup: several (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: one",
        "    +---------------- 2 ----------------",
        "    | KeyError: 'two'",
        "    +------------------------------------",
    ]
    error = "\n".join(["Job J failed:", "exit code 1, last lines of its log:", *tree[-left:]])
    assert error_line(error) == "KeyError: 'two'"
