"""The parent of procedures' and jobs' processes: `python -m …processes.warm_parent SOCKET`, started by `warm`.

It imports the Snowflake clients once, and forks a supervisor with a worker for every request on the
socket, so that a procedure or an ML Job starts in hundredths of a second. It runs no users' code, opens no
connection and has one thread. It ends with the server, whose end of the socket the kernel closes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import mimetypes
import os
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sfml_local.processes import as_main, function_worker, predictor, supervisor, worker

CLIENTS = ("snowflake.connector", "snowflake.snowpark", "pandas")
"""Modules that nearly every procedure needs."""

LAZY = (
    "snowflake.connector.converter_snowsql",
    "snowflake.snowpark.functions",
    "snowflake.snowpark.types",
    "snowflake.ml.jobs",
)
"""Modules that a session, a step or an ML Job's launcher imports later."""

WORKER = "sfml_local.processes.worker"
PROGRAMS = {
    WORKER: worker,
    "sfml_local.processes.function_worker": function_worker,
    "sfml_local.processes.predictor": predictor,
}
"""Modules that are run with `-m`; each has a `main` that takes a request's file and returns the exit code."""

LENGTH = struct.Struct(">I")
DESCRIPTORS = 2


def main(descriptor: int, also: Sequence[str] = ()) -> int:
    """Serve the socket; `also` are further modules to import, if they are installed."""
    control = socket.socket(fileno=descriptor)
    gc.disable()  # what imports make stays, and looking through it took a quarter of their time
    sys.path[:] = [path for path in sys.path if path not in ("", str(Path.cwd()))]
    for module in (*CLIENTS, *LAZY):
        _import(module)
    worker.set_levels(logging.INFO, logging.WARNING)
    mimetypes.init()  # the connector asks what is compressed at each first PUT and GET
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps supervisors
    left = list(also)
    while True:
        if left and not select.select([control], [], [], 0)[0]:
            _import(left.pop(0))  # a request waits for at most one of these imports
            continue
        if (
            threading.active_count() != 1
        ):  # a lock that another thread holds would stay locked in a forked process
            return 1
        gc.freeze()  # otherwise a child's garbage collector would copy every page that it marks
        received = _next_order(control)
        if received is None:
            return 0
        order, (lifeline, told) = received
        warm = _packages(len(sys.modules))
        if os.fork() == 0:
            gc.enable()
            control.close()
            _serve(order, lifeline, told, warm)
        os.close(lifeline)
        os.close(told)


@lru_cache(maxsize=1)
def _packages(modules: int) -> frozenset[str]:
    """What is imported, found out once: a forked process would copy the page of every name that it looks at."""
    return frozenset(name.partition(".")[0] for name in sys.modules) - {"__main__"}


def _import(module: str) -> None:
    with contextlib.suppress(ImportError, OSError):
        importlib.import_module(module)


def _next_order(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The request, the lifeline and the pipe for the exit code; None if the server has ended."""
    header, descriptors, _, _ = socket.recv_fds(control, LENGTH.size, DESCRIPTORS)
    for one in descriptors:
        os.set_inheritable(one, False)
    body = _exactly(control, header, LENGTH.size)
    text = None if body is None else _exactly(control, b"", LENGTH.unpack(body)[0])
    return None if text is None else (json.loads(text), descriptors)


def _exactly(control: socket.socket, data: bytes, length: int) -> bytes | None:
    while len(data) < length:
        part = control.recv(length - len(data))
        if not part:
            return None
        data += part
    return data


def _serve(order: Mapping[str, Any], lifeline: int, told: int, warm: frozenset[str]) -> None:
    """Supervise a worker in the forked process; reports its id first, and its exit code at the end."""
    code = 127
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.write(told, f"{os.getpid()}\n".encode())
        recorder = supervisor.Recorder(order["log"], order["limit"])

        def work() -> None:
            os.close(told)
            _work(order, warm)

        code = supervisor.supervise(lifeline, recorder, order["env"], work)
    finally:
        with contextlib.suppress(OSError):
            os.write(told, f"{code}\n".encode())
        os._exit(0)


def _work(order: Mapping[str, Any], warm: frozenset[str]) -> None:
    """Run the worker of a procedure or a model, or a job's script, like a process that was started for it."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"])
        argv: list[str] = order["argv"]
        is_script = argv[1] != "-m"
        if (_modules_of_payload() if is_script else _modules_of_imports(argv[-1])) & warm:
            os.execv(argv[0], argv)  # so that the user's modules take precedence, as in a new interpreter
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _new_chance()
        importlib.invalidate_caches()  # packages may have been installed since the parent looked
        if is_script or argv[2] != WORKER:
            worker.set_levels(logging.WARNING, logging.NOTSET)  # those of a new interpreter
        if is_script:
            code = as_main.run(argv[2], argv[3:])
        else:
            program = PROGRAMS[argv[2]]
            sys.argv = [str(program.__file__), argv[-1]]
            sys.modules["__main__"] = program
            code = program.main(argv[-1])
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            logging.shutdown()
        os._exit(code)


def _modules_of_imports(request: str) -> set[str]:
    return own_modules(Path(json.loads(Path(request).read_bytes())["import_directory"]))


def _modules_of_payload() -> set[str]:
    """Names that a job's launcher can import from its working directory, including the archives there."""
    folders = {Path.cwd(), *(archive.parent for archive in Path.cwd().rglob("*.zip"))}
    return set().union(*map(own_modules, folders))


def own_modules(directory: Path) -> set[str]:
    """Top-level names that the imported files add: files and folders, also in archives."""
    names: set[str] = set()
    for path in directory.iterdir():
        names.add(path.name)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names.update(archive.namelist())
    return set(_roots(names))


def _roots(names: Iterable[str]) -> Iterable[str]:
    return (name.partition("/")[0].partition(".")[0] for name in names)


def _new_chance() -> None:
    """Seed NumPy's random numbers anew; Python's generator and OpenSSL do so themselves."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
