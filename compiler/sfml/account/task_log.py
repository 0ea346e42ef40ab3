"""The log of a task: its lines, those that the user's code wrote, and the exception that ended it; pure.

What runs the user's code writes lines of its own: the launcher of ML Jobs, Snowflake's clients, Ray, the local server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sfml.account.history import TaskRun
from sfml.base.record import record
from sfml.semantics.redaction import redacted
from sfml.semantics.tracebacks import Failure, last_failure, last_failure_in

HEAD = 0
"""The instance of a job that runs the script; the others are workers. Procedures have only this one."""

_RULE = "-" * 32
_START = (_RULE, "ML job started", _RULE)
_END = (_RULE, "ML job finished", _RULE)
"""The lines between which the launcher of ML Jobs runs the script."""

_OF_SERVER = "[local server] "
_OF_RAY = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\s+[A-Z]+ \w+\.py:\d+ -- |\(raylet(, ip=[^)]*)?\) |\(autoscaler\b[^)]*\) "
)
_OF_WORKER = re.compile(r"Worker node started on address \S+\. See more logs in the head node\.")
"""What the launcher prints on an instance that runs no script."""

_FORWARDED = re.compile(r"(\x1b\[[\d;]*m)*\((?!raylet\b|autoscaler\b)[\w.<>]+ pid=\d+(, ip=[^)]*)?\)")
"""How Ray begins a line that a task or actor of the user wrote, on any node; it may come after the script has ended."""

_LOGGERS = ("snowflake", "ray", "boto3", "botocore", "urllib3", "py4j")
"""The loggers of what runs the user's code, with all below them."""


@record
class LogLine:
    """A line of a log: the instance of the job that wrote it, and the name of the logger where it is known.

    The text has no line ends.
    """

    text: str
    instance: int = HEAD
    logger: str | None = None


@record
class TaskLog:
    """The lines of a task, and its error: a Python exception (`failure`), or another error.

    `left_out` is the number of lines that are not the user's, `cut` that of lines before the tail. `instances` are
    those that wrote the lines that were asked for, `failed_on` those whose log has the exception, `known` all that
    wrote anything.
    """

    task: TaskRun
    lines: tuple[LogLine, ...]
    left_out: int = 0
    cut: int = 0
    failure: Failure | None = None
    failed_on: tuple[int, ...] = ()
    error: str | None = None
    instances: tuple[int, ...] = ()
    known: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        return text_of(self.lines)


def text_of(lines: Iterable[LogLine]) -> str:
    return "\n".join(line.text for line in lines)


def task_log(
    task: TaskRun,
    lines: Sequence[LogLine],
    *,
    is_job: bool = False,
    every: bool = False,
    instance: int | None = None,
    tail: int | None = None,
) -> TaskLog:
    """The log of a task without the traceback of the exception that ended it.

    Without `every`, only the lines of the user; with `instance`, only those of one instance; of the rest, the last
    `tail` lines.
    """
    failure, failed_on, rest = _without_failure(task, lines)
    shown = [line for line in rest if instance is None or line.instance == instance]
    own = shown if every else own_lines(shown, is_job=is_job)
    count = _count(shown) - _count(own)
    while own and not own[-1].text.strip():
        own = own[:-1]
    in_error = last_failure(task.error or "") if failure is None else None
    is_said = not task.error or task.error.strip() in text_of(own)
    cut = 0 if tail is None else max(len(own) - tail, 0)
    return TaskLog(
        task=task,
        lines=tuple(own[cut:]),
        left_out=count,
        cut=cut,
        failure=failure or (in_error[0] if in_error else None),
        failed_on=failed_on,
        error=None if failure or in_error or is_said else task.error,
        instances=tuple(sorted({line.instance for line in shown})),
        known=tuple(sorted({line.instance for line in lines})),
    )


def _count(lines: Iterable[LogLine]) -> int:
    """The number of lines that are not empty."""
    return sum(bool(line.text.strip()) for line in lines)


def _without_failure(
    task: TaskRun, lines: Sequence[LogLine]
) -> tuple[Failure | None, tuple[int, ...], list[LogLine]]:
    """The exception that ended the task, the instances whose log has it, and the lines without its tracebacks."""
    if not task.error:
        return None, (), list(lines)
    failure: Failure | None = None
    failed_on: list[int] = []
    gone: set[int] = set()
    for instance in sorted({line.instance for line in lines}):
        places = [at for at, line in enumerate(lines) if line.instance == instance]
        found = last_failure_in([lines[at].text for at in places])
        if found is None or not _is_in(found[0].exception.splitlines()[0], task.error):
            continue
        failure = failure or found[0]
        failed_on.append(instance)
        gone.update(places[at] for at in range(found[1], found[2]))
    return failure, tuple(failed_on), [line for at, line in enumerate(lines) if at not in gone]


def _is_in(line: str, error: str) -> bool:
    """Whether an error has this line; secrets may be hidden in it that stand in the log."""
    return line in error or redacted(line) in error


def own_lines(lines: Sequence[LogLine], *, is_job: bool, is_over: bool = True) -> list[LogLine]:
    """The lines that the user's code wrote. Of a longer log of the same task, those of a shorter one come first.

    In a job, they are those between the launcher's marks. While it goes on, nothing before the first mark is known to
    be the user's; if the log has no mark when it is over, everything is shown.
    """
    spans = {one: _span(lines, one, is_job, is_over) for one in {line.instance for line in lines}}
    counts = dict.fromkeys(spans, 0)
    own: list[LogLine] = []
    for line in lines:
        at = counts[line.instance]
        counts[line.instance] += 1
        first, last = spans[line.instance]
        is_inside = first <= at < last or (at >= last and _FORWARDED.match(line.text) is not None)
        if is_inside and not _is_of_others(line):
            own.append(line)
    return own


def _span(lines: Sequence[LogLine], instance: int, is_job: bool, is_over: bool) -> tuple[int, int]:
    """The places of the first of the user's lines among those of an instance, and of the line after the last one."""
    texts = [line.text.rstrip() for line in lines if line.instance == instance]
    start = _place(texts, _START)
    if start is None:
        # The launcher's marks are only on the instance that runs the script.
        return (0, len(texts)) if is_over or not is_job or instance != HEAD else (len(texts), len(texts))
    first = start + len(_START)
    end = _place(texts, _END, first)
    return first, len(texts) if end is None else end


def _place(texts: Sequence[str], mark: tuple[str, ...], begin: int = 0) -> int | None:
    places = range(begin, len(texts) - len(mark) + 1)
    return next((at for at in places if tuple(texts[at : at + len(mark)]) == mark), None)


def _is_of_others(line: LogLine) -> bool:
    name = line.logger or ""
    is_of_client = any(name == logger or name.startswith(f"{logger}.") for logger in _LOGGERS)
    is_of_runtime = _OF_RAY.match(line.text) or _OF_WORKER.fullmatch(line.text.rstrip())
    return is_of_client or line.text.startswith(_OF_SERVER) or is_of_runtime is not None
