"""The running predictor processes: started at a method's first use, kept for the next, a few at a time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from pathlib import Path

import pyarrow as pa

from sfml.local.children import Supervised
from sfml.local.predictor import RESULT, read_frame, write_frame

MOST = 4
"""How many processes are kept; each holds a model and its libraries in memory."""


class PredictionError(RuntimeError):
    """The model's code raised; the message holds its traceback."""


class Predictor:
    """One process that answers calls of one method; calls from several threads wait for one another."""

    def __init__(self, folder: Path, handler: str, log: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        with log.open("ab") as output:
            self._supervised = Supervised(
                [sys.executable, "-m", "sfml.local.predictor", str(folder), handler],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env={name: value for name, value in os.environ.items() if "PROXY" not in name.upper()},
                cwd=folder,
            )
        self._process = self._supervised.process

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def predict(self, arguments: pa.Table) -> pa.ChunkedArray:
        """The JSON text of each row's result; raises PredictionError."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, arguments.schema) as writer:
            writer.write_table(arguments)
        assert self._process.stdin and self._process.stdout
        with self._lock:
            try:
                write_frame(self._process.stdin, RESULT, bytes(sink.getvalue()))  # type: ignore[arg-type]
                frame = read_frame(self._process.stdout)  # type: ignore[arg-type]
            except OSError:
                frame = None
        if frame is None:
            raise PredictionError(f"the model's process ended with exit code {self._process.wait()}")
        kind, payload = frame
        if kind != RESULT:
            raise PredictionError(payload.decode(errors="replace").rstrip())
        return pa.ipc.open_stream(payload).read_all().column("result")

    def stop(self) -> None:
        self._supervised.end()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


_predictors: OrderedDict[tuple[Path, str], Predictor] = OrderedDict()
_lock = threading.Lock()


def predictor_for(folder: Path, handler: str, log: Path) -> Predictor:
    """The process for a version's method, started if none runs; the least used one gives way."""
    with _lock:
        found = _predictors.pop((folder, handler), None)
        if found is None or not found.is_running:
            found = Predictor(folder, handler, log)
        _predictors[folder, handler] = found
        while len(_predictors) > MOST:
            _predictors.popitem(last=False)[1].stop()
        return found


def stop(folder: Path) -> None:
    """End the processes of one version, or of every version below a folder."""
    with _lock:
        for key in [key for key in _predictors if key[0].is_relative_to(folder)]:
            _predictors.pop(key).stop()
