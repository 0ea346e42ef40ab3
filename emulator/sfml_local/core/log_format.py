"""The format of the server's log: one line for each record, without secrets, with tracebacks."""

from __future__ import annotations

import datetime
import faulthandler
import logging
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

from sfml.semantics.redaction import redacted

STATEMENT_SHOWN = 2000
"""The most characters of a statement in a log."""

logger = logging.getLogger("sfml_local")


def set_up(log: Path) -> None:
    """Format everything that this process writes to standard error, which is the log."""
    # A crash in a library ends the process outside of Python; faulthandler writes its traceback.
    faulthandler.enable()
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _say_exception
    threading.excepthook = lambda given: _say_exception(
        given.exc_type, given.exc_value or given.exc_type(), given.exc_traceback
    )
    # An empty log means that nothing went wrong; otherwise a line marks each start.
    if log.exists() and log.stat().st_size:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        print(f"{now} a server starts, process {os.getpid()}", file=sys.stderr, flush=True)


def shown(statement: object) -> str:
    """A statement for a log: in one line, shortened, without its secrets."""
    text = str(statement)
    # It is redacted separately, so that an unclosed literal does not hide the traceback after it.
    short = text if len(text) <= STATEMENT_SHOWN else f"{text[:STATEMENT_SHOWN]} …"
    return repr(redacted(short))


class Formatter(logging.Formatter):
    """A record with its traceback, redacted: exceptions quote statements."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _say_exception(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    logger.critical("unexpected %s", kind.__name__, exc_info=(kind, error, at))
