"""The running predictor processes: one per version, started at its first call, kept for later ones, within limits.

They are forked from a parent that has imported the registry's client and machine learning libraries
(`warm`), started as soon as a model is created.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from sfml_local.processes.children import Running, make_home, remove_home, without_proxies
from sfml_local.processes.frames import CALL, RESULT, TABLE, packed, read_frame, unpacked, write_frame
from sfml_local.processes.pool import Pool
from sfml_local.processes.warm import WarmParent

if TYPE_CHECKING:
    from sfml_local.core.account import Account

START_SECONDS = 120.0
LOOK_SECONDS = 0.02

LIBRARIES = (
    "snowflake.ml.model._packager.model_packager",
    "sklearn.pipeline",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "xgboost",
    "lightgbm",
)
"""Modules that packed models import, if installed."""


class PredictionError(RuntimeError):
    """The model's code raised an exception; the message contains its traceback."""


class Predictor:
    """One process for calls of one version's methods; calls from several threads are serialized."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._ended = False
        self._control: socket.socket | None = None
        self._requests: BinaryIO | None = None
        self._answers: BinaryIO | None = None
        self._home: Path | None = None
        """The link to the private folder of its process."""

    def call(
        self, account: Account, handler: str, arguments: pa.Table, partitions: Sequence[int] | None = None
    ) -> pa.Table:
        """JSON texts in `result` for each row, or for each row of a table function; raises PredictionError."""
        asked = json.dumps({"handler": handler, "partitions": partitions}).encode()
        table = packed(arguments)
        with self._lock:
            if self._ended:
                raise PredictionError("the model was dropped while it was asked")
            fresh = self._running is None or self._running.wait(0) is not None
            if fresh:
                self._start(account)
            frame = self._asked(asked, table)
            if frame is None and not fresh and not self._ended:
                # It has ended since the last call. Predictions have no effect, so the call can be repeated.
                self._start(account)
                frame = self._asked(asked, table)
            if frame is None:
                raise PredictionError(f"the model's process ended with exit code {self._end()}")
        kind, payload = frame
        if kind != RESULT:
            raise PredictionError(payload.decode(errors="replace").rstrip())
        return unpacked(payload)

    def _asked(self, call: bytes, table: bytes) -> tuple[bytes, bytes] | None:
        """The answer to one call; None if the process ended."""
        assert self._requests is not None and self._answers is not None
        try:
            write_frame(self._requests, CALL, call)
            write_frame(self._requests, TABLE, table)
            return read_frame(self._answers)
        except OSError:
            return None

    def _start(self, account: Account) -> None:
        self._end()
        self._home = make_home(account, "sfml-model-")
        home = self._home.readlink()
        request = home / "request.json"
        code = self.folder / "model" / "code"
        nothing = home / "imports"
        nothing.mkdir()
        text = {
            "folder": str(self.folder),
            "socket": str(home / "socket"),
            # The version's modules take precedence over those that the parent has loaded.
            "import_directory": str(code if code.is_dir() else nothing),
        }
        request.write_text(json.dumps(text), encoding="utf-8")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(text["socket"])
            listening.listen(1)
            listening.settimeout(LOOK_SECONDS)
            self._running = parent_of(account).start(
                [sys.executable, "-m", "sfml_local.processes.predictor", str(request)],
                log=account.folder / "predictors.log",
                env={**without_proxies(), "PYTHONUNBUFFERED": "1"},
                cwd=self.folder,
            )
            self._control = self._accepted(listening)
        self._control.settimeout(None)
        self._requests = self._control.makefile("wb")
        self._answers = self._control.makefile("rb")

    def _accepted(self, listening: socket.socket) -> socket.socket:
        deadline = time.monotonic() + START_SECONDS
        while self._running is not None and self._running.wait(0) is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                return listening.accept()[0]
        raise PredictionError(f"the model's process did not start: exit code {self._end()}")

    def _end(self) -> int | None:
        code = self._running.end() if self._running is not None else None
        for one in (self._requests, self._answers, self._control):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.close()
        self._running = self._requests = self._answers = self._control = None
        if self._home is not None:
            remove_home(self._home)
            self._home = None
        return code

    @property
    def is_over(self) -> bool:
        return False  # a call starts it again

    def stop(self) -> None:
        """End the process, also in the middle of a call."""
        self._ended = True
        running = self._running
        if running is not None:
            running.end()
        with self._lock:
            self._end()


class Predictors:
    """An account's predictor processes by the folder of their version, and what they are forked from."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._kept = Pool[Path, Predictor](max(1, account.settings.models), Predictor)
        self._lock = threading.Lock()
        self._parent: WarmParent | None = None

    @property
    def parent(self) -> WarmParent:
        """What the processes are forked from."""
        with self._lock:
            if self._parent is None:
                found = tuple(name for name in LIBRARIES if importlib.util.find_spec(name.partition(".")[0]))
                self._parent = WarmParent(
                    self._account.folder / "warm-models", found, warm=bool(self._account.settings.warm)
                )
            return self._parent

    def of(self, folder: Path) -> AbstractContextManager[Predictor]:
        """The process of a version, to be used within the block; the least used idle ones give way to it."""
        return self._kept.of(folder)

    def end_idle(self) -> None:
        """End the processes that nobody asked for long, and their parent when none is left."""
        if self._kept.end_idle(self._account.settings.model_idle_seconds):
            self._end_parent(if_alone=True)

    def stop(self, folder: Path | None = None) -> None:
        """End the process of one version, or all of them with what they are forked from."""
        self._kept.end(lambda key, _: folder is None or key.is_relative_to(folder))
        if folder is None:
            self._end_parent()

    def _end_parent(self, *, if_alone: bool = False) -> None:
        """End what the processes are forked from; `if_alone`, not if there is one again."""
        with self._lock:
            if if_alone and not self._kept.is_empty:
                return
            parent, self._parent = self._parent, None
        if parent is not None:
            parent.stop()


def parent_of(account: Account) -> WarmParent:
    """The parent process of an account's predictors."""
    return account.part(Predictors).parent


def end_idle(account: Account) -> None:
    """End the processes that nobody asked for long."""
    account.part(Predictors).end_idle()


def watch(account: Account) -> None:
    """End idle processes until the server stops."""

    def look() -> None:
        while not account.stopping.wait(min(30.0, account.settings.model_idle_seconds)):
            end_idle(account)

    threading.Thread(target=look, name="predictors", daemon=True).start()


def stop_all(account: Account) -> None:
    """End the processes of an account and their parent."""
    account.part(Predictors).stop()
