"""Log lines of a task: time, level, text, written at once to standard output, from warnings on to error.

`ctx.logger` is an ordinary logger of Python, named after the step. Records of level INFO and above are written,
also those of other loggers of the step's package: `logging.getLogger(__name__)` works in every module. `sfml logs`
shows them, and on an account the event table keeps them, from the task's `log_level` on. What a step prints is in
the log as well.
"""

from __future__ import annotations

import datetime
import logging
import sys


class TaskLogHandler(logging.Handler):
    """Writes a record and flushes, to whatever the standard streams are at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        try:
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:
            self.handleError(record)


class LineFormatter(logging.Formatter):
    """`2026-01-31T04:05:06.789Z INFO text`, with a traceback where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def task_logger(step: str) -> logging.Logger:
    """The logger of a step, such as `clv.train.train_model`; loggers of its package write beside it.

    Records still travel up to handlers of the root logger, by which a procedure's event table takes them,
    unless those write to the same streams.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    for name in {step.partition(".")[0], "sfml_steps"}:
        package = logging.getLogger(name)
        package.setLevel(logging.INFO)
        package.propagate = not any(
            isinstance(h, logging.StreamHandler) for h in logging.getLogger().handlers
        )
        if not any(isinstance(handler, TaskLogHandler) for handler in package.handlers):
            handler = TaskLogHandler()
            handler.setFormatter(LineFormatter())
            package.addHandler(handler)
    return logging.getLogger(step)
