"""The parent of procedures' and jobs' processes: `python -m …processes.warm_parent SOCKET`, started by `warm`.

It imports the Snowflake clients once, and forks a worker for every request on the socket, so that a procedure or an
ML Job starts in hundredths of a second. It supervises all of them. It runs no users' code, opens no connection and has
one thread. It ends with the server, whose end of the socket the kernel closes, after all that it has forked.
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
from importlib.machinery import FileFinder
from pathlib import Path
from typing import Any

from sfml_local.processes import (
    as_main,
    function_worker,
    predictor,
    ray_node,
    supervisor,
    worker,
    zipped_modules,
)

CLIENTS = ("snowflake.connector", "snowflake.snowpark", "pandas")
"""Modules that nearly every procedure needs."""

LAZY = (
    "snowflake.connector.converter_snowsql",
    "snowflake.snowpark.functions",
    "snowflake.snowpark.types",
    "snowflake.snowpark._internal.compiler.plan_compiler",
    "opentelemetry.trace.propagation.tracecontext",
    "encodings.cp437",
    "snowflake.ml.jobs",
)
"""Modules that a session, its first statement, the names in an archive or an ML Job's launcher import later."""

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
    zipped_modules.compiled()
    _prepare_request()
    mimetypes.init()  # the connector asks what is compressed at each first PUT and GET
    return _serve(control, supervisor.Supervisor(has_several=True), list(also))


def _serve(control: socket.socket, commands: supervisor.Supervisor, left: list[str]) -> int:
    """Fork a worker for each order, and follow all to their ends; returns when there are no more orders and workers."""
    code: int | None = None
    while code is None or not commands.is_idle:
        ready = _ready([*([control.fileno()] if code is None else []), *commands.watched], bool(left))
        commands.attend(ready)
        if code is None and control.fileno() in ready:
            code = _fork_next(control, commands)
            if code is not None:
                control.close()
                left.clear()
        elif left:
            _import(left.pop(0))  # a request waits for at most one of these imports
    return code


def _ready(watched: Sequence[int], at_once: bool) -> set[int]:
    """The descriptors that can be read; more may be open than `select` takes."""
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(0 if at_once else None)}


def _fork_next(control: socket.socket, commands: supervisor.Supervisor) -> int | None:
    """Fork the worker of the next order; an exit code if there will be none."""
    if threading.active_count() != 1:  # a lock of another thread would stay locked in a forked process
        return 1
    gc.freeze()  # otherwise a child's garbage collector would copy every page that it marks
    received = _next_order(control)
    if received is None:
        return 0
    order, (lifeline, told) = received
    warm = _packages(len(sys.modules))

    def work() -> None:
        gc.enable()
        control.close()
        _work(order, warm)

    # The server, which is told of no process where there can be none, starts one itself.
    with contextlib.suppress(OSError):
        commands.start(work, supervisor.Command(lifeline, _recorder(order), told), order["env"])
    return None


def _recorder(order: Mapping[str, Any]) -> supervisor.Recorder | None:
    """The log of an order; without a place for one, as on a full disk, it runs all the same."""
    try:
        return supervisor.Recorder(order["log"], order["limit"])
    except OSError:
        return None


@lru_cache(maxsize=1)
def _packages(modules: int) -> frozenset[str]:
    """What is imported, found out once: a forked process would copy the page of every name that it looks at."""
    return frozenset(name.partition(".")[0] for name in sys.modules) - {"__main__"}


def _import(module: str) -> None:
    with contextlib.suppress(ImportError, OSError):
        importlib.import_module(module)


def _prepare_request() -> None:
    """Let Python find out once which classes are mappings and the like: a forked process would copy them for that."""
    with contextlib.suppress(Exception):  # nothing rests on it
        requests: Any = importlib.import_module("snowflake.connector.vendored.requests")
        requests.Session().prepare_request(requests.Request("POST", "http://localhost/", {"Accept": "*"}))


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


def _work(order: Mapping[str, Any], warm: frozenset[str]) -> None:
    """Run the worker of a procedure or a model, or a job's script, like a process that was started for it."""
    code = 1
    try:
        _take_over(order["env"])
        os.chdir(order["cwd"])
        argv: list[str] = order["argv"]
        is_script = argv[1] != "-m"
        if (_modules_of_payload() if is_script else _modules_of_imports(argv[-1])) & warm:
            os.execv(argv[0], argv)  # so that the user's modules take precedence, as in a new interpreter
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _new_chance()
        _look_anew()
        if is_script or argv[2] != WORKER:
            worker.set_levels(logging.WARNING, logging.NOTSET)  # those of a new interpreter
        if is_script:
            _, _, script, *arguments = ray_node.command_of(argv)
            code = as_main.run(script, arguments)
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


def _take_over(env: Mapping[str, str]) -> None:
    """Have this environment; what is the same already stays as it is, and in the parent's memory."""
    for name in set(os.environ).difference(env):
        del os.environ[name]
    os.environ.update({name: value for name, value in env.items() if os.environ.get(name) != value})


def _look_anew() -> None:
    """Forget what the folders of packages contain: some may have been installed since the parent looked.

    Finders of folders below them compare times, and would be copied, hundreds of them, to be told.
    """
    for path in sys.path:
        if isinstance(finder := sys.path_importer_cache.pop(path, None), FileFinder):
            finder.invalidate_caches()
            sys.path_importer_cache[path] = finder


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
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))  # taking all modules apart takes a tenth of a second
