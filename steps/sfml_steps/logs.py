"""Log lines of a task: time, level and text. INFO goes to standard output, warnings and errors to standard error.

`ctx.logger` is an ordinary logger of Python, named after the step. Records of level INFO and above are written
immediately, also those of other loggers of the step's package: `logging.getLogger(__name__)` works in every module.
`sfml logs` shows them. In an account, the event table keeps records from the task's `log_level` on. Text that a step
prints is in the log as well.
"""

from __future__ import annotations

import datetime
import logging
import sys


class TaskLogHandler(logging.Handler):
    """Writes records to the current standard streams, and flushes after each."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        try:
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:
            self.handleError(record)


class LineFormatter(logging.Formatter):
    """Formats records as `2026-01-31T04:05:06.789Z INFO text`, followed by the traceback of an exception."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def task_logger(step: str) -> logging.Logger:
    """Return the logger of a step, such as `clv.train.train_model`; loggers of its package are set up the same way.

    Records are also passed to handlers of the root logger, which bring them to the event table in a procedure, unless
    the root logger has handlers for streams, which would write them twice.
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
